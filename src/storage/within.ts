import { DomainError } from '../domain/domain-error.ts';

/** Waits for a promise for a number of milliseconds at most. @throws DomainError `unavailable` when it takes longer */
export async function within<Value>(promise: Promise<Value>, milliseconds: number): Promise<Value> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => late.reject(new DomainError('unavailable', 'The database does not answer in time')),
    milliseconds,
  );
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** Ignores the failure of work that has been given up: nobody waits for the work, and its failure says nothing new. */
export function unheeded(): void {}
