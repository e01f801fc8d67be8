import type { AccountChanges, ServiceAccounts } from '../../domain/service-accounts/service-accounts.ts';
import { defineRoute, type Route } from '../route.ts';
import { type AccountCollection, LAST_ROOT } from './account-collection.ts';

/** Adding and removing one permission. */
export function accountPermissions(collection: AccountCollection, serviceAccounts: ServiceAccounts): Route[] {
  const { path, tag, operationId, one } = collection;
  const change = (
    method: 'PUT' | 'DELETE',
    verb: string,
    summary: string,
    changes: (permission: string) => AccountChanges,
  ): Route =>
    defineRoute({
      method,
      path: `${path}/{clientId}/permissions/{permission}`,
      operationId: operationId(verb, 'Permission'),
      summary,
      tag,
      permission: 'writ.serviceaccounts.manage',
      conditional: true,
      replies: { 204: { description: 'It is so' } },
      refusals: {
        409: LAST_ROOT,
        422: 'It is no permission that can be granted',
      },
      async handle({ caller, company, expected, param }) {
        await serviceAccounts.change(caller, company, param('clientId'), expected, changes(param('permission')));
        return { status: 204 };
      },
    });
  return [
    change('PUT', 'add', `Add one permission to a ${one}`, (addPermission) => ({ addPermission })),
    change('DELETE', 'remove', `Take one permission from a ${one}`, (removePermission) => ({ removePermission })),
  ];
}
