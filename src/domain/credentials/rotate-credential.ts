import { STATUSES } from '../change.ts';
import type { Clock } from '../clock.ts';
import { DomainError } from '../domain-error.ts';
import type { CredentialId } from '../ids.ts';
import type { Caller } from '../service-accounts/caller.ts';
import type { AccountSnapshot } from '../service-accounts/service-account.ts';
import type { Stores, Work } from '../storage.ts';
import { heldAt } from '../tokens/plan-token.ts';
import { endOf, successorOf } from './change-credential.ts';
import { audited, entry } from './credential-audit.ts';
import { whyUnusable } from './credential-base.ts';
import type { CredentialPolicy } from './credential-policy.ts';
import type { Credential } from './credential.ts';
import { issueCredentials, type IssuedCredential } from './issue-credentials.ts';
import type { CredentialTools } from './kinds/kind.ts';
import { kindOf } from './kinds/kinds.ts';
import { whyRefused } from './why-refused.ts';

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

/** What a credential was rotated from in the first place, by the account itself; else it begins a chain of its own. */
function originOfChain({ rotatedFrom, credentialId }: Credential): CredentialId {
  return rotatedFrom ?? credentialId;
}

/** Those before it in its chain that have ended. */
function endedBefore(credential: Credential, all: readonly Credential[], now: Date): Credential[] {
  return all.filter(
    (one) =>
      one !== credential &&
      originOfChain(one) === originOfChain(credential) &&
      one.state === 'ending' &&
      whyUnusable(one, now) === 'credential_expired',
  );
}

/** All that the account itself made of a credential, in however many steps. */
export function madeOf(credential: Credential, all: readonly Credential[]): Credential[] {
  const origin = originOfChain(credential);
  return all.filter((one) => one.rotatedFrom === origin && one !== credential && one.createdAt >= credential.createdAt);
}

/**
 * An account rotates a credential that works, with a token that says all that it may ask for at the management API: a
 * token that was narrowed, or outlived its credential, is not to become a credential.
 *
 * @throws DomainError `forbidden`
 */
export function assertMayRotateOwn(caller: Caller, snapshot: AccountSnapshot, old: Credential, now: Date): void {
  if (whyRefused(old, snapshot, now) !== undefined) {
    throw new DomainError('forbidden', 'The credential that got this token works no longer');
  }
  const all = heldAt(snapshot, 'management', old.permissions);
  if (!all.every((permission) => caller.permissions.has(permission))) {
    throw new DomainError('forbidden', 'The token says less than its credential may ask for: get one without scope');
  }
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
  if (!(await kindOf(old).keepReferences(old, stores))) {
    throw new DomainError('not_found', 'There is no such credential');
  }
  // Nobody is told of so many: what a machine rotates by itself has no end otherwise.
  const ended = own ? endedBefore(old, snapshot.credentials, now) : [];
  for (const { credentialId } of ended) await stores.credentials.delete(snapshot.account, credentialId);
  const others = snapshot.credentials.filter((credential) => credential !== old && !ended.includes(credential));
  const end = endOf(old, now, overlap);
  const ending = { ...old, state: 'ending', expiresAt: end, expiresByPolicy: false } as const;
  const wanted = { ...successorOf(old, publicKey, policy), rotatedFrom: own ? originOfChain(old) : undefined };
  const [issued] = await issueCredentials([wanted], tools, now, policy, [...others, ending]);
  if (issued === undefined) throw new Error('a credential was not made');
  const { credentialId: successor } = issued.credential;
  const rotated: Credential = { ...ending, successor, revision: old.revision + 1 };
  // The old one first: until it is ending it has the name.
  await stores.credentials.update(snapshot.account, rotated);
  await stores.credentials.insert(snapshot.account, [issued.credential]);
  // One that was disabled has no place for tokens, and may be given more time; those that are gone keep theirs otherwise.
  const settles = old.state === 'disabled' || ended.length > 0;
  if (settles) await stores.statuses.settle([snapshot.account.clientId], now);
  const details = { successor, endsAt: end.toISOString() };
  return {
    result: issued,
    audit: [
      entry('credential.created', snapshot, issued.credential, audited(issued.credential)),
      entry('credential.rotated', snapshot, old, details, settles ? STATUSES : []),
    ],
  };
}
