import type { Knex } from 'knex';
import type { ClientId, CompanyId } from '../domain/ids.ts';
import {
  type BuiltInIdentifiers,
  type DeclaredPermission,
  identifierKey,
  isBuiltInServer,
  type ResourceServer,
} from '../domain/resource-servers/resource-server.ts';
import type { DeletedCredential, ResourceServerStore, Use } from '../domain/resource-servers/resource-server-store.ts';
import { AUDIENCE_COLUMNS, audienceFromJson, type AudienceJson } from './audience-rows.ts';
import { allRows, ownRows, seenRows } from './owned-rows.ts';
import { OF_GONE } from './status-entries-table.ts';
import { lightEnough, newestFirst, pageOf, startingWith } from './paging.ts';
import type { Tables } from './transaction.ts';

interface ResourceServerRow extends AudienceJson {
  name: string;
  created_at: Date;
  created_by: ClientId | null;
  updated_at: Date;
  revision: number;
  /** From {@link PERMISSIONS_AS_JSON}, not a column. */
  permissions: { name: string; description: string | null }[];
  /** From {@link INTROSPECTED_BY}, not a column. */
  introspected_by: ClientId[];
}

const PERMISSIONS_AS_JSON = `
  select coalesce(jsonb_agg(jsonb_build_object('name', name, 'description', description) order by position), '[]')
  from declared_permissions where declared_permissions.resource_server_id = resource_servers.resource_server_id`;

const INTROSPECTED_BY = `
  select array(select client_id from introspectors
    where introspectors.resource_server_id = resource_servers.resource_server_id order by client_id)`;

const NEWEST = { time: 'created_at', id: 'resource_server_id' };

const WEIGHT = `
  select count(*) from declared_permissions
  where declared_permissions.resource_server_id = resource_servers.resource_server_id`;

type Servers = Knex.QueryBuilder<object, ResourceServerRow[]>;

