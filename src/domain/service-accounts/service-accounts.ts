import { DomainError } from '../domain-error.ts';
import {
  type CredentialTools,
  type IssuedCredential,
  issueCredentials,
  type NewCredential,
} from '../credentials/issue-credentials.ts';
import type { Clock } from '../clock.ts';
import { isClientId, newClientId, newGrantId } from '../ids.ts';
import { chooseAudience } from '../permissions/choose-audience.ts';
import { bindPermissions } from '../permissions/grant.ts';
import { holdingsOf } from '../permissions/holdings.ts';
import { assertMayGrant } from '../permissions/may-grant.ts';
import type { ResourceServers } from '../permissions/resource-server.ts';
import type { Storage } from '../storage.ts';
import { type Caller, originOf } from './caller.ts';
import type { AccountSnapshot, ServiceAccount } from './service-account.ts';
import { slugOf } from './slug.ts';

/** What a caller may say about an account that it registers. */
export interface NewServiceAccount {
  readonly name: string;
  /** Made from the name when absent. */
  readonly slug: string | undefined;
  /** Names of permissions. */
  readonly permissions: readonly string[];
  /** Identifier of the resource server that its tokens are for unless they ask for another. */
  readonly audience: string | undefined;
  /** Exactly these are made. */
  readonly credentials: readonly NewCredential[];
}

/** A new account with its credentials, whose secrets are shown once. */
export interface RegisteredServiceAccount extends AccountSnapshot {
  readonly issued: readonly IssuedCredential[];
}

/** The service accounts that belong to no company. */
export interface ServiceAccounts {
  /**
   * @throws DomainError `invalid_value`, `audience_required`, `forbidden`, `limit_reached`, or `already_exists` with
   *   the id of the account that has the slug
   */
  register(caller: Caller, input: NewServiceAccount): Promise<RegisteredServiceAccount>;
  /** @throws DomainError `not_found` */
  get(id: string): Promise<AccountSnapshot>;
  /** Newest first. */
  list(): Promise<AccountSnapshot[]>;
  /** @throws DomainError `not_found`, `last_root` */
  remove(caller: Caller, id: string): Promise<void>;
}

export function createServiceAccounts(
  tools: CredentialTools & { storage: Storage; clock: Clock; resourceServers: ResourceServers },
): ServiceAccounts {
  const { storage, clock, resourceServers, randomId } = tools;

  return {
    async register(caller, input) {
      const grants = bindPermissions(input.permissions, resourceServers, '/permissions');
      const audience = chooseAudience(input.audience, grants, resourceServers);
      assertMayGrant(caller, grants);

      const now = clock();
      const clientId = newClientId(randomId);
      const account: ServiceAccount = {
        clientId,
        slug: input.slug ?? slugOf(input.name) ?? clientId.toLowerCase().replace('_', '-'),
        name: input.name,
        audience,
        createdAt: now,
        createdBy: caller.clientId,
        updatedAt: now,
      };
      const issued = await issueCredentials(input.credentials, tools, now);
      const credentials = issued.map(({ credential }) => credential);
      return storage.write(originOf(caller), async (stores) => {
        if (!(await stores.serviceAccounts.insert(account))) {
          const existing = await stores.serviceAccounts.findBySlug(account.slug);
          throw new DomainError('already_exists', `A service account with the slug ${account.slug} exists`, {
            fields: [{ pointer: '/slug', message: 'is taken' }],
            ...(existing && { existing: existing.clientId }),
          });
        }
        await stores.credentials.insert(clientId, credentials);
        await stores.grants.insert(
          clientId,
          grants.map((grant) => ({ ...grant, grantId: newGrantId(randomId) })),
        );
        return {
          result: { account, credentials, grants, holdings: holdingsOf(grants), issued },
          audit: [
            {
              action: 'service_account.created',
              target: clientId,
              changes: [{ kind: 'account', clientId }],
              details: {
                name: account.name,
                slug: account.slug,
                audience: resourceServers.get(audience)?.identifier,
                permissions: input.permissions,
                credentials: credentials.map(({ credentialId, type }) => ({ credentialId, type })),
              },
            },
          ],
        };
      });
    },

    async get(id) {
      const snapshot = isClientId(id) ? await storage.read.serviceAccounts.findSnapshot(id) : undefined;
      return snapshot ?? notFound();
    },

    list: () => storage.read.serviceAccounts.listSnapshots(),

    async remove(caller, id) {
      if (!isClientId(id)) return notFound();
      return storage.write(originOf(caller), async (stores) => {
        const roots = await stores.serviceAccounts.lockRoots();
        const snapshot = (await stores.serviceAccounts.findSnapshot(id)) ?? notFound();
        if (roots.length === 1 && roots[0] === id) {
          throw new DomainError('last_root', 'The last root account cannot go');
        }
        await stores.serviceAccounts.delete(id, clock());
        const { name, slug } = snapshot.account;
        return {
          result: undefined,
          audit: [
            {
              action: 'service_account.deleted',
              target: id,
              changes: [{ kind: 'account', clientId: id }],
              details: { name, slug },
            },
          ],
        };
      });
    },
  };
}

function notFound(): never {
  throw new DomainError('not_found', 'There is no such service account');
}
