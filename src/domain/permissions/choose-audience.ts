import { DomainError } from '../domain-error.ts';
import type { Grant } from './grant.ts';
import { isNamed, type ResourceServerId, type ResourceServers } from './resource-server.ts';

/** The resource server that an account's owner names as its audience. @throws DomainError `invalid_value` */
export function namedAudience(identifier: string, servers: ResourceServers): ResourceServerId {
  const server = [...servers.values()].find((candidate) => isNamed(candidate, identifier));
  if (server === undefined) {
    throw new DomainError('invalid_value', 'audience names no resource server', {
      fields: [{ pointer: '/audience', message: 'is not the identifier of a resource server' }],
    });
  }
  return server.resourceServerId;
}

/**
 * The audience of an account that has none yet: that of the first permissions it gets.
 *
 * @returns undefined when it gets none
 * @throws DomainError `audience_required` when they span several resource servers
 */
export function audienceOf(grants: readonly Grant[], servers: ResourceServers): ResourceServerId | undefined {
  const bound = new Set(grants.map((grant) => (grant.kind === 'role' ? 'management' : grant.resourceServerId)));
  if (bound.size > 1) {
    const identifiers = [...bound].map((id) => servers.get(id)?.identifier).join(', ');
    throw new DomainError('audience_required', `The permissions span ${identifiers}: say which one is the audience`, {
      fields: [{ pointer: '/audience', message: `is required: one of ${identifiers}` }],
    });
  }
  const [only] = bound;
  return only;
}
