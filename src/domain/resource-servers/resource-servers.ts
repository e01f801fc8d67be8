import { assertRoom, keepOwner } from '../companies/hold-to-limits.ts';
import type { Limits } from '../companies/company-limits.ts';
import { differences } from '../audit/differences.ts';
import type { AuditEntry, Origin } from '../audit/audit-event.ts';
import { type Announcement, everyoneIn, STATUSES } from '../announcement.ts';
import type { SenderConstraint } from '../possession/sender-constraint.ts';
import type { Clock } from '../clock.ts';
import type { Profile } from '../profile.ts';
import { DomainError } from '../domain-error.ts';
import { type ClientId, type CompanyId, isClientId, newResourceServerId, type RandomId } from '../ids.ts';
import type { Page, PageRequest } from '../page.ts';
import { assertRevision, type ExpectedRevisions } from '../revision.ts';
import { type Caller, originOf } from '../service-accounts/caller.ts';
import type { SigningAlg } from '../signing-keys/signing-key.ts';
import type { Storage, Stores, Work } from '../storage.ts';
import { assertUnused, MOST_NAMED, takenFrom } from './in-use.ts';
import { type DeclaredPermission, isBuiltInServer, type ResourceServer, type TokenType } from './resource-server.ts';
import { assertAlg, assertDeclarable, assertIdentifier, assertTtl } from './resource-server-rules.ts';
import type { DeletedCredential, ResourceServerFilter, Use } from './resource-server-store.ts';

/** The input for creating a resource server. */
export interface NewResourceServer {
  readonly identifier: string;
  readonly name: string;
  readonly permissions: readonly DeclaredPermission[];
  /** Seconds. */
  readonly tokenTtl: number | undefined;
  readonly signingAlg: SigningAlg | undefined;
  readonly tokenType: TokenType;
  readonly senderConstraint: SenderConstraint;
  /** The ids of accounts that may introspect tokens for the resource server. */
  readonly introspectedBy: readonly string[];
}

/** The wanted changes of a resource server. Undefined leaves a member as it is; null deletes it. */
export interface ResourceServerChanges {
  readonly name?: string | undefined;
  /** All declared permissions, instead of the present ones. */
  readonly permissions?: readonly DeclaredPermission[] | undefined;
  readonly tokenTtl?: number | null | undefined;
  readonly signingAlg?: SigningAlg | null | undefined;
  readonly tokenType?: TokenType | undefined;
  readonly senderConstraint?: SenderConstraint | undefined;
  /** All introspectors, instead of the present ones. */
  readonly introspectedBy?: readonly string[] | undefined;
}

/** The use cases of resource servers. Every company sees root's resource servers and its own. */
export interface ResourceServers {
  /** @throws DomainError `not_found` if there is no such company, `invalid_value`, `already_exists`, `limit_reached` */
  create(caller: Caller, company: CompanyId | undefined, input: NewResourceServer): Promise<ResourceServer>;
  /** @throws DomainError `not_found` */
  get(company: CompanyId | undefined, id: string): Promise<ResourceServer>;
  /** Lists the resource servers that a company, or root, sees; newest first. */
  list(company: CompanyId | undefined, filter: ResourceServerFilter, page: PageRequest): Promise<Page<ResourceServer>>;
  /**
   * @param cascade whether deleted permissions are removed from their holders; false: a used permission is refused
   * @throws DomainError `not_found`, `precondition_failed`, `invalid_value`, `forbidden`, `in_use`
   */
  change(
    caller: Caller,
    company: CompanyId | undefined,
    id: string,
    expected: ExpectedRevisions,
    changes: ResourceServerChanges,
    cascade: boolean,
  ): Promise<ResourceServer>;
  /**
   * @param cascade whether its permissions are removed from their holders, and accounts lose it as their audience;
   *   false: a used resource server is refused
   * @throws DomainError `not_found`, `precondition_failed`, `forbidden`, `in_use`
   */
  delete(
    caller: Caller,
    company: CompanyId | undefined,
    id: string,
    expected: ExpectedRevisions,
    cascade: boolean,
  ): Promise<void>;
}

export interface ResourceServerTools {
  readonly storage: Storage;
  readonly clock: Clock;
  readonly randomId: RandomId;
  /** The greatest `tokenTtl`, in seconds. */
  readonly maxTtl: number;
  readonly profile: Profile;
  readonly signingKeys: SigningKeyKeeper;
  /** The limits of companies without limits of their own. */
  readonly limits: Limits;
}

