import type { Knex } from 'knex';
import type { CredentialStore } from '../domain/credentials/credential-store.ts';
import type { Credential } from '../domain/credentials/credential.ts';
import type { CredentialId } from '../domain/ids.ts';

/** The credentials of the account in scope as a JSON array, oldest first; a part of the snapshot's statement. */
export const CREDENTIALS_AS_JSON = `
  select coalesce(jsonb_agg(jsonb_build_object(
    'credential_id', credentials.credential_id,
    'type', credentials.type,
    'secret_hash', encode(credentials.secret_hash, 'base64'),
    'hint', credentials.hint,
    'created_at', credentials.created_at
  ) order by credentials.created_at, credentials.credential_id), '[]')
  from credentials where credentials.client_id = service_accounts.client_id`;

/** A row as {@link CREDENTIALS_AS_JSON} writes it. */
export interface CredentialJson {
  credential_id: CredentialId;
  type: Credential['type'];
  secret_hash: string;
  hint: string;
  created_at: string;
}

export function credentialFromJson(row: CredentialJson): Credential {
  return {
    type: row.type,
    credentialId: row.credential_id,
    secretHash: Buffer.from(row.secret_hash, 'base64'),
    hint: row.hint,
    createdAt: new Date(row.created_at),
  };
}

export function credentialsTable(knex: Knex): CredentialStore {
  return {
    async insert(clientId, credential) {
      await knex('credentials').insert({
        credential_id: credential.credentialId,
        client_id: clientId,
        type: credential.type,
        secret_hash: credential.secretHash,
        hint: credential.hint,
        created_at: credential.createdAt,
      });
    },
  };
}
