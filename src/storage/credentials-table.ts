import type { Knex } from 'knex';
import { maxAgeOf } from '../domain/credentials/credential-policy.ts';
import type { CredentialStore } from '../domain/credentials/credential-store.ts';
import {
  type Credential,
  CREDENTIAL_TYPES,
  type CredentialState,
  type PublicKeyCredential,
} from '../domain/credentials/credential.ts';
import type { ClientId, CredentialId } from '../domain/ids.ts';
import type { BuiltInIdentifiers } from '../domain/resource-servers/resource-server.ts';
import { audienceFromJson, type AudienceJson } from './audience-rows.ts';
import type { StatusEntry } from '../domain/status/status-entry.ts';
import type { AccountKey } from '../domain/service-accounts/service-account.ts';
import { byteaText, insertFromJson } from './insert-from-json.ts';
import { ofAccount } from './of-account.ts';
import { ALLOT, OF_GONE } from './status-entries-table.ts';
import type { Tables } from './transaction.ts';

const COLUMNS = [
  'credential_id',
  'client_id',
  'company_id',
  'type',
  'secret_hash',
  'hint',
  'kid',
  'data',
  'audience',
  'created_at',
  'name',
  'description',
  'state',
  'expires_at',
  'lifetime',
  'expires_by_policy',
  'extend',
  'rotated_from',
  'permissions',
  'successor',
  'revision',
];

/** The credentials of the account in scope as a JSON array, oldest first; a part of the snapshot's statement. */
export const CREDENTIALS_AS_JSON = 'account_credentials(service_accounts.client_id, service_accounts.company_id)';

/** How many credentials the account in scope has, and how many of them are secrets and keys. */
export const CREDENTIAL_COUNTS = `
  select count(*)::int as credential_count, count(*) filter (where type = 'client_secret')::int as secret_count,
    count(*) filter (where type = 'public_key')::int as key_count
  from credentials where ${ofAccount('credentials')}`;

/** A row as {@link CREDENTIALS_AS_JSON} writes it. */
export type CredentialJson = {
  credential_id: CredentialId;
  created_at: string;
  name: string | null;
  description: string | null;
  state: CredentialState;
  expires_at: string | null;
  lifetime: number | null;
  expires_by_policy: boolean;
  extend: boolean;
  rotated_from: CredentialId | null;
  permissions: string[] | null;
  successor: CredentialId | null;
  status: StatusEntry | null;
  revision: number;
} & (
  | { type: 'client_secret'; secret_hash: string; hint: string }
  | { type: 'api_key'; secret_hash: string; hint: string; audience: AudienceJson }
  | { type: 'public_key'; kid: string; data: PublicKeyData }
);

/** What only public keys have. */
interface PublicKeyData {
  publicKey: PublicKeyCredential['publicKey'];
  assertionAudiences: string[];
  assertionMaxTtl?: number;
}

export function credentialFromJson(row: CredentialJson, builtIn: BuiltInIdentifiers): Credential {
  const base = {
    credentialId: row.credential_id,
    name: row.name ?? undefined,
    description: row.description ?? undefined,
    state: row.state,
    createdAt: new Date(row.created_at),
    expiresAt: row.expires_at === null ? undefined : new Date(row.expires_at),
    lifetime: row.lifetime ?? undefined,
    expiresByPolicy: row.expires_by_policy,
    extend: row.extend,
    rotatedFrom: row.rotated_from ?? undefined,
    permissions: row.permissions ?? undefined,
    successor: row.successor ?? undefined,
    status: row.status ?? undefined,
    revision: row.revision,
  };
  switch (row.type) {
    case 'client_secret':
      return { ...base, type: row.type, secretHash: Buffer.from(row.secret_hash, 'base64'), hint: row.hint };
    case 'api_key': {
      const secretHash = Buffer.from(row.secret_hash, 'base64');
      return { ...base, type: row.type, secretHash, hint: row.hint, audience: audienceFromJson(row.audience, builtIn) };
    }
    case 'public_key':
      return {
        ...base,
        type: row.type,
        kid: row.kid,
        publicKey: row.data.publicKey,
        assertionAudiences: row.data.assertionAudiences,
        assertionMaxTtl: row.data.assertionMaxTtl,
      };
  }
}

