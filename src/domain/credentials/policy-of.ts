import type { CompanyId } from '../ids.ts';
import type { Stores } from '../storage.ts';
import { type CredentialPolicy, stricter } from './credential-policy.ts';

/**
 * What holds for the accounts of a company, or for root accounts; the company stays until the end of the transaction.
 *
 * @param server what holds on the server, whatever a company says
 */
export async function policyOf(
  { companies }: Pick<Stores, 'companies'>,
  company: CompanyId | undefined,
  server: CredentialPolicy,
): Promise<CredentialPolicy> {
  const owner = company === undefined ? undefined : await companies.keep(company);
  return owner === undefined ? server : stricter(owner.policy, server);
}
