import { issueCredentials } from '../credentials/issue-credentials.ts';
import { DomainError } from '../domain-error.ts';
import { newClientId, newGrantId } from '../ids.ts';
import { audienceOf, namedAudience } from '../permissions/choose-audience.ts';
import { bindPermissions } from '../permissions/grant.ts';
import { holdingsOf } from '../permissions/holdings.ts';
import { assertMayGrant } from '../permissions/may-grant.ts';
import { slugOf } from '../slug.ts';
import { assertFits, assertTokenFits } from './account-rules.ts';
import { originOf } from './caller.ts';
import type { ServiceAccount } from './service-account.ts';
import type { ServiceAccounts, ServiceAccountTools } from './service-accounts.ts';

export function createRegister(tools: ServiceAccountTools): ServiceAccounts['register'] {
  const { storage, clock, resourceServers, randomId } = tools;

  return async (caller, company, input) => {
    const grants = bindPermissions(input.permissions, resourceServers, '/permissions');
    assertMayGrant(caller, grants, company);
    const now = clock();
    const clientId = newClientId(randomId);
    const account: ServiceAccount = {
      clientId,
      company,
      slug: input.slug ?? slugOf(input.name) ?? clientId.toLowerCase().replace('_', '-'),
      name: input.name,
      description: input.description,
      state: input.state,
      audience:
        input.audience === undefined
          ? audienceOf(grants, resourceServers)
          : namedAudience(input.audience, resourceServers),
      tokenTtl: input.tokenTtl,
      metadata: input.metadata,
      createdAt: now,
      createdBy: caller.clientId,
      updatedAt: now,
      revision: 1,
    };
    assertFits(account, tools.tokens);
    assertTokenFits({ account, grants }, undefined, tools.tokens, resourceServers);
    const issued = await issueCredentials(input.credentials, tools, now);
    const credentials = issued.map(({ credential }) => credential);
    return storage.write(originOf(caller), async (stores) => {
      const owner = company === undefined ? undefined : await stores.companies.keep(company);
      if (company !== undefined && owner === undefined) throw new DomainError('not_found', 'There is no such company');
      const belongings = {
        credentials,
        grants: grants.map((grant) => ({ ...grant, grantId: newGrantId(randomId) })),
      };
      if (!(await stores.serviceAccounts.insert(account, belongings))) {
        const taken = await stores.serviceAccounts.find(company, account.slug);
        throw new DomainError('already_exists', `A service account with the slug ${account.slug} exists`, {
          fields: [{ pointer: '/slug', message: 'is taken' }],
          ...(taken && { existing: taken.account.clientId }),
        });
      }
      return {
        result: {
          account,
          enabled: account.state === 'enabled' && owner?.state !== 'disabled',
          credentials,
          grants,
          holdings: holdingsOf(grants, company),
          issued,
        },
        audit: [
          {
            action: 'service_account.created',
            target: clientId,
            company,
            changes: [{ kind: 'account', clientId }],
            details: {
              name: account.name,
              slug: account.slug,
              state: account.state,
              audience: account.audience && resourceServers.get(account.audience)?.identifier,
              permissions: input.permissions,
              credentials: credentials.map(({ credentialId, type }) => ({ credentialId, type })),
            },
          },
        ],
      };
    });
  };
}
