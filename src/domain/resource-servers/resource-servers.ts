import { assertRoom, keepOwner } from '../companies/hold-to-limits.ts';
import type { Limits } from '../companies/company-limits.ts';
import { differences } from '../audit/differences.ts';
import type { AuditEntry, Origin } from '../audit/audit-event.ts';
import { type Change, everyoneIn, STATUSES } from '../change.ts';
import type { Clock } from '../clock.ts';
import { DomainError } from '../domain-error.ts';
import { type ClientId, type CompanyId, isClientId, newResourceServerId, type RandomId } from '../ids.ts';
import type { Page, PageRequest } from '../page.ts';
import { assertRevision, type ExpectedRevisions } from '../revision.ts';
import { type Caller, originOf } from '../service-accounts/caller.ts';
import type { SigningAlg } from '../signing-keys/signing-key.ts';
import type { Storage, Stores, Work } from '../storage.ts';
import { assertUnused, MOST_NAMED, takenFrom } from './in-use.ts';
import { type DeclaredPermission, isBuiltInServer, type ResourceServer, type TokenType } from './resource-server.ts';
import { assertDeclarable, assertIdentifier, assertTtl } from './resource-server-rules.ts';
import type { DeletedCredential, ResourceServerFilter, Use } from './resource-server-store.ts';

/** What a caller may say about a resource server. */
export interface NewResourceServer {
  readonly identifier: string;
  readonly name: string;
  readonly permissions: readonly DeclaredPermission[];
  /** Seconds. */
  readonly tokenTtl: number | undefined;
  readonly signingAlg: SigningAlg | undefined;
  readonly tokenType: TokenType;
  /** Ids of accounts. */
  readonly introspectedBy: readonly string[];
}

/** What is to become of one: undefined leaves a member as it is, null takes it away. */
export interface ResourceServerChanges {
  readonly name?: string | undefined;
  /** All of them, instead of those that it declares. */
  readonly permissions?: readonly DeclaredPermission[] | undefined;
  readonly tokenTtl?: number | null | undefined;
  readonly signingAlg?: SigningAlg | null | undefined;
  readonly tokenType?: TokenType | undefined;
  /** All of them, instead of those that it names. */
  readonly introspectedBy?: readonly string[] | undefined;
}

