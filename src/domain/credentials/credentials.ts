import { differences } from '../audit/differences.ts';
import { type Announcement, STATUSES } from '../announcement.ts';
import type { Clock } from '../clock.ts';
import type { Limits } from '../companies/company-limits.ts';
import type { KeptCompany } from '../companies/company-store.ts';
import { assertRoom, limitsOf } from '../companies/hold-to-limits.ts';
import { assertOwnSubjects } from '../federation/assert-own-subjects.ts';
import { DomainError } from '../domain-error.ts';
import type { ClientId, CompanyId } from '../ids.ts';
import type { Page, PageRequest } from '../page.ts';
import { assertRevision, type ExpectedRevisions } from '../revision.ts';
import { type Caller, originOf } from '../service-accounts/caller.ts';
import { keepingARoot } from '../service-accounts/last-root.ts';
import type { AccountSnapshot } from '../service-accounts/service-account.ts';
import { noSuchAccount } from '../service-accounts/service-accounts.ts';
import type { Storage, Stores, Work } from '../storage.ts';
import { assertUnlikeOthers, changedCredential, type CredentialChanges } from './change-credential.ts';
import { audited, entry } from './credential-audit.ts';
import { hasExpired } from './credential-base.ts';
import { type CredentialPolicy, policyFor } from './credential-policy.ts';
import type { CredentialFilter, ListedCredential } from './credential-store.ts';
import type { Credential } from './credential.ts';
import {
  assertRoomForType,
  bindCredentials,
  issueCredentials,
  type IssuedCredential,
  type WantedCredential,
} from './issue-credentials.ts';
import type { CredentialTools } from './kinds/kind.ts';
import { assertHeld, assertMayHave } from './may-have-credential.ts';
import {
  assertMayRotateOwn,
  assertNotRotated,
  type LockedAccount,
  madeOf,
  replace,
  type Rotation,
} from './rotate-credential.ts';
import type { UseCount } from './use-store.ts';
import { assertUnusedSince, type UsedCredential, useOf } from './used-credential.ts';
import { widens } from './widens.ts';

/** The use cases of credentials. They find an account by its id or its slug. */
export interface Credentials {
  /** Lists the credentials of an account, oldest first. @throws DomainError `not_found` */
  list(company: CompanyId | undefined, account: string): Promise<readonly UsedCredential[]>;
  /** Lists the credentials of a company, of root (undefined), or of root and every company (`*`), newest first. */
  listAll(
    company: CompanyId | '*' | undefined,
    filter: CredentialFilter,
    page: PageRequest,
  ): Promise<Page<ListedCredential>>;
  /** Reads a credential, with the number of its uses on each day. @throws DomainError `not_found` */
  get(
    company: CompanyId | undefined,
    account: string,
    id: string,
  ): Promise<UsedCredential & { readonly counts: readonly UseCount[] }>;
  /** @throws DomainError `not_found`, `invalid_value`, `forbidden`, `already_exists`, `limit_reached` */
  add(
    caller: Caller,
    company: CompanyId | undefined,
    account: string,
    wanted: WantedCredential,
  ): Promise<IssuedCredential & { readonly clientId: ClientId }>;
  /**
   * @throws DomainError `not_found`, `precondition_failed`, `invalid_value`, `forbidden`, `already_exists`, `last_root`
   */
  change(
    caller: Caller,
    company: CompanyId | undefined,
    account: string,
    id: string,
    expected: ExpectedRevisions,
    changes: CredentialChanges,
  ): Promise<UsedCredential>;
  /**
   * Issues a successor with the name, the rights and the lifetime of the old credential. The old credential keeps
   * working for the overlap, unless it is disabled.
   *
   * @throws DomainError `not_found`, `invalid_value`, `forbidden`, `limit_reached`, or `already_rotated` with the id of
   *   the successor
   */
  rotate(
    caller: Caller,
    company: CompanyId | undefined,
    account: string,
    id: string,
    rotation: Rotation,
  ): Promise<IssuedCredential>;
  /**
   * Rotates the credential that got the caller's token. The caller needs no permission: the successor has no wider
   * rights.
   *
   * @throws DomainError `invalid_value`, `limit_reached`, `already_rotated`, and `forbidden` when the credential does
   *   not work any more, or the token has less than the credential may ask for
   */
  rotateOwn(caller: Caller, rotation: Rotation): Promise<IssuedCredential>;
  /**
   * Deletes a credential, and with it the credentials that the account itself got by rotating it.
   *
   * @param ifUnusedFor seconds: deletes them only if none of them has been used for that long
   * @throws DomainError `not_found`, `precondition_failed`, `last_root`, `credential_in_use`
   */
  delete(
    caller: Caller,
    company: CompanyId | undefined,
    account: string,
    id: string,
    expected: ExpectedRevisions,
    ifUnusedFor: number | undefined,
  ): Promise<void>;
}

