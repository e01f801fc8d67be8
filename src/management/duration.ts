import { DomainError } from '../domain/domain-error.ts';

/** Seconds. */
export interface Bounds {
  readonly least?: number;
  readonly most?: number;
}

/** As the schemas say of numbers. */
const A_YEAR = 31_536_000;

/**
 * Reads a duration: whole seconds, or as ISO 8601 writes it.
 *
 * @returns seconds
 * @throws DomainError `invalid_value` for what is no duration, has months or years, which are of no fixed length, or is
 *   no whole number of seconds within the bounds
 */
export function seconds(value: number | string, pointer: string, { least = 1, most = A_YEAR }: Bounds = {}): number {
  const read = typeof value === 'number' ? value : fromIso8601(value);
  if (read !== undefined && Number.isSafeInteger(read) && read >= least && read <= most) return read;
  throw new DomainError('invalid_value', 'It is no duration', {
    fields: [
      {
        pointer,
        message: `must be whole seconds, or an ISO 8601 duration of weeks, days, hours, minutes, seconds: ${least} to ${most} seconds`,
      },
    ],
  });
}

/** As {@link seconds}; what is absent or null stays so. */
export function secondsOrNone(
  value: number | string | null | undefined,
  pointer: string,
  bounds?: Bounds,
): number | null | undefined {
  return typeof value === 'string' || typeof value === 'number' ? seconds(value, pointer, bounds) : value;
}

/** @returns seconds, whole ones or of an ISO 8601 duration; undefined for what is neither */
export function secondsOf(text: string): number | undefined {
  return /^\d{1,10}$/.test(text) ? Number(text) : fromIso8601(text);
}

/** @returns undefined for what is no duration, or has months or years, which are of no fixed length */
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
