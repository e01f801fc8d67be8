/** The way in which a duration reaches from now. */
export type Direction = 'past' | 'future';

const DATE = /^\d{4}-\d\d-\d\d$/;
/** A blank stands where RFC 3339 §5.6 lets one stand, and where a plus was that a query made a blank of. */
const TIME = /^(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d(?::\d\d)?)(?:\.(\d{1,30}))?([Zz]|[ +-]\d\d(?::?\d\d)?)$/;

/** Further away there is nothing. */
const MOST_YEARS = 1000;

/**
 * Reads a time in a query: RFC 3339 with any offset, a date, which begins at midnight in UTC, or a duration (ISO 8601),
 * which is counted from now.
 *
 * @param text decoded; undefined where there is none
 * @param direction of a duration
 * @returns undefined for what is none of these, and for days that the calendar does not have
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
    // Temporal throws for what there is not.
    return undefined;
  }
}

function dated(text: string): Date | undefined {
  const { epochMilliseconds } = Temporal.Instant.from(text);
  const date = new Date(epochMilliseconds);
  // The years that RFC 3339 and every database can write.
  return date.getUTCFullYear() >= 1 && date.getUTCFullYear() <= 9999 ? date : undefined;
}

function fromNow(duration: Temporal.Duration, now: Date, direction: Direction): Date | undefined {
  const start = Temporal.Instant.fromEpochMilliseconds(now.getTime()).toZonedDateTimeISO('UTC');
  const end = start.add(direction === 'past' ? duration.negated() : duration);
  return Math.abs(end.year - start.year) > MOST_YEARS ? undefined : new Date(end.epochMilliseconds);
}
