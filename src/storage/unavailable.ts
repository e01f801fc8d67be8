import { DomainError } from '../domain/domain-error.ts';

/** The error codes of the network when the server cannot be reached. */
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
 * The error codes of PostgreSQL (appendix A of its manual) for temporary faults. Classes: connection (08), resources
 * (53), operator intervention (57), system error (58). Single codes: serialization failure, deadlock, lock not
 * available, and a server that is read-only because it is a standby.
 */
const SQLSTATE = /^(?:08|53|57|58)|^(?:40001|40P01|55P03|25006)$/;

/**
 * The messages of the driver for the same faults, which have no code. The query builder puts the statement before them.
 */
const MESSAGE =
  /(?:^| - )(?:Connection terminated|Connection ended|timeout exceeded|timeout expired|Query read timeout|Client has encountered)/;

/** Whether an error says that the database cannot answer at present, so that a later try may succeed. */
export function isUnavailable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error.name === 'KnexTimeoutError' || MESSAGE.test(error.message)) return true;
  if (!('code' in error) || typeof error.code !== 'string') return false;
  return NETWORK.has(error.code) || SQLSTATE.test(error.code);
}

/** Whether the database ended a transaction because of a conflict with another one: it may be tried again at once. */
export function isConflict(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === '40P01' || error.code === '40001');
}

/** Throws DomainError `unavailable` for a temporary error of the database, and any other error unchanged. */
export function rethrowUnavailable(error: unknown): never {
  if (isUnavailable(error))
    throw new DomainError('unavailable', 'The database cannot answer just now', { cause: error });
  throw error;
}

/** Wraps a store, so that each of its methods translates errors with {@link rethrowUnavailable}. */
export function translated<Store extends object>(store: Store): Store {
  const wrapped = Object.entries(store).map(([name, method]: [string, (...args: unknown[]) => Promise<unknown>]) => [
    name,
    (...args: unknown[]) => method(...args).catch(rethrowUnavailable),
  ]);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the same methods under the same names
  return Object.fromEntries(wrapped) as Store;
}
