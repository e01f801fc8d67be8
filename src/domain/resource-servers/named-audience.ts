import { DomainError } from '../domain-error.ts';
import type { CompanyId } from '../ids.ts';
import type { Audience } from './resource-server.ts';

/** Finds resource servers by their identifiers, in any spelling of them. */
export interface AudiencesByName {
  named(identifier: string): Promise<Audience | undefined>;
}

/**
 * Finds the resource server that a request names as an audience.
 *
 * @param company the company of the account, which sees its own resource servers and root's; undefined: a root account
 * @param at the JSON pointer to the object of the body that has the member `audience`
 * @throws DomainError `invalid_value`
 */
export async function namedAudience(
  { named }: AudiencesByName,
  company: CompanyId | undefined,
  identifier: string,
  at = '',
): Promise<Audience> {
  const server = await named(identifier);
  if (server === undefined || (server.company !== undefined && server.company !== company)) {
    throw new DomainError('invalid_value', 'audience names no resource server', {
      fields: [{ pointer: `${at}/audience`, message: 'is not the identifier of a resource server' }],
    });
  }
  return server;
}
