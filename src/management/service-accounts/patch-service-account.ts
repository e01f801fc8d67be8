import type { ServiceAccounts } from '../../domain/service-accounts/service-accounts.ts';
import { defineRoute, type Route } from '../route.ts';
import type { Collection } from '../collection.ts';
import { LAST_ROOT } from './account-collection.ts';
import { secondsOrNone } from '../duration.ts';
import { rolesAt } from '../mia/mia-roles.ts';
import { answerServiceAccount } from './present-service-account.ts';
import { CHANGED_SERVICE_ACCOUNT, type ChangedServiceAccountBody, SERVICE_ACCOUNT } from './service-account-schema.ts';

export function changeServiceAccount(
  { path, tag, operationId, one }: Collection,
  serviceAccounts: ServiceAccounts,
): Route {
  return defineRoute<ChangedServiceAccountBody>({
    method: 'PATCH',
    path: `${path}/{clientId}`,
    operationId: operationId('change'),
    summary: `Change a ${one}`,
    tag,
    permission: ['writ.serviceaccounts.manage', 'writ.roles.bind'],
    body: CHANGED_SERVICE_ACCOUNT,
    conditional: true,
    revisioned: true,
    replies: { 200: { description: 'The changed account', schema: SERVICE_ACCOUNT } },
    refusals: { 409: LAST_ROOT },
    async handle({ caller, now, company, expected, body, param }) {
      const { tokenTtl, role, projectsRole, ...changes } = body;
      const changedRoles = rolesAt({ role, projectsRole, roles: changes.roles });
      const snapshot = await serviceAccounts.change(caller, company, param('clientId'), expected, {
        ...changes,
        ...(changedRoles && { rolesAt: changedRoles, managementByDefault: true }),
        tokenTtl: secondsOrNone(tokenTtl, '/tokenTtl'),
      });
      return answerServiceAccount(snapshot, now);
    },
  });
}
