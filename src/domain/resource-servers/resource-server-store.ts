import type { ClientId, CompanyId, CredentialId, ResourceServerId } from '../ids.ts';
import type { CredentialType } from '../credentials/credential.ts';
import type { Page, PageRequest } from '../page.ts';
import type { Audience, ResourceServer } from './resource-server.ts';

/** A resource server to which a permission may be bound. */
export interface BindingCandidate extends Audience {
  /** The wanted names that it declares; `any`: it is the default resource server and declares no names. */
  readonly declares: ReadonlySet<string> | 'any';
}

/** A use of a resource server: an account, group or role has one of its permissions, or has it as its audience. */
export interface Use {
  readonly by: 'service_account' | 'group' | 'role';
  readonly id: string;
  /** Undefined: the resource server is the audience of the account or of one of its API keys. */
  readonly permission: string | undefined;
}

/** A filter of resource servers; undefined members do not restrict it. */
export interface ResourceServerFilter {
  /** A prefix of the name; case does not matter. */
  readonly search?: string | undefined;
}

/** A credential that was deleted together with the resource server that it was for. */
export interface DeletedCredential {
  readonly type: CredentialType;
  readonly credentialId: CredentialId;
  readonly clientId: ClientId;
  readonly company: CompanyId | undefined;
}

export interface ResourceServerStore {
  /** @returns false, and changes nothing, when the identifier is taken in any of its spellings */
  insert(server: ResourceServer): Promise<boolean>;
  /** Finds a resource server that a company, or root, sees. */
  find(company: CompanyId | undefined, id: string): Promise<ResourceServer | undefined>;
  /** Finds a resource server of root or any company by any spelling of its identifier. */
  named(identifier: string): Promise<Audience | undefined>;
  audiences(ids: readonly ResourceServerId[]): Promise<Audience[]>;
  /** As `find`; nobody changes the resource server or binds a permission to it until the end of the transaction. */
  lock(company: CompanyId | undefined, id: string): Promise<ResourceServer | undefined>;
  /**
   * Finds the resource servers to which a company, or root, may bind permissions: the built-in ones, those that declare
   * one of the names, and those with one of the identifiers. Nobody changes them until the end of the transaction.
   */
  candidates(
    company: CompanyId | undefined,
    wanted: { readonly names: readonly string[]; readonly identifiers: readonly string[] },
  ): Promise<BindingCandidate[]>;
  /** Lists the resource servers that a company, or root, sees; newest first. */
  list(company: CompanyId | undefined, filter: ResourceServerFilter, page: PageRequest): Promise<Page<ResourceServer>>;
  /** Writes a resource server and its introspectors. @param declared whether its permission names are written, too */
  update(server: ResourceServer, declared: boolean): Promise<void>;
  /** Whether an account may introspect tokens for the resource server with this identifier. */
  introspects(clientId: ClientId, identifier: string): Promise<boolean>;
  /** Deletes a resource server and the credentials for it. @returns the deleted credentials */
  delete(id: ResourceServerId, at: Date): Promise<DeletedCredential[]>;
  /**
   * Lists the uses of a resource server.
   *
   * @param except names of permissions whose uses do not count; undefined: all permissions count, and so do the
   *   accounts and API keys that have the resource server as their audience
   */
  uses(id: ResourceServerId, except: readonly string[] | undefined, limit: number): Promise<Use[]>;
  /** Removes the permissions of a resource server, except these, from grants, roles and the grantable permissions. */
  withdraw(id: ResourceServerId, except: readonly string[]): Promise<void>;
}
