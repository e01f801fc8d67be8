import type { ClaimRule, ClaimValue } from '../../federation/claim-rule.ts';
import type { TrustedIssuerStore } from '../../federation/trusted-issuer-store.ts';
import type { IssuerTrust } from '../../federation/trusted-issuer.ts';
import type { CompanyId, CredentialId, RandomId, ResourceServerId } from '../../ids.ts';
import type { AudiencesByName } from '../../resource-servers/named-audience.ts';
import type { Profile } from '../../profile.ts';
import type { Audience } from '../../resource-servers/resource-server.ts';
import type { CredentialBase, Remembered } from '../credential-base.ts';
import type { CredentialPolicy } from '../credential-policy.ts';
import type { SecretHasher } from '../secret-hasher.ts';
import type { Replacement } from './rotation-key.ts';

/**
 * Everything in which one kind of credential differs from another. A new kind is one file that exports such an object,
 * and a line in `kinds.ts`: nothing else in the domain asks for the type of a credential, except the way of
 * authentication that the kind is made for.
 */
export interface CredentialKind<Credential extends CredentialBase, Wanted, Bound> {
  /** The name of the kind in a sentence, without an article. */
  readonly noun: string;
  /** The most credentials of the kind that an account may have; an expired credential does not count. */
  readonly most: number;
  /** The member of a policy that says how old a credential of the kind may become; undefined: no policy does. */
  readonly maxAge: keyof CredentialPolicy | undefined;
  /** Whether a root account that has only this credential can still put everything right. */
  readonly letsRootIn: boolean;
  /**
   * How a client authenticates with it, in the words of RFC 7591 §2; undefined: in no way that Mia's clients know.
   */
  readonly authMethod: 'client_secret_basic' | 'private_key_jwt' | undefined;
  /** A second name under which the secret is answered, beside `clientSecret`. */
  readonly secretAlias: 'apiKey' | undefined;
  /** The members of a request for a new credential that only some kinds take, and whether they must be there. */
  readonly takes: Readonly<Partial<Record<keyof TakenMembers, 'required' | 'optional'>>>;
  /** The members of a change that only some kinds take. */
  readonly changes: readonly (keyof KindChanges)[];

  /** The members of a request as the kind keeps them, with its defaults. */
  wanted(members: TakenMembers): Wanted;
  /**
   * Finds everything that a request names, and keeps it until the end of the transaction.
   *
   * @param company the company of the account: it sees its own resource servers and those of root
   * @param at the position of the credential in the body of the request, as a JSON pointer
   * @throws DomainError `invalid_value` for a name that does not exist
   */
  bind(wanted: Wanted, company: CompanyId | undefined, stores: KindStores, at: string): Promise<Bound>;
  /**
   * @throws DomainError `invalid_value` for a key that cannot be used, `already_exists` for a key that the account has
   */
  issue(
    bound: Bound,
    base: CredentialBase,
    tools: CredentialTools,
    others: OtherCredentials,
  ): Promise<Issued<Credential>>;
  /**
   * The members of the successor of a credential that only this kind has.
   *
   * @throws DomainError `invalid_value` when the kind needs a key or a certificate and there is none, or the other way
   *   round
   */
  successor(old: Credential, replacement: Replacement): Bound;
  /**
   * Makes sure that nothing to which a credential refers is deleted before the end of the transaction.
   *
   * @returns false when it has been deleted already
   */
  keepReferences(credential: Credential, stores: KindStores): Promise<boolean>;
  /** A credential after a change of the members that only this kind has. */
  change(before: Credential, changes: KindChanges): Credential;
  /**
   * Whether a change of the members that only this kind has lets a credential do more.
   *
   * @param defaultMaxTtl the longest lifetime of an assertion in seconds, unless its key has one of its own
   */
  widens(before: Credential, after: Credential, defaultMaxTtl: number): boolean;
  /** The time at which a credential ends by itself, whatever it was given; undefined: it does not. */
  endsByItself(credential: Credential): Date | undefined;
  /** The one resource server for which the credential works; undefined: it works for every resource server. */
  onlyAt(credential: Remembered<Credential>): Audience | undefined;
  /** The members that an answer of the API has beside those of every kind. */
  answered(credential: Credential): AnsweredMembers;
  /** The members that an audit event has beside those of every kind. */
  audited(credential: Credential): Readonly<Record<string, unknown>>;
  /** The members that are stored beside those of every kind. */
  stored(credential: Credential): StoredMembers;
  /** @throws Error when a member is missing that every stored credential of the kind has */
  restored(base: CredentialBase, row: RestoredMembers): Credential;
}

