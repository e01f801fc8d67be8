import type { Knex } from 'knex';
import type { CredentialStore } from '../domain/credentials/credential-store.ts';
import type { Credential, PublicKeyCredential } from '../domain/credentials/credential.ts';
import type { CredentialId } from '../domain/ids.ts';
import type { AccountKey } from '../domain/service-accounts/service-account.ts';
import { byteaText, rowsFromJson } from './rows-from-json.ts';
import { ofAccount } from './of-account.ts';

/** The credentials of the account in scope as a JSON array, oldest first; a part of the snapshot's statement. */
export const CREDENTIALS_AS_JSON = `
  select coalesce(jsonb_agg(jsonb_build_object(
    'credential_id', credentials.credential_id,
    'type', credentials.type,
    'created_at', credentials.created_at,
    'secret_hash', encode(credentials.secret_hash, 'base64'),
    'hint', credentials.hint,
    'kid', credentials.kid,
    'data', credentials.data
  ) order by credentials.created_at, credentials.credential_id), '[]')
  from credentials where ${ofAccount('credentials')}`;

/** How many credentials the account in scope has, and how many of them are secrets. */
export const CREDENTIAL_COUNTS = `
  select count(*)::int as credential_count, count(*) filter (where type = 'client_secret')::int as secret_count
  from credentials where ${ofAccount('credentials')}`;

/** A row as {@link CREDENTIALS_AS_JSON} writes it. */
export type CredentialJson = { credential_id: CredentialId; created_at: string } & (
  | { type: 'client_secret'; secret_hash: string; hint: string }
  | { type: 'public_key'; kid: string; data: PublicKeyData }
);

/** What only public keys have. */
interface PublicKeyData {
  publicKey: PublicKeyCredential['publicKey'];
  assertionAudiences: string[];
  assertionMaxTtl?: number;
}

export function credentialFromJson(row: CredentialJson): Credential {
  const base = { credentialId: row.credential_id, createdAt: new Date(row.created_at) };
  switch (row.type) {
    case 'client_secret':
      return { ...base, type: row.type, secretHash: Buffer.from(row.secret_hash, 'base64'), hint: row.hint };
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

export function credentialsTable(knex: Knex): CredentialStore {
  return {
    async insert(account, credentials) {
      if (credentials.length === 0) return;
      await knex.raw(`insert into credentials ${rowsFromJson('credentials')}`, [credentialRows(account, credentials)]);
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
      ...columnsOf(credential),
    })),
  );
}

function columnsOf(credential: Credential): Record<string, unknown> {
  switch (credential.type) {
    case 'client_secret':
      return { secret_hash: byteaText(credential.secretHash), hint: credential.hint, data: {} };
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
