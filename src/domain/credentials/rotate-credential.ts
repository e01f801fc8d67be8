import { STATUSES } from '../change.ts';
import type { Clock } from '../clock.ts';
import { DomainError } from '../domain-error.ts';
import type { AccountSnapshot } from '../service-accounts/service-account.ts';
import type { Stores, Work } from '../storage.ts';
import { endOf, successorOf } from './change-credential.ts';
import { entry, shown } from './credential-audit.ts';
import type { CredentialPolicy } from './credential-policy.ts';
import type { Credential } from './credential.ts';
import { type CredentialTools, issueCredentials, type IssuedCredential } from './issue-credentials.ts';

/** What a rotation is to be. */
export interface Rotation {
  /** Seconds for which the old one goes on working, where it works. */
  readonly overlap: number;
  /** The new key, where it is one: a JWK, or PEM. */
  readonly publicKey: unknown;
}

/** An account that nobody else changes, and what its credentials may be. */
export interface LockedAccount {
  readonly snapshot: AccountSnapshot;
  readonly policy: CredentialPolicy;
  readonly stores: Stores;
}

/** @throws DomainError `already_rotated` with the id of the successor */
export function assertNotRotated({ state, successor }: Credential): void {
  if (state !== 'ending') return;
  throw new DomainError('already_rotated', 'It has a successor already', { existing: successor });
}

/**
 * Makes the successor of a credential, which goes on working for the overlap; one that was disabled does not.
 *
 * @param own whether the account itself does it, so that the successor goes when the old one is deleted
 * @throws DomainError `invalid_value`, `limit_reached`
 */
export async function replace(
  { snapshot, policy, stores }: LockedAccount,
  old: Credential,
  { overlap, publicKey, own = false }: Rotation & { readonly own?: boolean },
  tools: CredentialTools & { readonly clock: Clock },
): Promise<Work<IssuedCredential>> {
  const now = tools.clock();
  const others = snapshot.credentials.filter((credential) => credential !== old);
  const end = endOf(old, now, overlap);
  const ending = { ...old, state: 'ending', expiresAt: end, expiresByPolicy: false } as const;
  const wanted = { ...successorOf(old, publicKey, policy), rotatedFrom: own ? old.credentialId : undefined };
  const [issued] = await issueCredentials([wanted], tools, now, policy, [...others, ending]);
  if (issued === undefined) throw new Error('a credential was not made');
  const { credentialId: successor } = issued.credential;
  const rotated: Credential = { ...ending, successor, revision: old.revision + 1 };
  // The old one first: until it is ending it has the name.
  await stores.credentials.update(snapshot.account, rotated);
  await stores.credentials.insert(snapshot.account, [issued.credential]);
  // One that was disabled has no place for tokens, and may be given more time.
  if (old.state === 'disabled') await stores.statuses.settle([snapshot.account.clientId], now);
  const details = { successor, endsAt: end.toISOString() };
  return {
    result: issued,
    audit: [
      entry('credential.created', snapshot, issued.credential, shown(issued.credential)),
      entry('credential.rotated', snapshot, old, details, old.state === 'disabled' ? STATUSES : []),
    ],
  };
}