/** Keeps signing keys for all algorithms that resource servers name. */
export interface SigningKeyKeeper {
  /** Generates and retires keys, in the transaction that has changed the named algorithms. */
  settle(stores: Stores): Promise<AuditEntry[]>;
  /** Resolves when this node uses the keys of the database. */
  refresh(): Promise<void>;
}

export function createResourceServers({
  storage,
  clock,
  randomId,
  maxTtl,
  profile,
  signingKeys,
  limits,
}: ResourceServerTools): ResourceServers {
  /** As `storage.write`; this node uses new signing keys before the caller gets its answer. */
  async function writing(
    origin: Origin,
    work: (stores: Stores) => Promise<Work<ResourceServer> & { readonly names: boolean }>,
  ): Promise<ResourceServer> {
    let settled = false;
    const result = await storage.write(origin, async (stores) => {
      const { names, audit, ...done } = await work(stores);
      const keys = names ? await signingKeys.settle(stores) : [];
      settled = keys.length > 0;
      return { ...done, audit: [...audit, ...keys] };
    });
    if (settled) await signingKeys.refresh();
    return result;
  }

  return {
    async create(caller, company, input) {
      assertIdentifier(input.identifier, company);
      assertDeclarable(input.permissions);
      assertTtl(input.tokenTtl, maxTtl);
      assertAlg(input.signingAlg, profile);
      const now = clock();
      const base = {
        ...input,
        resourceServerId: newResourceServerId(randomId),
        company,
        createdAt: now,
        createdBy: caller.clientId,
        updatedAt: now,
        revision: 1,
      };
      return writing(originOf(caller), async (stores) => {
        const { resourceServers, serviceAccounts } = stores;
        const owner = await keepOwner(stores, company);
        const introspectedBy = await introspectorsOf(serviceAccounts, company, input.introspectedBy);
        const server: ResourceServer = { ...base, introspectedBy };
        const taken = await resourceServers.named(input.identifier);
        if (taken !== undefined || !(await resourceServers.insert(server))) {
          const existing = taken?.company === company ? taken?.resourceServerId : undefined;
          throw new DomainError('already_exists', `A resource server with the identifier ${input.identifier} exists`, {
            fields: [{ pointer: '/identifier', message: 'is taken' }],
            ...(existing !== undefined && { existing }),
          });
        }
        await assertRoom(stores, owner, limits, { resourceServers: 1 }, now);
        const { identifier, name } = server;
        const permissions = input.permissions.map((declared) => declared.name);
        return {
          names: server.signingAlg !== undefined,
          result: server,
          audit: [entry('resource_server.created', server, { identifier, name, permissions, introspectedBy })],
        };
      });
    },

    get: async (company, id) => (await storage.read.resourceServers.find(company, id)) ?? noSuchServer(),

    list: (company, filter, page) => storage.read.resourceServers.list(company, filter, page),

    change: (caller, company, id, expected, changes, cascade) =>
      writing(originOf(caller), async (stores) => {
        // Lock company, accounts and resource server in this order: changes of accounts lock them in the same order.
        if (company !== undefined) await stores.companies.keep(company);
        const introspectors =
          changes.introspectedBy && (await introspectorsOf(stores.serviceAccounts, company, changes.introspectedBy));
        const before = await lockOwn(stores, company, id);
        assertRevision(before.revision, expected);
        if (before.resourceServerId === 'management') {
          throw new DomainError('forbidden', 'The management API cannot be changed');
        }
        const { name, permissions, tokenTtl, signingAlg, tokenType, senderConstraint } = changes;
        if (permissions !== undefined) assertDeclarable(permissions);
        const after: ResourceServer = {
          ...before,
          name: name ?? before.name,
          permissions: permissions ?? before.permissions,
          tokenTtl: tokenTtl === undefined ? before.tokenTtl : (tokenTtl ?? undefined),
          signingAlg: signingAlg === undefined ? before.signingAlg : (signingAlg ?? undefined),
          tokenType: tokenType ?? before.tokenType,
          senderConstraint: senderConstraint ?? before.senderConstraint,
          introspectedBy: introspectors ?? before.introspectedBy,
        };
        // An unchanged lifetime may exceed the maximum: the server cuts the lifetime of every token to its maximum.
        if (after.tokenTtl !== before.tokenTtl) assertTtl(after.tokenTtl, maxTtl);
        if (after.signingAlg !== before.signingAlg) assertAlg(after.signingAlg, profile);
        const details = differences(before, after, COMPARED);
        if (Object.keys(details).length === 0) return { names: false, result: before, audit: [] };
        const taken = permissions === undefined || takesAnything(after) ? [] : await withdraw(stores, after, cascade);
        const changed = { ...after, updatedAt: clock(), revision: before.revision + 1 };
        await stores.resourceServers.update(changed, permissions !== undefined);
        // Only these members and removed permissions change tokens; other changes need no announcement.
        const others = CHANGING_TOKENS.some((member) => member in details);
        const audit = { ...details, ...takenFrom(taken) };
        const affected = others || taken.length > 0 ? everyoneIn(company) : [];
        return {
          names: 'signingAlg' in details,
          result: changed,
          audit: [entry('resource_server.changed', changed, audit, affected)],
        };
      }),

    delete: (caller, company, id, expected, cascade) =>
      storage.write(originOf(caller), async (stores) => {
        const server = await lockOwn(stores, company, id);
        assertRevision(server.revision, expected);
        if (isBuiltInServer(server.resourceServerId)) {
          throw new DomainError('forbidden', 'A built-in resource server cannot be deleted');
        }
        const { resourceServers } = stores;
        const uses = await resourceServers.uses(server.resourceServerId, undefined, MOST_NAMED + 1);
        if (!cascade) assertUnused(uses);
        const keys = await resourceServers.delete(server.resourceServerId, clock());
        const { identifier, name } = server;
        const details = { identifier, name, ...takenFrom(uses) };
        return {
          result: undefined,
          audit: [
            ...keys.map(credentialDeleted),
            entry('resource_server.deleted', server, details, [...everyoneIn(company), ...STATUSES]),
          ],
        };
      }),
  };
}

