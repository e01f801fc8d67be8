import type { ClientId } from '../ids.ts';
import type { RememberedAccount } from '../service-accounts/remembered-account.ts';
import { exactSubject } from './assert-own-subjects.ts';
import type { ExternalToken } from './check-external-token.ts';

/**
 * Finds the account for which an external token stands that names none: the only one that has a rule with exactly its
 * issuer and subject.
 *
 * @param mayAsk whether the database may be asked; if not, a subject that this node does not remember has no account
 */
export type FindSubjectOwner = (token: ExternalToken, mayAsk: boolean) => Promise<ClientId | undefined>;

/** The accounts of the subjects that were found, by issuer and subject. */
export interface SubjectOwners {
  get(name: string): ClientId | undefined;
  set(name: string, owner: ClientId): unknown;
}

/**
 * Creates the finder. It asks the database once for a subject, and remembers the account for as long as the account has
 * a rule for the subject: meanwhile no other account can get one.
 */
export function createSubjectOwnerFinder({
  ownerOf,
  owners,
  find,
  remembers,
}: {
  readonly ownerOf: (issuer: string, subject: string) => Promise<ClientId | undefined>;
  readonly owners: SubjectOwners;
  /** Finds an account in the memory of this node, or else in the database. */
  readonly find: (clientId: ClientId) => Promise<RememberedAccount | undefined> | RememberedAccount | undefined;
  /** Whether `find` would answer without asking the database. */
  readonly remembers: (clientId: ClientId) => boolean;
}): FindSubjectOwner {
  async function hasRule(clientId: ClientId, issuer: string, subject: string): Promise<boolean> {
    const snapshot = await find(clientId);
    return (snapshot?.credentials ?? []).some(
      (one) => one.type === 'federated' && one.issuer === issuer && exactSubject(one) === subject,
    );
  }

  return async ({ issuer, claims: { sub } }, mayAsk) => {
    if (typeof sub !== 'string') return undefined;
    const name = JSON.stringify([issuer, sub]);
    const known = owners.get(name);
    if (known !== undefined && (mayAsk || remembers(known)) && (await hasRule(known, issuer, sub))) return known;
    const owner = mayAsk ? await ownerOf(issuer, sub) : undefined;
    if (owner !== undefined) owners.set(name, owner);
    return owner;
  };
}
