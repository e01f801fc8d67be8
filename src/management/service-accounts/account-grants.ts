import type { ServiceAccounts } from '../../domain/service-accounts/service-accounts.ts';
import type { Collection } from '../collection.ts';
import { AT_PLACE, atPlace, type AtPlace, ONE_GRANT_OPERATIONS } from '../one-grant.ts';
import { defineRoute, type Route } from '../route.ts';
import { LAST_ROOT } from './account-collection.ts';

/** The operations that add and remove one permission or one role of an account. */
export function accountGrants(collection: Collection, serviceAccounts: ServiceAccounts): Route[] {
  const { path, tag, operationId, one } = collection;
  return ONE_GRANT_OPERATIONS.map(({ method, what, verb, summary, changes }) =>
    defineRoute<undefined, AtPlace>({
      method,
      path: `${path}/{clientId}/${what}s/{${what}}`,
      operationId: operationId(verb, what === 'role' ? 'Role' : 'Permission'),
      summary: `${summary} a ${one}`,
      tag,
      permission: what === 'role' ? ['writ.roles.bind'] : 'writ.serviceaccounts.manage',
      query: AT_PLACE,
      conditional: true,
      replies: { 204: { description: 'The change has been made' } },
      refusals: {
        409: `${LAST_ROOT}, or two resource servers declare the permission (\`ambiguous_permission\`)`,
        422: `The ${what} cannot be granted`,
      },
      async handle({ caller, company, expected, query, param }) {
        const text = atPlace(param(what), query);
        await serviceAccounts.change(caller, company, param('clientId'), expected, changes(text));
        return { status: 204 };
      },
    }),
  );
}
