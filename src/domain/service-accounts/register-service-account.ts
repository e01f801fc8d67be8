import { namedAudience } from '../resource-servers/named-audience.ts';
import { assertWithin, keepOwner, limitsOf } from '../companies/hold-to-limits.ts';
import { policyFor } from '../credentials/credential-policy.ts';
import { bindCredentials, issueCredentials } from '../credentials/issue-credentials.ts';
import { assertOwnSubjects } from '../federation/assert-own-subjects.ts';
import { DomainError } from '../domain-error.ts';
import { joinGroups } from '../groups/join-groups.ts';
import { type CompanyId, newClientId, newGrantId } from '../ids.ts';
import { askedIn, bindGrants } from '../permissions/rules/bind-grants.ts';
import { audienceOf } from '../permissions/rules/choose-audience.ts';
import { holdingsOf } from '../permissions/rules/holdings.ts';
import { isRoleGrant } from '../permissions/grant.ts';
import { assertAllowed, assertMayGrant } from '../permissions/rules/may-grant.ts';
import { writtenPermissions, writtenRoles } from '../permissions/written-grants.ts';
import { slugOf } from '../slug.ts';
import type { Stores, Work } from '../storage.ts';
import { assertFits, assertNumberOfEffective, assertNumberOfGrants, assertTokenFits } from './account-rules.ts';
import { type Caller, originOf } from './caller.ts';
import { FIRST_AUDIENCE, type ServiceAccount } from './service-account.ts';
import type {
  NewServiceAccount,
  RegisteredServiceAccount,
  ServiceAccounts,
  ServiceAccountTools,
} from './service-accounts.ts';

/** Registers an account in a transaction that is already running. */
export type Registration = (
  stores: Stores,
  caller: Caller,
  company: CompanyId | undefined,
  input: NewServiceAccount,
) => Promise<Work<RegisteredServiceAccount>>;

export function createRegister(
  { storage }: Pick<ServiceAccountTools, 'storage'>,
  register: Registration,
): ServiceAccounts['register'] {
  return (caller, company, input) =>
    storage.write(originOf(caller), (stores) => register(stores, caller, company, input));
}

export function createRegistration(tools: Omit<ServiceAccountTools, 'storage'>): Registration {
  const { clock, randomId } = tools;

  return async (stores, caller, company, input) => {
    const now = clock();
    const clientId = newClientId(randomId);
    const owner = await keepOwner(stores, company);
    const wanted = await bindCredentials(stores, company, input.credentials);
    const issued = await issueCredentials(wanted, tools, now, policyFor(owner, tools.policy));
    const credentials = issued.map(({ credential }) => credential);
    const bound = await bindGrants(stores, company, {
      permissions: askedIn('permissions', input.permissions),
      roles: askedIn('roles', input.roles),
    });
    const { grants } = bound;
    const joined = await joinGroups(stores.groups, company, input.groups);
    const chosen =
      input.audience === undefined ? undefined : await namedAudience(stores.resourceServers, company, input.audience);
    const audiences = new Map([...bound.audiences, ...joined.audiences]);
    if (chosen !== undefined) audiences.set(chosen.resourceServerId, chosen);
    const account: ServiceAccount = {
      clientId,
      company,
      slug: input.slug ?? slugOf(input.name) ?? clientId.toLowerCase().replace('_', '-'),
      name: input.name,
      description: input.description,
      state: input.state,
      audience: chosen?.resourceServerId ?? audienceOf(bound, !input.managementByDefault),
      tokenTtl: input.tokenTtl,
      senderConstraint: input.senderConstraint,
      metadata: input.metadata,
      createdAt: now,
      createdBy: caller.clientId,
      updatedAt: now,
      revision: 1,
    };
    for (const audience of await stores.resourceServers.audiences(
      [account.audience ?? FIRST_AUDIENCE].filter((id) => !audiences.has(id)),
    )) {
      audiences.set(audience.resourceServerId, audience);
    }
    const { groups } = joined;
    const rights = { grants, groups, roles: new Map([...bound.roles, ...joined.roles]) };
    for (const { place } of grants.filter(isRoleGrant)) assertAllowed(caller, 'writ.roles.bind', place);
    if (groups.length > 0) assertAllowed(caller, 'writ.roles.bind');
    assertNumberOfGrants(grants.length);
    assertNumberOfEffective(rights, owner, tools.limits);
    await assertMayGrant(stores, caller, [...grants, ...groups.flatMap((group) => group.grants)], {
      company,
      self: false,
      roles: rights.roles,
      audiences,
    });
    assertFits(account, undefined, tools.tokens);
    assertTokenFits({ account, ...rights, audiences }, undefined, tools.tokens);

    const belongings = {
      credentials,
      grants: grants.map((grant) => ({ ...grant, grantId: newGrantId(randomId) })),
    };
    const counting = owner && { limits: limitsOf(owner, tools.limits), now };
    await assertOwnSubjects(stores, clientId, credentials);
    const used = await stores.serviceAccounts.insert(account, belongings, counting);
    if (used === undefined) {
      const taken = await stores.serviceAccounts.find(company, account.slug);
      throw new DomainError('already_exists', `A service account with the slug ${account.slug} exists`, {
        fields: [{ pointer: '/slug', message: 'is taken' }],
        ...(taken && { existing: taken.account.clientId }),
      });
    }
    if (counting !== undefined)
      assertWithin(counting.limits, used, { serviceAccounts: 1, credentials: credentials.length });
    if (company !== undefined) {
      const groupIds = groups.map(({ groupId }) => groupId);
      await stores.groups.addMembers(company, groupIds, [clientId]);
      await stores.groups.touch(company, groupIds, now);
    }
    return {
      result: {
        account,
        enabled: account.state === 'enabled' && owner?.state !== 'disabled',
        credentials,
        lastUsedAt: undefined,
        ...rights,
        audiences,
        holdings: holdingsOf(rights, company),
        issued,
      },
      audit: [
        {
          action: 'service_account.created',
          target: clientId,
          company,
          // No announcement: the id has just been generated, so no node remembers the account.
          announces: [],
          details: {
            name: account.name,
            slug: account.slug,
            state: account.state,
            audience: account.audience && audiences.get(account.audience)?.identifier,
            permissions: writtenPermissions(grants, audiences),
            ...(grants.some(isRoleGrant) && { roles: writtenRoles(grants) }),
            ...(groups.length > 0 && { groups: groups.map(({ groupId }) => groupId) }),
            credentials: credentials.map(({ credentialId, type }) => ({ credentialId, type })),
          },
        },
      ],
    };
  };
}
