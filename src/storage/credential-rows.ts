import type { CredentialState } from '../domain/credentials/credential-base.ts';
import type { Credential, CredentialType } from '../domain/credentials/credential.ts';
import type { StoredMembers } from '../domain/credentials/kinds/kind.ts';
import { kindOf } from '../domain/credentials/kinds/kinds.ts';
import type { CredentialId } from '../domain/ids.ts';
import type { BuiltInIdentifiers } from '../domain/resource-servers/resource-server.ts';
import type { AccountKey } from '../domain/service-accounts/service-account.ts';
import type { StatusEntry } from '../domain/status/status-entry.ts';
import { audienceFromJson, type AudienceJson } from './audience-rows.ts';
import { byteaText } from './insert-from-json.ts';
import { ofAccount } from './of-account.ts';
import { type IssuerTrustJson, trustFromJson } from './trusted-issuers-table.ts';

/** The column of each member that only some kinds of credentials store. */
const STORED_COLUMNS = {
  secretHash: 'secret_hash',
  hint: 'hint',
  kid: 'kid',
  data: 'data',
  audience: 'audience',
} as const satisfies Record<keyof StoredMembers, string>;

/** The columns that are filled for a new credential. */
export const COLUMNS: readonly string[] = [
  'credential_id',
  'client_id',
  'company_id',
  'type',
  ...Object.values(STORED_COLUMNS),
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

/** SQL for the credentials of the account in scope as a JSON array, oldest first; a part of the snapshot statement. */
export const CREDENTIALS_AS_JSON = 'account_credentials(service_accounts.client_id, service_accounts.company_id)';

/**
 * SQL for the number of credentials of the account in scope, for their types, and for the next expiry. Its parameter is
 * the present time.
 */
export const CREDENTIAL_COUNTS = `
  select count(*)::int as credential_count, coalesce(jsonb_agg(distinct type), '[]') as credential_types,
    min(expires_at) filter (where state = 'enabled' and expires_at > ?) as next_expiry_at
  from credentials where ${ofAccount('credentials')}`;

/** A credential in the JSON that {@link CREDENTIALS_AS_JSON} writes. */
export interface CredentialJson {
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
  type: CredentialType;
  secret_hash: string | null;
  hint: string | null;
  kid: string | null;
  data: unknown;
  audience: AudienceJson | null;
  trust: IssuerTrustJson | null;
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
  return kindOf(row).restored(base, {
    secretHash: row.secret_hash === null ? undefined : Buffer.from(row.secret_hash, 'base64'),
    hint: row.hint ?? undefined,
    kid: row.kid ?? undefined,
    data: row.data,
    audience: row.audience === null ? undefined : audienceFromJson(row.audience, builtIn),
    trust: row.trust === null ? undefined : trustFromJson(row.trust),
  });
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

/** The columns that can change and that every kind of credential has. */
export function describedColumns(credential: Credential): Record<string, unknown> & { permissions: unknown } {
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

/** The columns that only some kinds of credentials have. */
export function columnsOf(credential: Credential): Record<string, unknown> & { data: object } {
  const stored: StoredMembers = kindOf(credential).stored(credential);
  const columns = Object.entries(stored).map(([member, value]: [string, unknown]) => [
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the members of a type are its keys
    STORED_COLUMNS[member as keyof StoredMembers],
    Buffer.isBuffer(value) ? byteaText(value) : value,
  ]);
  return { data: {}, ...Object.fromEntries(columns) };
}
