import { DomainError } from '../domain-error.ts';
import type { Stores } from '../storage.ts';
import type { ServiceAccount } from './service-account.ts';

/** Permissions and roles of one account. */
const MOST_GRANTS = 1000;
/** Bytes of JSON. */
const MOST_METADATA = 4096;

/**
 * Rules for an account as it would stand, whichever way it came to be so.
 *
 * @throws DomainError `invalid_value`
 */
export function assertFits({ tokenTtl, metadata }: ServiceAccount, { tokenMaxTtl }: { tokenMaxTtl: number }): void {
  if (tokenTtl !== undefined && tokenTtl > tokenMaxTtl) {
    throw new DomainError('invalid_value', 'Tokens may not last so long', {
      fields: [{ pointer: '/tokenTtl', message: `must be at most ${tokenMaxTtl} seconds on this server` }],
    });
  }
  const size = Buffer.byteLength(JSON.stringify(metadata));
  if (size > MOST_METADATA) {
    throw new DomainError('invalid_value', 'There is too much metadata', {
      fields: [{ pointer: '/metadata', message: `must be at most ${MOST_METADATA} bytes of JSON, not ${size}` }],
    });
  }
}

/** @throws DomainError `limit_reached` */
export function assertNumberOfGrants(count: number): void {
  if (count > MOST_GRANTS) {
    throw new DomainError('limit_reached', `An account has at most ${MOST_GRANTS} permissions and roles`);
  }
}

/**
 * Does something to a root account, and undoes it unless one is left through which everything can be put right: without
 * one nobody could ever grant anything again.
 *
 * @throws DomainError `last_root`
 */
export async function keepingARoot<Result>(
  { serviceAccounts }: Stores,
  { company }: Pick<ServiceAccount, 'company'>,
  act: () => Promise<Result>,
): Promise<Result> {
  if (company !== undefined) return act();
  // Before: two who each take away another one's last account must come one after the other.
  await serviceAccounts.lockRoots();
  const result = await act();
  if ((await serviceAccounts.lockRoots({ working: true })).length === 0) {
    throw new DomainError('last_root', 'The last working root account that may grant everything must stay as it is');
  }
  return result;
}
