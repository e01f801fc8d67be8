import { MANAGEMENT_PERMISSIONS } from './management-permissions.ts';

/** Which resource server a grant is bound to. The two built-in ones are known by these fixed ids. */
export type ResourceServerId = 'management' | 'default';

/** An API: the audience of tokens, and the owner of permission names. */
export interface ResourceServer {
  readonly resourceServerId: ResourceServerId;
  /** What `aud` says, what `resource` asks for. */
  readonly identifier: string;
  /** The names declared here; `any` where none have been declared, so that whoever has one API declares nothing. */
  readonly permissions: ReadonlySet<string> | 'any';
}

export type ResourceServers = ReadonlyMap<ResourceServerId, ResourceServer>;

/** The two resource servers that are always there: the management API, and the default one. */
export function builtInResourceServers(config: { issuer: string; defaultAudience: string }): ResourceServers {
  const management: ResourceServer = {
    resourceServerId: 'management',
    identifier: `${config.issuer}/api`,
    permissions: new Set(MANAGEMENT_PERMISSIONS),
  };
  const standard: ResourceServer = {
    resourceServerId: 'default',
    identifier: config.defaultAudience,
    permissions: 'any',
  };
  return new Map([management, standard].map((server) => [server.resourceServerId, server]));
}

/** An absolute URI without a fragment (RFC 8707 §2). */
export function isAbsoluteUri(value: string): boolean {
  const url = URL.parse(value);
  return url !== null && /^[\x21-\x7E]+$/.test(value) && !value.includes('#');
}

/**
 * Whether what a request names is this resource server: exactly its identifier, but an identifier without a path
 * matches with and without a final `/`.
 */
export function isNamed(server: ResourceServer, requested: string): boolean {
  return server.identifier === requested || withoutRootPath(server.identifier) === withoutRootPath(requested);
}

function withoutRootPath(identifier: string): string {
  return /^[a-z][a-z0-9+.-]*:\/\/[^/?#]+\/$/i.test(identifier) ? identifier.slice(0, -1) : identifier;
}