/** The resource servers: root's, which every company sees, and those of each company. */
export interface ResourceServers {
  /** @throws DomainError `not_found` without the company, `invalid_value`, or `already_exists` */
  register(caller: Caller, company: CompanyId | undefined, input: NewResourceServer): Promise<ResourceServer>;
  /** @throws DomainError `not_found` */
  get(company: CompanyId | undefined, id: string): Promise<ResourceServer>;
  /** Those that it sees, newest first. */
  list(company: CompanyId | undefined, filter: ResourceServerFilter, page: PageRequest): Promise<Page<ResourceServer>>;
  /**
   * @param cascade takes permissions that go from whoever has them
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
   * @param cascade takes its permissions from whoever has them, and leaves who is for it without an audience
   * @throws DomainError `not_found`, `precondition_failed`, `forbidden`, `in_use`
   */
  remove(
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
  /** The most that `tokenTtl` may be, in seconds. */
  readonly maxTtl: number;
  readonly signingKeys: SigningKeyKeeper;
  /** Of companies that have no limits of their own. */
  readonly limits: Limits;
}

/** Sees to it that there are keys for the algorithms that resource servers name. */
export interface SigningKeyKeeper {
  /** Makes and retires keys, in the transaction that has changed what is named. */
  settle(stores: Stores): Promise<AuditEntry[]>;
  /** Resolves when this node goes by what stands now. */
  refresh(): Promise<void>;
}

export function createResourceServers({
  storage,
  clock,
  randomId,
  maxTtl,
  signingKeys,
  limits,
}: ResourceServerTools): ResourceServers {
  /** As `storage.write`; this node knows the new keys before the caller is answered. */
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
    async register(caller, company, input) {
      assertIdentifier(input.identifier, company);
      assertDeclarable(input.permissions);
      assertTtl(input.tokenTtl, maxTtl);
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
        // Company, accounts, resource server: in the order in which whoever changes an account locks them.
        if (company !== undefined) await stores.companies.keep(company);
        const introspectors =
          changes.introspectedBy && (await introspectorsOf(stores.serviceAccounts, company, changes.introspectedBy));
        const before = await lockOwn(stores, company, id);
        assertRevision(before.revision, expected);
        if (before.resourceServerId === 'management') {
          throw new DomainError('forbidden', 'The management API is as it is');
        }
        const { name, permissions, tokenTtl, signingAlg, tokenType } = changes;
        if (permissions !== undefined) assertDeclarable(permissions);
        const after: ResourceServer = {
          ...before,
          name: name ?? before.name,
          permissions: permissions ?? before.permissions,
          tokenTtl: tokenTtl === undefined ? before.tokenTtl : (tokenTtl ?? undefined),
          signingAlg: signingAlg === undefined ? before.signingAlg : (signingAlg ?? undefined),
          tokenType: tokenType ?? before.tokenType,
          introspectedBy: introspectors ?? before.introspectedBy,
        };
        // A lifetime that was allowed once may stay: tokens go by the maximum of now.
        if (after.tokenTtl !== before.tokenTtl) assertTtl(after.tokenTtl, maxTtl);
        const details = differences(before, after, COMPARED);
        if (Object.keys(details).length === 0) return { names: false, result: before, audit: [] };
        const taken = permissions === undefined || takesAnything(after) ? [] : await withdraw(stores, after, cascade);
        const changed = { ...after, updatedAt: clock(), revision: before.revision + 1 };
        await stores.resourceServers.update(changed, permissions !== undefined);
        // What it is called and what it declares beside is nothing to anybody's tokens.
        const others = ['tokenTtl', 'signingAlg', 'tokenType'].some((member) => member in details);
        const audit = { ...details, ...takenFrom(taken) };
        const affected = others || taken.length > 0 ? everyoneIn(company) : [];
        return {
          names: 'signingAlg' in details,
          result: changed,
          audit: [entry('resource_server.changed', changed, audit, affected)],
        };
      }),

    remove: (caller, company, id, expected, cascade) =>
      storage.write(originOf(caller), async (stores) => {
        const server = await lockOwn(stores, company, id);
        assertRevision(server.revision, expected);
        if (isBuiltInServer(server.resourceServerId)) {
          throw new DomainError('forbidden', 'What is built in stays');
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

const COMPARED = ['name', 'permissions', 'tokenTtl', 'signingAlg', 'tokenType', 'introspectedBy'] as const;

/**
 * The accounts that may ask about tokens: of a company's resource server its own, of root's any.
 *
 * @throws DomainError `invalid_value` with a pointer for each that there is not
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
      : [{ pointer: `/introspectedBy/${index}`, message: 'is the id of no service account that is seen here' }],
  );
  if (fields.length > 0) throw new DomainError('invalid_value', 'There are no such service accounts', { fields });
  return ids;
}

/** Nothing is declared at the default one: it takes any name. */
function takesAnything({ resourceServerId, permissions }: ResourceServer): boolean {
  return resourceServerId === 'default' && permissions.length === 0;
}

/** Takes what is no longer declared from whoever has it. @throws DomainError `in_use` unless `cascade` */
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
  // Before anything of it, as whoever deletes the company does.
  if (company !== undefined) await companies.keep(company);
  const server = (await resourceServers.find(company, id)) ?? noSuchServer();
  if (server.company !== company) throw new DomainError('forbidden', "It is root's");
  return (await resourceServers.lock(company, id)) ?? noSuchServer();
}

function entry(
  action: AuditEntry['action'],
  { resourceServerId, company }: ResourceServer,
  details: Readonly<Record<string, unknown>>,
  changes: readonly Change[] = [],
): AuditEntry {
  return { action, target: resourceServerId, company, details, changes };
}

/** Where the account is at home, it is to be read that its key is gone. */
function credentialDeleted({ type, credentialId, clientId, company }: DeletedCredential): AuditEntry {
  const details = { clientId, type };
  return { action: 'credential.deleted', target: credentialId, company, details, changes: [] };
}

function noSuchServer(): never {
  throw new DomainError('not_found', 'There is no such resource server');
}
