import { differences } from '../audit/differences.ts';
import { type Change, STATUSES } from '../change.ts';
import type { Clock } from '../clock.ts';
import type { Limits } from '../companies/company-limits.ts';
import type { KeptCompany } from '../companies/company-store.ts';
import { assertRoom, limitsOf } from '../companies/hold-to-limits.ts';
import { DomainError } from '../domain-error.ts';
import type { CompanyId } from '../ids.ts';
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

/** The credentials of an account, which is found by its id or its slug. */
export interface Credentials {
  /** Oldest first. @throws DomainError `not_found` */
  list(company: CompanyId | undefined, account: string): Promise<readonly UsedCredential[]>;
  /** The credentials of a company, of root, or (`*`) of root and of every company. Newest first. */
  listAll(
    company: CompanyId | '*' | undefined,
    filter: CredentialFilter,
    page: PageRequest,
  ): Promise<Page<ListedCredential>>;
  /** With how often it was used on each day. @throws DomainError `not_found` */
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
  ): Promise<IssuedCredential>;
  /** @throws DomainError `not_found`, `precondition_failed`, `invalid_value`, `forbidden`, `already_exists`, `last_root` */
  change(
    caller: Caller,
    company: CompanyId | undefined,
    account: string,
    id: string,
    expected: ExpectedRevisions,
    changes: CredentialChanges,
  ): Promise<UsedCredential>;
  /**
   * Makes a successor, which takes the name, the rights and the lifetime of the old one; that goes on working for the
   * overlap, unless it is disabled.
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
   * Does the same to what got the caller's token, which takes no permission: the successor has no wider rights.
   *
   * @throws DomainError `invalid_value`, `limit_reached`, `already_rotated`, and `forbidden` where it works no longer, or
   *   the token says less than the credential may ask for
   */
  rotateOwn(caller: Caller, rotation: Rotation): Promise<IssuedCredential>;
  /**
   * Deletes it, and with it what the account itself got by rotating it.
   *
   * @param ifUnusedFor seconds: only if it has not been used for so long
   * @throws DomainError `not_found`, `precondition_failed`, `last_root`, `credential_in_use`
   */
  remove(
    caller: Caller,
    company: CompanyId | undefined,
    account: string,
    id: string,
    expected: ExpectedRevisions,
    ifUnusedFor: number | undefined,
  ): Promise<void>;
}

/** What the use cases of this noun are given. */
export interface CredentialsTools extends CredentialTools {
  readonly storage: Storage;
  readonly clock: Clock;
  /** What holds on this server, whatever a company says. */
  readonly policy: CredentialPolicy;
  /** Of companies that have no limits of their own. */
  readonly limits: Limits;
  /** Seconds that an assertion may last where its key says nothing else. */
  readonly assertionMaxTtl: number;
}

export function createCredentials(tools: CredentialsTools): Credentials {
  const { storage, clock } = tools;

  /** Does something to the credentials of one account, which nobody else changes meanwhile. */
  async function onAccount<Result>(
    caller: Caller,
    company: CompanyId | undefined,
    id: string,
    act: (locked: LockedAccount & { readonly owner: KeptCompany | undefined }) => Promise<Work<Result>>,
  ): Promise<Result> {
    return storage.write(originOf(caller), async (stores) => {
      // Before its account, as whoever changes or deletes it does.
      const owner = company === undefined ? undefined : await stores.companies.keep(company);
      const policy = policyFor(owner, tools.policy);
      return keepingARoot(stores, company, clock, async () => {
        const snapshot = (await stores.serviceAccounts.lock(company, id)) ?? noSuchAccount();
        return act({ snapshot, policy, stores, owner });
      });
    });
  }

  /** Counts a successor, for which there is room: the old credential may expire before the transaction ends. */
  async function countSuccessor({ companies }: Stores, owner: KeptCompany | undefined): Promise<void> {
    if (owner === undefined) return;
    await companies.countAdded(owner.companyId, { credentials: 1 }, limitsOf(owner, tools.limits), clock());
  }

  /** Ends the live tokens of what cannot get any more, and gives what can again a place for new ones. */
  async function settle({ statuses }: Stores, { account }: AccountSnapshot): Promise<readonly Change[]> {
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
        if (issued === undefined) throw new Error('a credential was not made');
        const { credential } = issued;
        await stores.credentials.insert(snapshot.account, [credential]);
        await assertRoom(stores, owner, tools.limits, { credentials: 1 }, clock());
        return { result: issued, audit: [entry('credential.created', snapshot, credential, audited(credential))] };
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
        // The successor takes the place of the old credential, which has none if it has expired.
        if (expired) await assertRoom(stores, owner, tools.limits, { credentials: 1 }, clock());
        else await countSuccessor(stores, owner);
        return work;
      }),

    rotateOwn: (caller, rotation) =>
      onAccount(caller, caller.company, caller.clientId, async ({ snapshot, policy, stores, owner }) => {
        const old = found(snapshot, caller.credentialId);
        assertNotRotated(old);
        assertMayRotateOwn(caller, snapshot, old, clock());
        const work = await replace({ snapshot, policy, stores }, old, { ...rotation, own: true }, tools);
        await countSuccessor(stores, owner);
        return work;
      }),

    remove: (caller, company, account, id, expected, ifUnusedFor) =>
      onAccount(caller, company, account, async ({ snapshot, stores }) => {
        const credential = found(snapshot, id);
        assertRevision(credential.revision, expected);
        // With what the account itself made of it: whoever got hold of it may have done that.
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

/** A member that is asked for without a bound takes the permission, also where the credential has it already. */
function asksForEverything({ state, lifetime, permissions, extend }: CredentialChanges): boolean {
  return state === 'enabled' || lifetime === null || permissions === null || extend === true;
}

function found({ credentials }: AccountSnapshot, id: string): Credential {
  const credential = credentials.find(({ credentialId }) => credentialId === id);
  if (credential === undefined) throw new DomainError('not_found', 'There is no such credential');
  return credential;
}