/** The tools of the use cases of credentials. */
export interface CredentialsTools extends CredentialTools {
  readonly storage: Storage;
  readonly clock: Clock;
  /** The policy of the server: a company can only make it stricter. */
  readonly policy: CredentialPolicy;
  /** The limits of companies that have none of their own. */
  readonly limits: Limits;
  /** The longest lifetime of an assertion in seconds, unless its key has one of its own. */
  readonly assertionMaxTtl: number;
}

export function createCredentials(tools: CredentialsTools): Credentials {
  const { storage, clock } = tools;

  /** Changes the credentials of one account, which is locked meanwhile. */
  async function onAccount<Result>(
    caller: Caller,
    company: CompanyId | undefined,
    id: string,
    act: (locked: LockedAccount & { readonly owner: KeptCompany | undefined }) => Promise<Work<Result>>,
  ): Promise<Result> {
    return storage.write(originOf(caller), async (stores) => {
      // Lock the company before the account: changes and deletions of a company lock in the same order.
      const owner = company === undefined ? undefined : await stores.companies.keep(company);
      const policy = policyFor(owner, tools.policy);
      return keepingARoot(stores, company, clock, async () => {
        const snapshot = (await stores.serviceAccounts.lock(company, id)) ?? noSuchAccount();
        return act({ snapshot, policy, stores, owner });
      });
    });
  }

  /**
   * Counts a successor, but does not hold the company to its limit: the successor replaces the old credential. It must
   * be counted, because the old credential may expire before the transaction ends.
   */
  async function countSuccessor({ companies }: Stores, owner: KeptCompany | undefined): Promise<void> {
    if (owner === undefined) return;
    await companies.countAdded(owner.companyId, { credentials: 1 }, limitsOf(owner, tools.limits), clock());
  }

  /**
   * Ends the tokens of credentials that cannot get tokens any more, and gives new status entries to those that can
   * again.
   */
  async function settle({ statuses }: Stores, { account }: AccountSnapshot): Promise<readonly Announcement[]> {
    await statuses.settle([account.clientId], clock());
    return STATUSES;
  }

  return {
    async list(company, account) {
      const snapshot = (await storage.read.serviceAccounts.find(company, account)) ?? noSuchAccount();
      const last = await storage.read.uses.lastOf(snapshot.account.clientId);
      return snapshot.credentials.map((credential) => ({ credential, lastUse: useOf(credential, last) }));
    },

    listAll: (company, filter, page) => storage.read.credentials.list(company, filter, page),

    async get(company, account, id) {
      const snapshot = (await storage.read.serviceAccounts.find(company, account)) ?? noSuchAccount();
      const credential = found(snapshot, id);
      const { clientId } = snapshot.account;
      const last = await storage.read.uses.lastOf(clientId);
      const counts = await storage.read.uses.countsOf(clientId, credential.credentialId);
      return { credential, lastUse: useOf(credential, last), counts };
    },

    add: (caller, company, id, wanted) =>
      onAccount(caller, company, id, async ({ snapshot, policy, stores, owner }) => {
        assertHeld(snapshot, wanted.permissions);
        await assertMayHave(stores, caller, snapshot, wanted.permissions);
        const bound = await bindCredentials(stores, company, [wanted]);
        const [issued] = await issueCredentials(bound, tools, clock(), policy, snapshot.credentials);
        if (issued === undefined) throw new Error('no credential was issued');
        const { credential } = issued;
        const { clientId } = snapshot.account;
        await assertOwnSubjects(stores, clientId, [credential]);
        await stores.credentials.insert(snapshot.account, [credential]);
        await assertRoom(stores, owner, tools.limits, { credentials: 1 }, clock());
        return {
          result: { ...issued, clientId },
          audit: [entry('credential.created', snapshot, credential, audited(credential))],
        };
      }),

    change: (caller, company, account, id, expected, changes) =>
      onAccount(caller, company, account, async ({ snapshot, policy, stores, owner }) => {
        const before = found(snapshot, id);
        assertRevision(before.revision, expected);
        const after = changedCredential(before, changes, policy, clock());
        // An expired credential that works again counts again.
        const revived = hasExpired(before, clock()) && !hasExpired(after, clock());
        if (revived) assertRoomForType(before.type, 1, snapshot.credentials, clock());
        assertUnlikeOthers(snapshot.credentials, before, changes);
        if (changes.permissions !== undefined) assertHeld(snapshot, after.permissions);
        if (asksForEverything(changes) || widens(before, after, tools.assertionMaxTtl)) {
          await assertMayHave(stores, caller, snapshot, after.permissions);
        }
        const details = differences(audited(before), audited(after), Object.keys(audited(after)));
        const lastUse = useOf(before, await stores.uses.lastOf(snapshot.account.clientId));
        if (Object.keys(details).length === 0) return { result: { credential: before, lastUse }, audit: [] };
        const next = { ...after, revision: before.revision + 1 };
        await stores.credentials.update(snapshot.account, next);
        if (revived) await assertRoom(stores, owner, tools.limits, { credentials: 1 }, clock());
        const settled = next.state === before.state ? [] : await settle(stores, snapshot);
        return {
          result: { credential: next, lastUse },
          audit: [entry('credential.changed', snapshot, before, details, settled)],
        };
      }),

    rotate: (caller, company, account, id, rotation) =>
      onAccount(caller, company, account, async ({ snapshot, policy, stores, owner }) => {
        const old = found(snapshot, id);
        assertNotRotated(old);
        await assertMayHave(stores, caller, snapshot, old.permissions);
        const expired = hasExpired(old, clock());
        const work = await replace({ snapshot, policy, stores }, old, rotation, tools);
        // The successor counts in place of the old credential. An expired credential does not count, so there must be
        // room.
        if (expired) await assertRoom(stores, owner, tools.limits, { credentials: 1 }, clock());
        else await countSuccessor(stores, owner);
        return work;
      }),

    rotateOwn: (caller, rotation) =>
      onAccount(caller, caller.company, caller.clientId, async ({ snapshot, policy, stores, owner }) => {
        if (caller.impersonatedBy !== undefined) {
          throw new DomainError('forbidden', 'No credential of this account got the token of the call');
        }
        const old = found(snapshot, caller.credentialId);
        assertNotRotated(old);
        assertMayRotateOwn(caller, snapshot, old, clock());
        const work = await replace({ snapshot, policy, stores }, old, { ...rotation, own: true }, tools);
        await countSuccessor(stores, owner);
        return work;
      }),

    delete: (caller, company, account, id, expected, ifUnusedFor) =>
      onAccount(caller, company, account, async ({ snapshot, stores }) => {
        const credential = found(snapshot, id);
        assertRevision(credential.revision, expected);
        // Delete the successors that the account itself made, too: a thief of the credential may have made them.
        const gone = [credential, ...madeOf(credential, snapshot.credentials)];
        if (ifUnusedFor !== undefined) {
          const since = new Date(clock().getTime() - ifUnusedFor * 1000);
          const uses = await stores.uses.lastOf(snapshot.account.clientId);
          for (const one of gone) assertUnusedSince(useOf(one, uses), since);
        }
        for (const { credentialId } of gone) await stores.credentials.delete(snapshot.account, credentialId);
        const settled = await settle(stores, snapshot);
        return {
          result: undefined,
          audit: gone.map((one) => entry('credential.deleted', snapshot, one, audited(one), settled)),
        };
      }),
  };
}

/**
 * Whether a change asks for the widest value of a member. The caller then needs the same rights as for adding the
 * credential, even if the credential has that value already.
 */
function asksForEverything({ state, lifetime, permissions, extend }: CredentialChanges): boolean {
  return state === 'enabled' || lifetime === null || permissions === null || extend === true;
}

function found({ credentials }: AccountSnapshot, id: string): Credential {
  const credential = credentials.find(({ credentialId }) => credentialId === id);
  if (credential === undefined) throw new DomainError('not_found', 'There is no such credential');
  return credential;
}
