import type { ServiceAccounts } from '../domain/service-accounts/service-accounts.ts';
import { defineRoute, type Route } from './route.ts';
import { answerServiceAccount } from './service-accounts/present-service-account.ts';
import { SERVICE_ACCOUNT } from './service-accounts/service-account-schema.ts';

/** `GET /api/self`: shows every caller its own account; it takes no permission. */
export function getSelf(serviceAccounts: ServiceAccounts): Route {
  return defineRoute({
    method: 'GET',
    path: '/api/self',
    operationId: 'getSelf',
    summary: "Read the caller's own account",
    tag: 'Self',
    permission: 'none',
    forCompanies: true,
    revisioned: true,
    replies: { 200: { description: 'The account', schema: SERVICE_ACCOUNT } },
    async handle({ caller, now }) {
      const snapshot = await serviceAccounts.get(caller.company, caller.clientId);
      return answerServiceAccount(snapshot, now);
    },
  });
}