export function resourceServersTable(knex: Tables, builtIn: BuiltInIdentifiers): ResourceServerStore {
  const withParts = (servers: Knex.QueryBuilder): Servers =>
    servers.select<ResourceServerRow[]>(
      'resource_servers.*',
      knex.raw(`(${PERMISSIONS_AS_JSON}) as permissions`),
      knex.raw(`(${INTROSPECTED_BY}) as introspected_by`),
    );
  const seen = (company: CompanyId | undefined): Servers => withParts(seenRows(knex, 'resource_servers', company));

  const find: ResourceServerStore['find'] = async (company, id) => {
    const [row] = await seen(company).where('resource_server_id', id);
    return row && serverFromRow(row, builtIn);
  };

  const builtInNamed = (identifier: string): 'management' | 'default' | undefined => {
    const key = identifierKey(identifier);
    return (['management', 'default'] as const).find((id) => identifierKey(builtIn[id]) === key);
  };

  async function declare({ resourceServerId, permissions }: ResourceServer): Promise<void> {
    if (permissions.length === 0) return;
    await knex('declared_permissions').insert(
      permissions.map(({ name, description }, position) => ({
        resource_server_id: resourceServerId,
        name,
        description: description ?? null,
        position,
      })),
    );
  }

  async function nameIntrospectors({ resourceServerId, introspectedBy }: ResourceServer): Promise<void> {
    if (introspectedBy.length === 0) return;
    await knex('introspectors').insert(
      introspectedBy.map((clientId) => ({ resource_server_id: resourceServerId, client_id: clientId })),
    );
  }

  return {
    find,

    async insert(server) {
      const inserted: unknown[] = await allRows(knex, 'resource_servers')
        .insert(rowOf(server))
        .onConflict()
        .ignore()
        .returning('resource_server_id');
      if (inserted.length > 0) {
        await declare(server);
        await nameIntrospectors(server);
      }
      return inserted.length > 0;
    },

    async named(identifier) {
      const own = builtInNamed(identifier);
      const query = allRows(knex, 'resource_servers').select<AudienceJson[]>(AUDIENCE_COLUMNS);
      const [row] = await (own === undefined
        ? query.where('identifier_key', identifierKey(identifier)).forKeyShare()
        : query.where('resource_server_id', own));
      return row && audienceFromJson(row, builtIn);
    },

    async audiences(ids) {
      if (ids.length === 0) return [];
      const rows = await allRows(knex, 'resource_servers')
        .whereIn('resource_server_id', [...ids])
        .select<AudienceJson[]>(AUDIENCE_COLUMNS);
      return rows.map((row) => audienceFromJson(row, builtIn));
    },

    async lock(company, id) {
      // Lock first, then read: a single statement would read the declared permissions as they were before it got the
      // lock.
      await seenRows(knex, 'resource_servers', company).where({ resource_server_id: id }).forUpdate().select('name');
      return find(company, id);
    },

    async candidates(company, { names, identifiers }) {
      const { rows } = await knex.raw<{ rows: (AudienceJson & { declared: string[]; anything: boolean })[] }>(
        'select * from candidate_resource_servers(?, ?::text[], ?::text[])',
        [company ?? null, [...names], identifiers.map(identifierKey)],
      );
      return rows.map(({ declared, anything, ...row }) => ({
        ...audienceFromJson(row, builtIn),
        declares: anything ? 'any' : new Set(declared),
      }));
    },

    async list(company, { search }, page) {
      const query = seenRows(knex, 'resource_servers', company);
      if (search !== undefined) void startingWith(query, search, 'lower(name)');
      newestFirst(query, NEWEST, page);
      return pageOf(
        await withParts(lightEnough(knex, 'resource_servers', query, NEWEST, WEIGHT)),
        page,
        (row) => serverFromRow(row, builtIn),
        ({ createdAt: time, resourceServerId: id }) => ({ time, id }),
      );
    },

    async update(server, declared) {
      const { resourceServerId: id } = server;
      await ownRows(knex, 'resource_servers', server.company).where({ resource_server_id: id }).update(rowOf(server));
      await knex('introspectors').where({ resource_server_id: id }).delete('client_id');
      await nameIntrospectors(server);
      if (!declared) return;
      await knex('declared_permissions').where({ resource_server_id: id }).delete('name');
      await declare(server);
    },

    async introspects(clientId, identifier) {
      const own = builtInNamed(identifier);
      const query = knex('introspectors').where({ client_id: clientId });
      void (own === undefined
        ? query
            .join('resource_servers', 'resource_servers.resource_server_id', 'introspectors.resource_server_id')
            .where('identifier_key', identifierKey(identifier))
        : query.where('resource_server_id', own));
      return (await query.first('client_id')) !== undefined;
    },

    async delete(id, at) {
      const { rows } = await knex.raw<{ rows: DeletedCredential[] }>(
        `with gone as (delete from credentials where audience = ? returning credential_id, client_id, company_id, type),
           revoked as (update status_entries set revoked_at = ? from gone where ${OF_GONE})
         select type, credential_id as "credentialId", client_id as "clientId", company_id as company from gone`,
        [id, at],
      );
      await allRows(knex, 'resource_servers').where({ resource_server_id: id }).delete('resource_server_id');
      return rows.map(({ company, ...credential }) => ({ ...credential, company: company ?? undefined }));
    },

    async uses(id, except, limit) {
      const others = except === undefined ? '' : 'and not (name = any(:except))';
      const bindings = { id, limit, ...(except !== undefined && { except: [...except] }) };
      // Rows of all: every company may use a resource server of root.
      const ofAccounts =
        except === undefined
          ? `union all select 'service_account', client_id, null from service_accounts where audience = :id
             union select 'service_account', client_id, null from credentials where audience = :id`
          : '';
      const { rows } = await knex.raw<{ rows: { by: Use['by']; id: string; permission: string | null }[] }>(
        `select case when client_id is null then 'group' else 'service_account' end as by,
           coalesce(client_id, group_id) as id, name as permission
         from grants where resource_server = :id ${others}
         union all
         select 'role', role_id, permission from role_permissions join roles using (role_key)
         where resource_server = :id ${others.replaceAll('name', 'permission')}
         ${ofAccounts}
         order by by, id, permission limit :limit`,
        bindings,
      );
      return rows.map(({ by, id: user, permission }) => ({ by, id: user, permission: permission ?? undefined }));
    },

    async withdraw(id, except) {
      await allRows(knex, 'grants')
        .where({ resource_server: id })
        .whereNotIn('name', [...except])
        .delete('grant_id');
      await knex('role_permissions')
        .where({ resource_server: id })
        .whereNotIn('permission', [...except])
        .delete('role_key');
      await allRows(knex, 'grantable')
        .where({ resource_server: id })
        // A row without a permission stands for all that the resource server declares, at any time.
        .whereNotNull('permission')
        .whereNotIn('permission', [...except])
        .delete('company_id');
    },
  };
}

function rowOf(server: ResourceServer): Record<string, unknown> {
  const builtIn = isBuiltInServer(server.resourceServerId);
  return {
    resource_server_id: server.resourceServerId,
    company_id: server.company ?? null,
    identifier: builtIn ? null : server.identifier,
    identifier_key: builtIn ? null : identifierKey(server.identifier),
    name: server.name,
    token_ttl: server.tokenTtl ?? null,
    signing_alg: server.signingAlg ?? null,
    token_type: server.tokenType,
    sender_constraint: server.senderConstraint,
    created_at: server.createdAt,
    created_by: server.createdBy ?? null,
    updated_at: server.updatedAt,
    revision: server.revision,
  };
}

function serverFromRow(row: ResourceServerRow, builtIn: BuiltInIdentifiers): ResourceServer {
  return {
    ...audienceFromJson(row, builtIn),
    name: row.name,
    permissions: row.permissions.map(({ name, description }): DeclaredPermission => ({
      name,
      description: description ?? undefined,
    })),
    introspectedBy: row.introspected_by,
    createdAt: row.created_at,
    createdBy: row.created_by ?? undefined,
    updatedAt: row.updated_at,
    revision: row.revision,
  };
}
