import type { SenderConstraint } from '../possession/sender-constraint.ts';
import type { ClientId, CompanyId, ResourceServerId } from '../ids.ts';
import type { SigningAlg } from '../signing-keys/signing-key.ts';

/** The `typ` of access tokens: that of RFC 9068 §2.1, or the one that older software expects. */
export const TOKEN_TYPES = ['at+jwt', 'JWT'] as const;
export type TokenType = (typeof TOKEN_TYPES)[number];

/** The members of a resource server that decide about tokens for it. */
export interface Audience {
  readonly resourceServerId: ResourceServerId;
  /** The company that the resource server belongs to; undefined: root, and every company sees the resource server. */
  readonly company: CompanyId | undefined;
  /** The value of `aud` in tokens, and of `resource` in token requests. */
  readonly identifier: string;
  /** The lifetime of tokens, in seconds; undefined: the server's setting holds. */
  readonly tokenTtl: number | undefined;
  /** The algorithm that signs tokens; undefined: the server's setting holds. */
  readonly signingAlg: SigningAlg | undefined;
  readonly tokenType: TokenType;
  /** The proof of possession that tokens for it need. */
  readonly senderConstraint: SenderConstraint;
}

/** Resource servers by their ids. */
export type Audiences = ReadonlyMap<ResourceServerId, Audience>;

export function audiencesById(audiences: readonly Audience[]): Map<ResourceServerId, Audience> {
  return new Map(audiences.map((audience) => [audience.resourceServerId, audience]));
}

/** A permission name that a resource server declares. */
export interface DeclaredPermission {
  readonly name: string;
  readonly description: string | undefined;
}

/** An API: the audience of tokens, and the owner of permission names. */
export interface ResourceServer extends Audience {
  readonly name: string;
  readonly permissions: readonly DeclaredPermission[];
  /** The accounts that may introspect tokens for the resource server (RFC 7662), in alphabetical order. */
  readonly introspectedBy: readonly ClientId[];
  readonly createdAt: Date;
  /** Undefined for a built-in resource server. */
  readonly createdBy: ClientId | undefined;
  readonly updatedAt: Date;
  /** Counts the changes of the resource server. */
  readonly revision: number;
}

/** The identifiers of the two built-in resource servers, which the settings decide. */
export type BuiltInIdentifiers = Readonly<Record<'management' | 'default', string>>;

export function builtInIdentifiers(config: { issuer: string; defaultAudience: string }): BuiltInIdentifiers {
  return { management: `${config.issuer}/api`, default: config.defaultAudience };
}

export function isBuiltInServer(id: ResourceServerId): id is 'management' | 'default' {
  return id === 'management' || id === 'default';
}

/** Whether a string is an absolute URI without a fragment (RFC 8707 §2). */
export function isAbsoluteUri(value: string): boolean {
  const url = URL.parse(value);
  return url !== null && /^[\x21-\x7E]+$/.test(value) && !value.includes('#');
}

/**
 * Returns the same key for all spellings of an identifier. A final `/` does not matter if the identifier has no path;
 * otherwise there is only one spelling.
 */
export function identifierKey(identifier: string): string {
  return /^[a-z][a-z0-9+.-]*:\/\/[^/?#]+\/$/i.test(identifier) ? identifier.slice(0, -1) : identifier;
}

/** Whether a requested identifier names this resource server. */
export function isNamed({ identifier }: Pick<Audience, 'identifier'>, requested: string): boolean {
  return identifier === requested || identifierKey(identifier) === identifierKey(requested);
}
