import { DomainError } from '../domain/domain-error.ts';

/** The bounds of a duration, in seconds. */
export interface Bounds {
  readonly least?: number;
  readonly most?: number;
}

/** The greatest number of seconds that the schemas allow. */
const A_YEAR = 31_536_000;

/**
 * Reads a duration: whole seconds, or an ISO 8601 duration.
 *
 * @returns seconds
 * @throws DomainError `invalid_value` when the value is not a duration, is not a whole number of seconds within the
 *   bounds, or has months or years, whose length varies
 */
export function seconds(value: number | string, pointer: string, { least = 1, most = A_YEAR }: Bounds = {}): number {
  const read = typeof value === 'number' ? value : fromIso8601(value);
  if (read !== undefined && Number.isSafeInteger(read) && read >= least && read <= most) return read;
  throw new DomainError('invalid_value', 'The duration is not allowed', {
    fields: [
      {
        pointer,
        message: `must be whole seconds, or an ISO 8601 duration of weeks, days, hours, minutes, seconds: ${least} to ${most} seconds`,
      },
    ],
  });
}

/** As {@link seconds}; undefined and null stay as they are. */
export function secondsOrNone(
  value: number | string | null | undefined,
  pointer: string,
  bounds?: Bounds,
): number | null | undefined {
  return typeof value === 'string' || typeof value === 'number' ? seconds(value, pointer, bounds) : value;
}

/** Reads whole seconds or an ISO 8601 duration. @returns seconds; undefined for other text */
export function secondsOf(text: string): number | undefined {
  return /^\d{1,10}$/.test(text) ? Number(text) : fromIso8601(text);
}

/** @returns seconds; undefined for text that is not a duration, or has months or years, whose length varies */
function fromIso8601(text: string): number | undefined {
  try {
    const duration = Temporal.Duration.from(text);
    if (duration.years !== 0 || duration.months !== 0) return undefined;
    const { weeks, days } = duration;
    return duration.with({ weeks: 0, days: 0 }).total('seconds') + (weeks * 7 + days) * 86_400;
  } catch {
    return undefined;
  }
}
