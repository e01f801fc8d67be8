import type { ClientId, CompanyId, CredentialId, ResourceServerId } from '../ids.ts';
import type { CredentialType } from '../credentials/credential.ts';
import type { Page, PageRequest } from '../page.ts';
import type { Audience, ResourceServer } from './resource-server.ts';

/** A resource server to which a permission may be bound. */
export interface BindingCandidate extends Audience {
  /** Those of the names asked about that it declares; `any` where nothing has been declared at the default one. */
  readonly declares: ReadonlySet<string> | 'any';
}

/** Something that uses a permission of a resource server, or is for it. */
export interface Use {
  readonly by: 'service_account' | 'group' | 'role';
  readonly id: string;
  /** Undefined: it is its audience. */
  readonly permission: string | undefined;
}

/** Which resource servers are wanted. */
export interface ResourceServerFilter {
  /** Prefix of the name, whatever its case. */
  readonly search?: string | undefined;
}

/** A credential that was for a resource server, and was deleted with it. */
export interface DeletedCredential {
  readonly type: CredentialType;
  readonly credentialId: CredentialId;
  readonly clientId: ClientId;
  readonly company: CompanyId | undefined;
}

export interface ResourceServerStore {
  /** @returns false, and changes nothing, when the identifier is taken in any of its spellings */
  insert(server: ResourceServer): Promise<boolean>;
  /** One that a company sees, or root; only its own when `owned`. */
  find(company: CompanyId | undefined, id: string): Promise<ResourceServer | undefined>;
  /** The one with this identifier, in any of its spellings, whoever it belongs to. */
  named(identifier: string): Promise<Audience | undefined>;
  /** Those with these ids, as far as tokens for them go. */
  audiences(ids: readonly ResourceServerId[]): Promise<Audience[]>;
  /** As `find`, and nobody changes it or binds anything to it until the end of the transaction. */
  lock(company: CompanyId | undefined, id: string): Promise<ResourceServer | undefined>;
  /**
   * Those that a company, or root, sees: the built-in ones, those that declare one of the names, those with one of the
   * identifiers. Nobody changes them until the end of the transaction.
   */
  candidates(
    company: CompanyId | undefined,
    wanted: { readonly names: readonly string[]; readonly identifiers: readonly string[] },
  ): Promise<BindingCandidate[]>;
  /** Those that a company, or root, sees; newest first. */
  list(company: CompanyId | undefined, filter: ResourceServerFilter, page: PageRequest): Promise<Page<ResourceServer>>;
  /** With who may ask about its tokens. @param declared whether what it declares has changed as well */
  update(server: ResourceServer, declared: boolean): Promise<void>;
  /** Whether the one with this identifier names an account as one that may ask about its tokens. */
  introspects(clientId: ClientId, identifier: string): Promise<boolean>;
  /** Deletes it with the credentials that are for it. @returns those credentials */
  delete(id: ResourceServerId, at: Date): Promise<DeletedCredential[]>;
  /**
   * Who has permissions of it.
   *
   * @param except names that do not matter; undefined: none matters but all do, and whose audience it is as well
   */
  uses(id: ResourceServerId, except: readonly string[] | undefined, limit: number): Promise<Use[]>;
  /** Takes its permissions but these from everybody, every role and everything grantable. */
  withdraw(id: ResourceServerId, except: readonly string[]): Promise<void>;
}