export function credentialsTable(knex: Tables): CredentialStore {
  return {
    async insert(account, credentials) {
      if (credentials.length === 0) return;
      await knex.raw(`with its_credentials as (${insertFromJson('credentials', COLUMNS)}) select ${ALLOT}`, [
        credentialRows(account, credentials),
        credentials.map(({ credentialId }) => credentialId),
        credentials.map(() => account.clientId),
        account.company ?? null,
      ]);
    },

    async update(account, credential) {
      // The secret and the key stay what they are.
      const { permissions, ...columns } = describedColumns(credential);
      const { data } = columnsOf(credential);
      await knex('credentials')
        .where(ownColumns(account, credential.credentialId))
        .update({ ...columns, data, permissions: permissions === null ? null : JSON.stringify(permissions) });
    },

    async limit(company, policy, now) {
      let limited = 0;
      for (const type of CREDENTIAL_TYPES) {
        const most = maxAgeOf(type, policy);
        if (most === undefined) continue;
        const end = new Date(now.getTime() + most * 1000);
        const all = (): Knex.QueryBuilder =>
          knex('credentials').where({ type, ...(company !== undefined && { company_id: company }) });
        // What ends sooner, and would move on by more with its next use.
        await all().where({ extend: true }).where('lifetime', '>', most).update({ lifetime: most });
        const ended: unknown[] = await all()
          .where((query) => query.whereNull('expires_at').orWhere('expires_at', '>', end))
          .update({
            expires_at: end,
            lifetime: most,
            expires_by_policy: knex.raw(`state <> 'ending'`),
            revision: knex.raw('revision + 1'),
          })
          .returning('credential_id');
        limited += ended.length;
      }
      return limited;
    },

    async countExpiring(now, before) {
      const rows = await knex('credentials')
        .where({ state: 'enabled' })
        .whereBetween('expires_at', [now, before])
        .groupBy('type')
        .select<{ type: Credential['type']; count: number }[]>('type', knex.raw('count(*)::int as count'));
      return new Map(rows.map(({ type, count }) => [type, count]));
    },

    async delete(account, credentialId) {
      await knex('credentials').where(ownColumns(account, credentialId)).delete('credential_id');
    },

    async ownerOf(secretHash) {
      const row = await knex('credentials')
        .where({ secret_hash: secretHash })
        .first<{ client_id: ClientId }>('client_id');
      return row?.client_id;
    },

    async forgetEnded(before) {
      const some = knex('credentials')
        .where({ state: 'ending' })
        .where('expires_at', '<', before)
        .limit(1000)
        .select('credential_id');
      const { rows } = await knex.raw<{ rows: unknown[] }>(
        `with gone as (delete from credentials where credential_id in (?) returning credential_id)
         update status_entries set revoked_at = now()
         from gone where ${OF_GONE}
         returning gone.credential_id`,
        [some],
      );
      return rows.length;
    },
  };
}

/** The rows of an account's credentials, as a JSON array. */
export function credentialRows({ clientId, company }: AccountKey, credentials: readonly Credential[]): string {
  return JSON.stringify(
    credentials.map((credential) => ({
      credential_id: credential.credentialId,
      client_id: clientId,
      company_id: company ?? null,
      type: credential.type,
      created_at: credential.createdAt,
      ...describedColumns(credential),
      ...columnsOf(credential),
    })),
  );
}

function ownColumns({ clientId, company }: AccountKey, credentialId: CredentialId): Record<string, string | null> {
  return { credential_id: credentialId, client_id: clientId, company_id: company ?? null };
}

/** What can change of a credential of every kind. */
function describedColumns(credential: Credential): Record<string, unknown> & { permissions: unknown } {
  return {
    name: credential.name ?? null,
    description: credential.description ?? null,
    state: credential.state,
    expires_at: credential.expiresAt ?? null,
    lifetime: credential.lifetime ?? null,
    expires_by_policy: credential.expiresByPolicy,
    extend: credential.extend,
    rotated_from: credential.rotatedFrom ?? null,
    permissions: credential.permissions ?? null,
    successor: credential.successor ?? null,
    revision: credential.revision,
  };
}

function columnsOf(credential: Credential): Record<string, unknown> {
  switch (credential.type) {
    case 'client_secret':
      return { secret_hash: byteaText(credential.secretHash), hint: credential.hint, data: {} };
    case 'api_key':
      return {
        secret_hash: byteaText(credential.secretHash),
        hint: credential.hint,
        data: {},
        audience: credential.audience.resourceServerId,
      };
    case 'public_key': {
      const { publicKey, assertionAudiences, assertionMaxTtl } = credential;
      const data: PublicKeyData = {
        publicKey,
        assertionAudiences: [...assertionAudiences],
        ...(assertionMaxTtl !== undefined && { assertionMaxTtl }),
      };
      return { kid: credential.kid, data };
    }
  }
}
