import { DomainError } from '../domain/domain-error.ts';

/** What the network says when the server is not there, or no longer. */
const NETWORK = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ETIMEDOUT',
  'EPIPE',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
]);

/**
 * PostgreSQL's classes (appendix A of its manual) for faults that pass: connection (08), resources (53), operator
 * intervention (57), system error (58); and single codes: serialization failure, deadlock, lock not available, a
 * server that is read-only because it is a standby.
 */
const SQLSTATE = /^(?:08|53|57|58)|^(?:40001|40P01|55P03|25006)$/;

/** The same from the driver, which gives no code; the query builder puts the statement in front of it. */
const MESSAGE =
  /(?:^| - )(?:Connection terminated|Connection ended|timeout exceeded|timeout expired|Query read timeout|Client has encountered)/;

/** Whether an error says that the database cannot answer just now, so that trying later may help. */
export function isUnavailable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error.name === 'KnexTimeoutError' || MESSAGE.test(error.message)) return true;
  if (!('code' in error) || typeof error.code !== 'string') return false;
  return NETWORK.has(error.code) || SQLSTATE.test(error.code);
}

/** Whether the database ended a transaction for the sake of another one, so that it may be tried again at once. */
export function isConflict(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === '40P01' || error.code === '40001');
}

/** Turns an error of the database that passes into the product's own; any other stays as it is. */
export function rethrowUnavailable(error: unknown): never {
  if (isUnavailable(error))
    throw new DomainError('unavailable', 'The database cannot answer just now', { cause: error });
  throw error;
}

/** A store whose every method fails as {@link rethrowUnavailable} says. */
export function translated<Store extends object>(store: Store): Store {
  const wrapped = Object.entries(store).map(([name, method]: [string, (...args: unknown[]) => Promise<unknown>]) => [
    name,
    (...args: unknown[]) => method(...args).catch(rethrowUnavailable),
  ]);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the same methods under the same names
  return Object.fromEntries(wrapped) as Store;
}
