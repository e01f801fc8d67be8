/** The direction in which a duration counts from now. */
export type Direction = 'past' | 'future';

const DATE = /^\d{4}-\d\d-\d\d$/;
/** A space may stand before the time (RFC 3339 §5.6), and in the place of `+`, which a query decodes to a space. */
const TIME = /^(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d(?::\d\d)?)(?:\.(\d{1,30}))?([Zz]|[ +-]\d\d(?::?\d\d)?)$/;

/** The most years that a duration may count from now. */
const MOST_YEARS = 1000;

/**
 * Reads a time in a query: RFC 3339 with any offset, a date, which begins at midnight in UTC, or a duration (ISO 8601),
 * which is counted from now.
 *
 * @param text the decoded parameter; undefined: the parameter is absent
 * @param direction the direction in which a duration counts
 * @returns undefined when the text has none of these forms, or the day does not exist
 */
export function readMoment(text: string | undefined, now: Date, direction: Direction): Date | undefined {
  if (text === undefined) return undefined;
  const trimmed = text.trim();
  try {
    if (DATE.test(trimmed)) return dated(`${trimmed}T00:00:00Z`);
    if (/^P/i.test(trimmed)) return fromNow(Temporal.Duration.from(trimmed), now, direction);
    const [, date, time, fraction, offset] = TIME.exec(trimmed) ?? [];
    if (date === undefined || time === undefined || offset === undefined) return undefined;
    const parts = fraction === undefined ? time : `${time}.${fraction.slice(0, 9)}`;
    return dated(`${date}T${parts}${offset.replace(' ', '+')}`);
  } catch {
    // Temporal throws for times and durations that do not exist.
    return undefined;
  }
}

function dated(text: string): Date | undefined {
  const { epochMilliseconds } = Temporal.Instant.from(text);
  const date = new Date(epochMilliseconds);
  // RFC 3339 and all databases can write these years.
  return date.getUTCFullYear() >= 1 && date.getUTCFullYear() <= 9999 ? date : undefined;
}

function fromNow(duration: Temporal.Duration, now: Date, direction: Direction): Date | undefined {
  const start = Temporal.Instant.fromEpochMilliseconds(now.getTime()).toZonedDateTimeISO('UTC');
  const end = start.add(direction === 'past' ? duration.negated() : duration);
  return Math.abs(end.year - start.year) > MOST_YEARS ? undefined : new Date(end.epochMilliseconds);
}
