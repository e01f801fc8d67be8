import type { Knex } from 'knex';
import type { CredentialFilter, ListedCredential } from '../domain/credentials/credential-store.ts';
import type { ClientId, CompanyId } from '../domain/ids.ts';
import type { Page, PageRequest } from '../domain/page.ts';
import type { BuiltInIdentifiers } from '../domain/resource-servers/resource-server.ts';
import { AUDIENCES_AS_JSON } from './audience-rows.ts';
import { credentialFromJson, type CredentialJson } from './credential-rows.ts';
import { ownRows } from './owned-rows.ts';
import { lightEnough, newestFirst, pageOf } from './paging.ts';
import type { Tables } from './transaction.ts';

interface ListedRow {
  credential: CredentialJson;
  client_id: ClientId;
  company_id: CompanyId | null;
  slug: string;
  used_at: Date | null;
  source: string | null;
}

const NEWEST = { time: 'credentials.created_at', id: 'credentials.credential_id' };

/** SQL for the weight of the credential in scope: its permissions, and 10 for the rest, which may have a public key. */
const WEIGHT = 'coalesce(jsonb_array_length(permissions), 0) + 10';

/**
 * SQL for a credential as {@link CredentialJson}, without its hash and its status entry, which no list shows.
 * Rows of all: an API key may be for a resource server of root.
 */
const AS_JSON = `to_jsonb(credentials) || jsonb_build_object(
  'secret_hash', '',
  'status', null,
  'trust', null,
  'audience', (select ${AUDIENCES_AS_JSON} -> 0 from resource_servers where resource_server_id = credentials.audience)
)`;

/** Reads a page of the credentials of a company, of root (undefined), or of root and every company (`*`). */
export async function listCredentials(
  knex: Tables,
  builtIn: BuiltInIdentifiers,
  company: CompanyId | '*' | undefined,
  filter: CredentialFilter,
  page: PageRequest,
): Promise<Page<ListedCredential>> {
  const query = filtered(ownRows(knex, 'credentials', company), filter);
  newestFirst(query, NEWEST, page);
  const rows = await lightEnough(knex, 'credentials', query, NEWEST, WEIGHT)
    .join('service_accounts', 'service_accounts.client_id', 'credentials.client_id')
    .leftJoin('last_uses', (uses) =>
      uses
        .on('last_uses.client_id', 'credentials.client_id')
        .andOn('last_uses.credential_id', 'credentials.credential_id'),
    )
    .select<ListedRow[]>(
      knex.raw(`${AS_JSON} as credential`),
      'credentials.client_id',
      'credentials.company_id',
      'credentials.found',
      'service_accounts.slug',
      'used_at',
      'source',
    );
  return pageOf(
    rows,
    page,
    (row) => listedFromRow(row, builtIn),
    ({ credential }) => ({ time: credential.createdAt, id: credential.credentialId }),
  );
}

function filtered<Query extends Knex.QueryBuilder>(
  query: Query,
  { type, state, clientId, createdBefore, expiringBefore, lastUsedBefore }: CredentialFilter,
): Query {
  if (type !== undefined) void query.where('credentials.type', type);
  if (state !== undefined) void query.where('credentials.state', state);
  if (clientId !== undefined) void query.where('credentials.client_id', clientId);
  if (createdBefore !== undefined) void query.where('credentials.created_at', '<', createdBefore);
  if (expiringBefore !== undefined) void query.where('credentials.expires_at', '<', expiringBefore);
  if (lastUsedBefore !== undefined) {
    void query.whereRaw(
      `not exists (select from last_uses where last_uses.client_id = credentials.client_id
        and last_uses.credential_id = credentials.credential_id and used_at >= ?)`,
      [lastUsedBefore],
    );
  }
  return query;
}

function listedFromRow(row: ListedRow, builtIn: BuiltInIdentifiers): ListedCredential {
  const credential = credentialFromJson(row.credential, builtIn);
  const { credentialId } = credential;
  return {
    credential,
    lastUse:
      row.used_at === null || row.source === null
        ? undefined
        : { credentialId, usedAt: row.used_at, source: row.source },
    account: { clientId: row.client_id, company: row.company_id ?? undefined, slug: row.slug },
  };
}
