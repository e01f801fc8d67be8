import { DomainError } from '../domain-error.ts';
import type { Grant } from './grant.ts';
import { isNamed, type ResourceServerId, type ResourceServers } from './resource-server.ts';

/**
 * The audience of a new account: the one that was asked for, else that of the first permissions it gets, else the
 * default resource server.
 *
 * @param requested an identifier of a resource server
 * @throws DomainError `invalid_value` when nothing has that identifier, `audience_required` when the grants span
 *   several resource servers and none was asked for
 */
export function chooseAudience(
  requested: string | undefined,
  grants: readonly Grant[],
  servers: ResourceServers,
): ResourceServerId {
  if (requested !== undefined) {
    const server = [...servers.values()].find((candidate) => isNamed(candidate, requested));
    if (server === undefined) {
      throw new DomainError('invalid_value', 'audience names no resource server', {
        fields: [{ pointer: '/audience', message: 'is not the identifier of a resource server' }],
      });
    }
    return server.resourceServerId;
  }
  const bound = new Set(grants.map((grant) => (grant.kind === 'role' ? 'management' : grant.resourceServerId)));
  if (bound.size > 1) {
    const identifiers = [...bound].map((id) => servers.get(id)?.identifier).join(', ');
    throw new DomainError('audience_required', `The permissions span ${identifiers}: say which one is the audience`, {
      fields: [{ pointer: '/audience', message: `is required: one of ${identifiers}` }],
    });
  }
  const [only] = bound;
  return only ?? 'default';
}
