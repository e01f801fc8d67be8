import { assertMayHave } from '../credentials/may-have-credential.ts';
import { DomainError } from '../domain-error.ts';
import type { CompanyId } from '../ids.ts';
import type { Caller } from '../service-accounts/caller.ts';
import type { Stores } from '../storage.ts';

/** The most accounts whose rights are compared with those of a caller. */
const MOST_COMPARED = 100;

/**
 * Asserts that a caller may say whose tokens are those of an issuer. By the keys of the issuer, the caller could sign
 * tokens for every account that has a rule for the issuer, and do everything that these accounts may do.
 *
 * @param company the owner of the trusted issuer; undefined: root
 * @throws DomainError `forbidden` when one of the accounts may do more than the caller
 */
export async function assertMayVouch(
  stores: Stores,
  caller: Caller,
  company: CompanyId | undefined,
  issuer: string,
): Promise<void> {
  const accounts = await stores.trustedIssuers.accountsWithRules(company, issuer, MOST_COMPARED + 1);
  if (accounts.length > MOST_COMPARED && !caller.permissions.has('writ.permissions.grant')) {
    throw new DomainError(
      'forbidden',
      `More than ${MOST_COMPARED} accounts have rules for this issuer: it takes a root account with writ.permissions.grant`,
    );
  }
  for (const clientId of accounts) {
    const snapshot = await stores.serviceAccounts.findSnapshot(clientId);
    if (snapshot !== undefined) await assertMayHave(stores, caller, snapshot, undefined);
  }
}