/** The stores that a kind may read. */
export interface KindStores {
  readonly resourceServers: AudiencesByName;
  readonly trustedIssuers: Pick<TrustedIssuerStore, 'trusted'>;
}

/** The tools with which credentials are issued. */
export interface CredentialTools {
  readonly hashSecret: SecretHasher;
  readonly randomBytes: (size: number) => Uint8Array;
  readonly randomId: RandomId;
  readonly profile: Profile;
  /** Whether a key is one of this server's own, by its thumbprint (RFC 7638). */
  readonly isOwnKey: (thumbprint: string) => boolean;
}

/** The other credentials of the account for which one is issued. */
export interface OtherCredentials {
  /** The credentials that the account has. */
  readonly existing: readonly StoredCredential[];
  /** The credentials that the same request issues. */
  readonly issued: readonly StoredCredential[];
  /** The position of the new credential in the body of the request, as a JSON pointer. */
  readonly at: string;
}

/** A credential of any kind, with the members that a kind may read of other credentials. */
export type StoredCredential = CredentialBase & { readonly type: string };

/** A new credential; its secret exists nowhere else and is answered once. */
export interface Issued<Credential> {
  readonly credential: Credential;
  readonly secret: string | undefined;
}

/** The members of a request for a new credential that only some kinds take. */
export interface TakenMembers {
  /** For an API key, the identifier of a resource server; for a federated credential, the `aud` of the tokens. */
  readonly audience?: string | undefined;
  /** The `iss` of the tokens that stand for the account. */
  readonly issuer?: string | undefined;
  readonly subject?: string | undefined;
  readonly claims?: ClaimRule['claims'] | undefined;
  readonly match?: ClaimRule['match'] | undefined;
  /** A JWK, or PEM. */
  readonly publicKey?: unknown;
  readonly assertionAudiences?: readonly string[] | undefined;
  /** Seconds. */
  readonly assertionMaxTtl?: number | undefined;
  /** PEM. */
  readonly certificate?: string | undefined;
  readonly subjectDn?: string | undefined;
  readonly sanDns?: string | undefined;
  readonly sanUri?: string | undefined;
  readonly sanIp?: string | undefined;
  readonly sanEmail?: string | undefined;
}

/** The members of a change that only some kinds take; null takes a value away. */
export interface KindChanges {
  readonly assertionAudiences?: readonly string[] | undefined;
  /** Seconds. */
  readonly assertionMaxTtl?: number | null | undefined;
}

/** The members of an answer that only some kinds have. */
export interface AnsweredMembers {
  /** The first characters of a secret, or the id of a key. */
  readonly hint: string;
  readonly audience?: string | null;
  readonly issuer?: string;
  readonly subject?: string | null;
  readonly claims?: Record<string, ClaimValue>;
  readonly match?: ClaimRule['match'];
  readonly kid?: string;
  readonly publicKey?: Record<string, unknown>;
  readonly assertionAudiences?: string[];
  /** Seconds. */
  readonly assertionMaxTtl?: number | null;
  /** PEM. */
  readonly certificate?: string;
  /** SHA-256 of the certificate. */
  readonly thumbprint?: string;
  readonly subjectDn?: string;
  readonly sanDns?: string;
  readonly sanUri?: string;
  readonly sanIp?: string;
  readonly sanEmail?: string;
}

/** The stored members that only some kinds have. */
export interface StoredMembers {
  readonly secretHash?: Buffer;
  readonly hint?: string;
  readonly kid?: string;
  readonly data?: object;
  readonly audience?: ResourceServerId;
}

/** The same members as they are read from the database; the audience has everything that tokens for it need. */
export interface RestoredMembers {
  readonly secretHash: Buffer | undefined;
  readonly hint: string | undefined;
  readonly kid: string | undefined;
  readonly data: unknown;
  readonly audience: Audience | undefined;
  /** The trusted issuer of a federated credential, as it is now. */
  readonly trust: IssuerTrust | undefined;
}

/** @throws Error when a stored credential lacks a member that its kind always has */
export function present<Value>(
  value: Value | undefined,
  name: string,
  { credentialId }: { credentialId: CredentialId },
): Value {
  if (value === undefined) throw new Error(`the stored credential ${credentialId} has no ${name}`);
  return value;
}