/** The members that change tokens, beside the permissions. */
const CHANGING_TOKENS = ['tokenTtl', 'signingAlg', 'tokenType', 'senderConstraint'] as const;

const COMPARED = ['name', 'permissions', ...CHANGING_TOKENS, 'introspectedBy'] as const;

/**
 * Finds the introspectors of a resource server. A company may name its own accounts, root may name every account.
 *
 * @throws DomainError `invalid_value` with a pointer for each account that does not exist
 */
async function introspectorsOf(
  { known }: Stores['serviceAccounts'],
  company: CompanyId | undefined,
  wanted: readonly string[],
): Promise<ClientId[]> {
  const ids = await known(company, wanted.filter(isClientId));
  const fields = wanted.flatMap((id, index) =>
    ids.some((clientId) => clientId === id)
      ? []
      : [{ pointer: `/introspectedBy/${index}`, message: 'is not the id of a service account that is visible here' }],
  );
  if (fields.length > 0) throw new DomainError('invalid_value', 'There are no such service accounts', { fields });
  return ids;
}

/** Whether a resource server accepts any permission name: the default one does so while it declares none. */
function takesAnything({ resourceServerId, permissions }: ResourceServer): boolean {
  return resourceServerId === 'default' && permissions.length === 0;
}

/**
 * Removes the permissions that are not declared after a change from their holders.
 *
 * @returns the holders that have lost permissions
 * @throws DomainError `in_use` if there are such holders, unless `cascade`
 */
async function withdraw({ resourceServers }: Stores, server: ResourceServer, cascade: boolean): Promise<Use[]> {
  const { resourceServerId } = server;
  const stay = server.permissions.map(({ name }) => name);
  const uses = await resourceServers.uses(resourceServerId, stay, MOST_NAMED + 1);
  if (!cascade) assertUnused(uses);
  await resourceServers.withdraw(resourceServerId, stay);
  return uses;
}

async function lockOwn(
  { companies, resourceServers }: Stores,
  company: CompanyId | undefined,
  id: string,
): Promise<ResourceServer> {
  // Lock the company before the resource server: the deletion of a company locks in the same order.
  if (company !== undefined) await companies.keep(company);
  const server = (await resourceServers.find(company, id)) ?? noSuchServer();
  if (server.company !== company) throw new DomainError('forbidden', "The resource server is root's");
  return (await resourceServers.lock(company, id)) ?? noSuchServer();
}

function entry(
  action: AuditEntry['action'],
  { resourceServerId, company }: ResourceServer,
  details: Readonly<Record<string, unknown>>,
  announces: readonly Announcement[] = [],
): AuditEntry {
  return { action, target: resourceServerId, company, details, announces };
}

/** The audit entry of a deleted credential: it names the company of the account, so that the company can read it. */
function credentialDeleted({ type, credentialId, clientId, company }: DeletedCredential): AuditEntry {
  const details = { clientId, type };
  return { action: 'credential.deleted', target: credentialId, company, details, announces: [] };
}

function noSuchServer(): never {
  throw new DomainError('not_found', 'There is no such resource server');
}
