import { CLIENT_ID_PATTERN, isAuditEventId } from '../domain/ids.ts';
import { isName } from '../domain/name.ts';
import { PLACE_PATTERN, SEGMENT_PATTERN } from '../domain/permissions/place.ts';
import { SLUG_PATTERN } from '../domain/slug.ts';
import { secondsOf } from './duration.ts';
import { readMoment } from './moment.ts';

/** A rule for text that a short regular expression cannot express. A schema names it as its `format`. */
export interface TextFormat {
  readonly fits: (text: string) => boolean;
  /** The message for text that does not fit. It follows the name of the member, and so begins with a verb. */
  readonly words: string;
}

const TEN_YEARS = 315_360_000;
const DESCRIBED = /^[^\p{Cs}\u202A-\u202E\u2066-\u2069]*$/u;
const CONTROL = /\p{Cc}/u;

function isMoment(text: string): boolean {
  return readMoment(text, new Date(0), 'past') !== undefined;
}

/** The formats of the schemas, by their names. */
export const TEXT_FORMATS: Readonly<Record<string, TextFormat>> = {
  name: {
    fits: isName,
    words: 'must be text on one line, without control characters and not blank',
  },
  text: {
    fits: (text) => DESCRIBED.test(text) && !CONTROL.test(text.replaceAll(/[\t\n]/g, '')),
    words: 'must be text without control characters but for line breaks and tabs',
  },
  prefix: {
    fits: (text) => !/[\p{Cc}\p{Cs}]/u.test(text),
    words: 'must be text without control characters',
  },
  moment: {
    fits: isMoment,
    words:
      'must be a time with an offset such as 2026-11-21T00:00:00Z or 2026-11-21T01:00:00+01:00, a date such as 2026-11-21, which begins at midnight in UTC, or a duration such as P90D; the day must exist',
  },
  'event-or-moment': {
    fits: (text) => isAuditEventId(text) || isMoment(text),
    words: 'must be the eventId of an event, or a time with an offset, a date, or a duration such as P1D back from now',
  },
  'minute-or-longer': {
    fits: (text) => {
      const seconds = secondsOf(text);
      return Number.isSafeInteger(seconds) && Number(seconds) >= 60 && Number(seconds) <= TEN_YEARS;
    },
    words: 'must be whole seconds such as 86400, or an ISO 8601 duration such as P1D, from a minute to ten years',
  },
};

const ASCII = (most: number): [string, string] => [
  `^[!-~]{1,${most}}$`,
  `must be 1 to ${most} printable ASCII characters without a blank`,
];

/** The messages for text that does not match a regular expression of the schemas. */
const PATTERN_WORDS: ReadonlyMap<string, string> = new Map([
  ASCII(64),
  ASCII(512),
  ASCII(700),
  [
    SLUG_PATTERN,
    'must be a DNS label: lower-case letters, digits and single hyphens between them, such as order-import',
  ],
  [SEGMENT_PATTERN, 'must be 1 to 64 of the characters A-Z a-z 0-9 . _ - and neither . nor .., such as on-call'],
  [PLACE_PATTERN, 'must be a path of one to eight segments of A-Z a-z 0-9 . _ - such as shop/prod'],
  [CLIENT_ID_PATTERN, 'must be 1 to 64 of the characters A-Z a-z 0-9 _ - such as order-import'],
  ['^[A-Za-z0-9._-]{0,64}$', 'must be the id of a role, such as developer, or empty'],
  ['^[A-Za-z0-9._:=+/@-]{1,128}$', 'must be an id: 1 to 128 of the characters A-Z a-z 0-9 . _ : = + / @ -'],
  ['^[A-Za-z0-9._/-]{1,64}$', 'must be 1 to 64 of the characters A-Z a-z 0-9 . _ / -'],
]);

/**
 * Says what text must be to match a pattern of the schemas.
 *
 * @param value the value that does not match
 * @returns undefined for an unknown pattern
 */
export function wordsOfPattern(pattern: string, value?: unknown): string | undefined {
  if (pattern === CLIENT_ID_PATTERN && typeof value === 'string' && value.includes('@')) {
    return 'names a person: there are no users here, name service accounts by their ids or slugs';
  }
  return PATTERN_WORDS.get(pattern);
}
