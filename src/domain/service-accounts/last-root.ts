import type { Clock } from '../clock.ts';
import { waysIn } from '../credentials/ways-in.ts';
import { DomainError } from '../domain-error.ts';
import type { CompanyId } from '../ids.ts';
import type { Stores } from '../storage.ts';

/**
 * Changes a root account, or an account of a company, and undoes the change if no root account is left that can put
 * everything right: without such an account nobody could ever grant anything again.
 *
 * @param company the company of the account; undefined: the account is a root account
 * @param act makes the change
 * @throws DomainError `last_root`
 */
export async function keepingARoot<Result>(
  { serviceAccounts }: Stores,
  company: CompanyId | undefined,
  clock: Clock,
  act: () => Promise<Result>,
): Promise<Result> {
  if (company !== undefined) return act();
  // Lock first: two callers who each take away the other's last root account must wait for one another.
  await serviceAccounts.lockRoots();
  const result = await act();
  const left = await serviceAccounts.credentialsOfRoots();
  if (!left.some((credentials) => waysIn(credentials, clock()).length > 0)) {
    throw new DomainError('last_root', 'The last working root account that may grant everything must stay as it is');
  }
  return result;
}
