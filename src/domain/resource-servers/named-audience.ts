import { DomainError } from '../domain-error.ts';
import type { CompanyId } from '../ids.ts';
import type { Audience } from './resource-server.ts';

/** Finds resource servers by their identifiers, in any spelling of them. */
export interface AudiencesByName {
  named(identifier: string): Promise<Audience | undefined>;
}

/**
 * The resource server that an account's owner names as an audience.
 *
 * @param company that of the account: it sees its own and root's
 * @param at where what has it stands in the body of the request
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
