/** A time, as every answer writes it. */
export const TIME = { type: 'string', format: 'date-time', description: 'RFC 3339, in UTC' } as const;

/** The beginning of a name, to look for. */
export const SEARCH = {
  type: 'string',
  pattern: '^[^\\u0000-\\u001F\\u007F-\\u009F\\uD800-\\uDFFF]{1,128}$',
} as const;

export const DESCRIPTION_PATTERN =
  '^[^\\u0000-\\u0008\\u000B-\\u001F\\u007F-\\u009F\\u202A-\\u202E\\u2066-\\u2069\\uD800-\\uDFFF]*$';

/** Free text of several lines. */
export const DESCRIPTION = { type: 'string', pattern: DESCRIPTION_PATTERN, maxLength: 1024 } as const;

/** How long something may last, or null. */
export const DURATION = {
  type: ['integer', 'string', 'null'],
  minimum: 1,
  maximum: 31_536_000,
  maxLength: 32,
} as const;

/** What people call a thing, as a segment of its path. */
export const ID = { type: 'string', pattern: '^(?!\\.{1,2}$)[A-Za-z0-9._-]{1,64}$' } as const;

/** An id that is looked for, such as an `X-Request-Id`. */
export const ANY_ID = { type: 'string', pattern: '^[A-Za-z0-9._:=+/@-]{1,128}$' } as const;

/** A time in a query. */
export const MOMENT = {
  type: 'string',
  pattern:
    '^20\\d\\d-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\\d|3[01])T(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d{1,6})?Z$',
  examples: ['2026-11-21T00:00:00Z'],
} as const;
