import type { ServiceAccounts } from '../../domain/service-accounts/service-accounts.ts';
import { defineRoute, type Route } from '../route.ts';
import type { Collection } from '../collection.ts';
import { seconds } from '../duration.ts';
import { presentRegisteredServiceAccount } from './present-service-account.ts';
import {
  NEW_SERVICE_ACCOUNT,
  type NewServiceAccountBody,
  REGISTERED_SERVICE_ACCOUNT,
} from './service-account-schema.ts';
import { wantedCredentials } from '../credentials/wanted-credentials.ts';

export function registerServiceAccount(
  { path, tag, operationId, one }: Collection,
  serviceAccounts: ServiceAccounts,
  issuer: string,
): Route {
  return defineRoute<NewServiceAccountBody>({
    method: 'POST',
    path,
    operationId: operationId('register'),
    summary: `Register a ${one}`,
    tag,
    permission: 'writ.serviceaccounts.manage',
    body: NEW_SERVICE_ACCOUNT,
    revisioned: true,
    replies: { 201: { description: 'The account; its secrets are shown once', schema: REGISTERED_SERVICE_ACCOUNT } },
    refusals: { 409: 'The slug is taken (`already_exists`): `Location` leads to the account that has it' },
    async handle({ caller, company, body }) {
      const registered = await serviceAccounts.register(caller, company, {
        name: body.name,
        slug: body.slug,
        description: body.description,
        state: body.state ?? 'enabled',
        permissions: body.permissions ?? [],
        roles: [...(body.roles ?? []), ...(body.role === undefined || body.role === '' ? [] : [body.role])],
        groups: body.groups ?? [],
        managementByDefault: body.role !== undefined,
        audience: body.audience,
        tokenTtl: body.tokenTtl === undefined ? undefined : seconds(body.tokenTtl, '/tokenTtl'),
        senderConstraint: body.senderConstraint ?? 'none',
        metadata: body.metadata ?? {},
        credentials: wantedCredentials(body),
      });
      return {
        status: 201,
        body: presentRegisteredServiceAccount(registered, body.credentials, issuer),
        created: registered.account.clientId,
        revision: registered.account.revision,
      };
    },
  });
}
