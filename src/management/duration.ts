import { DomainError } from '../domain/domain-error.ts';

/**
 * Reads a duration: whole seconds, or as ISO 8601 writes it.
 *
 * @returns seconds
 * @throws DomainError `invalid_value` for what is no duration, has months or years, which are of no fixed length, or is
 *   no whole number of seconds above 0
 */
export function seconds(value: number | string, pointer: string): number {
  const read = typeof value === 'number' ? value : fromIso8601(value);
  if (read !== undefined && Number.isSafeInteger(read) && read > 0) return read;
  throw new DomainError('invalid_value', 'It is no duration', {
    fields: [
      { pointer, message: 'must be whole seconds, or an ISO 8601 duration of weeks, days, hours, minutes, seconds' },
    ],
  });
}

/** As {@link seconds}; what is absent or null stays so. */
export function secondsOrNone(value: number | string | null | undefined, pointer: string): number | null | undefined {
  return typeof value === 'string' || typeof value === 'number' ? seconds(value, pointer) : value;
}

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
