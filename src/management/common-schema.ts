import { SENDER_CONSTRAINTS } from '../domain/possession/sender-constraint.ts';
import { SEGMENT_PATTERN } from '../domain/permissions/place.ts';
import { SLUG_LENGTH, SLUG_PATTERN } from '../domain/slug.ts';

/** A time in an answer. */
export const TIME = { type: 'string', format: 'date-time', description: 'RFC 3339, in UTC' } as const;

/** The account that created a resource. */
export const CREATED_BY = {
  type: 'string',
  description: 'The id of an account; an account of a company sees root in place of the id of a root account',
} as const;

/** The prefix that a list is searched for. */
export const SEARCH = { type: 'string', format: 'prefix', minLength: 1, maxLength: 128 } as const;

/** The parameter `company` of root's lists: it adds the items of every company. */
export const EVERY_COMPANY = {
  type: 'string',
  enum: ['*'],
  description: '*: the items of every company as well',
} as const;

/** The proof of possession that tokens need. */
export const SENDER_CONSTRAINT = {
  type: 'string',
  enum: SENDER_CONSTRAINTS,
  description:
    'The proof that each token request needs, and to which the token is bound: dpop: a DPoP proof (RFC 9449); mtls: a client certificate (RFC 8705)',
} as const;

/** Free text of one line. */
export const NAME = { type: 'string', format: 'name', minLength: 1, maxLength: 128 } as const;

/** A DNS label. */
export const SLUG = { type: 'string', pattern: SLUG_PATTERN, maxLength: SLUG_LENGTH } as const;

/** Free text of several lines. */
export const DESCRIPTION = { type: 'string', format: 'text', maxLength: 1024 } as const;

const YEAR = 31_536_000;

/** A duration: seconds, or an ISO 8601 duration. */
export const DURATION = [
  { type: 'integer', minimum: 1, maximum: YEAR },
  { type: 'string', maxLength: 32 },
] as const;

/** A duration or null. Null has no alternative of its own: generators of clients fail at such an alternative. */
export const DURATION_OR_NULL = [{ ...DURATION[0], type: ['integer', 'null'] }, DURATION[1]] as const;

/** An id that callers choose; it is a segment of a path. */
export const ID = { type: 'string', pattern: SEGMENT_PATTERN } as const;

/** An id to search for, such as an `X-Request-Id`. */
export const ANY_ID = { type: 'string', pattern: '^[A-Za-z0-9._:=+/@-]{1,128}$' } as const;

/** A time in a query. */
export const MOMENT = {
  type: 'string',
  format: 'moment',
  maxLength: 64,
  examples: ['2026-11-21T00:00:00Z', '2026-11-21', 'P90D'],
} as const;
