import { STATUSES } from '../announcement.ts';
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
import type { Replacement } from './kinds/rotation-key.ts';
import { whyRefused } from './why-refused.ts';

/** The parameters of a rotation. */
export interface Rotation extends Replacement {
  /** Seconds for which the old credential keeps working, unless it is disabled or expires earlier. */
  readonly overlap: number;
}

/** An account that is locked until the end of the transaction, and the policy for its credentials. */
export interface LockedAccount {
  readonly snapshot: AccountSnapshot;
  readonly policy: CredentialPolicy;
  readonly stores: Stores;
}

/** @throws DomainError `already_rotated` with the id of the successor */
export function assertNotRotated({ state, successor }: Credential): void {
  if (state !== 'ending') return;
  throw new DomainError('already_rotated', 'The credential has a successor already', { existing: successor });
}

/** The first credential of the chain of rotations by the account itself; a credential outside a chain begins one. */
function originOfChain({ rotatedFrom, credentialId }: Credential): CredentialId {
  return rotatedFrom ?? credentialId;
}

/** The other credentials of the chain that have ended. */
function endedBefore(credential: Credential, all: readonly Credential[], now: Date): Credential[] {
  return all.filter(
    (one) =>
      one !== credential &&
      originOfChain(one) === originOfChain(credential) &&
      one.state === 'ending' &&
      whyUnusable(one, now) === 'credential_expired',
  );
}

/** All credentials that the account itself got by rotating a credential, in one or more steps. */
export function madeOf(credential: Credential, all: readonly Credential[]): Credential[] {
  const origin = originOfChain(credential);
  return all.filter((one) => one.rotatedFrom === origin && one !== credential && one.createdAt >= credential.createdAt);
}

/**
 * Asserts that an account may rotate its own credential: the credential works, and the token has everything that the
 * credential may ask for at the management API. Otherwise the holder of a narrowed token, or of a token that has
 * outlived its credential, could turn the token into a credential.
 *
 * @throws DomainError `forbidden`
 */
export function assertMayRotateOwn(caller: Caller, snapshot: AccountSnapshot, old: Credential, now: Date): void {
  if (whyRefused(old, snapshot, now) !== undefined) {
    throw new DomainError('forbidden', 'The credential that got this token works no longer');
  }
  const all = heldAt(snapshot, 'management', old.permissions);
  if (!all.every((permission) => caller.permissions.has(permission))) {
    throw new DomainError('forbidden', 'The token has less than its credential may ask for: get a token without scope');
  }
}

/**
 * Issues the successor of a credential. The old credential keeps working for the overlap, unless it is disabled.
 *
 * @param own whether the account itself rotates: the successor is then deleted together with the old credential
 * @throws DomainError `invalid_value`, `limit_reached`, `not_found`
 */
export async function replace(
  { snapshot, policy, stores }: LockedAccount,
  old: Credential,
  { overlap, own = false, ...replacement }: Rotation & { readonly own?: boolean },
  tools: CredentialTools & { readonly clock: Clock },
): Promise<Work<IssuedCredential>> {
  const now = tools.clock();
  if (!(await kindOf(old).keepReferences(old, stores))) {
    throw new DomainError('not_found', 'There is no such credential');
  }
  // Delete the ended credentials of the chain: a machine that rotates by itself would pile them up.
  const ended = own ? endedBefore(old, snapshot.credentials, now) : [];
  for (const { credentialId } of ended) await stores.credentials.delete(snapshot.account, credentialId);
  const others = snapshot.credentials.filter((credential) => credential !== old && !ended.includes(credential));
  const end = endOf(old, now, overlap);
  const ending = { ...old, state: 'ending', expiresAt: end, expiresByPolicy: false } as const;
  const wanted = { ...successorOf(old, replacement, policy), rotatedFrom: own ? originOfChain(old) : undefined };
  const [issued] = await issueCredentials([wanted], tools, now, policy, [...others, ending]);
  if (issued === undefined) throw new Error('no credential was issued');
  const { credentialId: successor } = issued.credential;
  const rotated: Credential = { ...ending, successor, revision: old.revision + 1 };
  // Update the old credential first: it keeps the name until it is ending.
  await stores.credentials.update(snapshot.account, rotated);
  await stores.credentials.insert(snapshot.account, [issued.credential]);
  // A disabled credential has no status entry, and needs one if it gets more time. The status entries of the deleted
  // credentials must be revoked.
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
