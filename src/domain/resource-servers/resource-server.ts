import type { ClientId, CompanyId, ResourceServerId } from '../ids.ts';
import type { SigningAlg } from '../signing-keys/signing-key.ts';

/** `typ` of access tokens: as RFC 9068 §2.1 says, or as software that came before it expects. */
export const TOKEN_TYPES = ['at+jwt', 'JWT'] as const;
export type TokenType = (typeof TOKEN_TYPES)[number];

/** A resource server as far as tokens for it go. */
export interface Audience {
  readonly resourceServerId: ResourceServerId;
  /** The company that it belongs to; undefined: it is root's, and every company sees it. */
  readonly company: CompanyId | undefined;
  /** What `aud` says, what `resource` asks for. */
  readonly identifier: string;
  /** How long tokens for it last, in seconds; undefined: as the server's settings say. */
  readonly tokenTtl: number | undefined;
  /** Undefined: as the server's settings say. */
  readonly signingAlg: SigningAlg | undefined;
  readonly tokenType: TokenType;
}

/** What somebody can get tokens for, by id. */
export type Audiences = ReadonlyMap<ResourceServerId, Audience>;

export function audiencesById(audiences: readonly Audience[]): Map<ResourceServerId, Audience> {
  return new Map(audiences.map((audience) => [audience.resourceServerId, audience]));
}

/** A name that a resource server owns. */
export interface DeclaredPermission {
  readonly name: string;
  readonly description: string | undefined;
}

/** An API: the audience of tokens, and the owner of permission names. */
export interface ResourceServer extends Audience {
  readonly name: string;
  readonly permissions: readonly DeclaredPermission[];
  /** The accounts that may ask about its tokens (RFC 7662), in alphabetical order. */
  readonly introspectedBy: readonly ClientId[];
  readonly createdAt: Date;
  /** Undefined for a built-in one. */
  readonly createdBy: ClientId | undefined;
  readonly updatedAt: Date;
  /** Counts its changes. */
  readonly revision: number;
}

/** What the settings call the two built-in ones. */
export type BuiltInIdentifiers = Readonly<Record<'management' | 'default', string>>;

export function builtInIdentifiers(config: { issuer: string; defaultAudience: string }): BuiltInIdentifiers {
  return { management: `${config.issuer}/api`, default: config.defaultAudience };
}

export function isBuiltInServer(id: ResourceServerId): id is 'management' | 'default' {
  return id === 'management' || id === 'default';
}

/** An absolute URI without a fragment (RFC 8707 §2). */
export function isAbsoluteUri(value: string): boolean {
  const url = URL.parse(value);
  return url !== null && /^[\x21-\x7E]+$/.test(value) && !value.includes('#');
}

/**
 * What two spellings of one identifier have in common: an identifier without a path matches with and without a final
 * `/`, every other exactly.
 */
export function identifierKey(identifier: string): string {
  return /^[a-z][a-z0-9+.-]*:\/\/[^/?#]+\/$/i.test(identifier) ? identifier.slice(0, -1) : identifier;
}

/** Whether what a request names is this resource server. */
export function isNamed({ identifier }: Pick<Audience, 'identifier'>, requested: string): boolean {
  return identifier === requested || identifierKey(identifier) === identifierKey(requested);
}
