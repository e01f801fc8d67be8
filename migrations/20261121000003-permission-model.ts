import type { Knex } from 'knex';

/** The built-in roles; their permissions at the management API are in the code. */
const ROLES = ['root', 'guest', 'reporter', 'developer', 'maintainer', 'project-admin', 'company-owner'];

export async function up(knex: Knex): Promise<void> {
  await knex.schema.createTable('resource_servers', (table) => {
    table.text('resource_server_id').primary();
    table.text('company_id').references('companies.company_id').onDelete('CASCADE');
    // The identifiers of the built-in resource servers are settings.
    table.text('identifier');
    table.text('identifier_key').unique();
    table.text('name').notNullable();
    table.integer('token_ttl');
    table.text('signing_alg');
    table.text('token_type').notNullable();
    described(knex, table);
    table.index(['company_id', 'created_at', 'resource_server_id']);
  });
  await knex.schema.createTable('declared_permissions', (table) => {
    table.text('resource_server_id').notNullable();
    table.foreign('resource_server_id').references('resource_servers.resource_server_id').onDelete('CASCADE');
    table.text('name').notNullable();
    table.text('description');
    table.integer('position').notNullable();
    table.primary(['resource_server_id', 'name']);
    table.index(['name']);
  });
  await knex('resource_servers').insert([
    { resource_server_id: 'management', name: 'Management API', token_type: 'at+jwt' },
    { resource_server_id: 'default', name: 'Default', token_type: 'at+jwt' },
  ]);

  await knex.schema.createTable('roles', (table) => {
    table.text('role_key').primary();
    table.text('company_id').references('companies.company_id').onDelete('CASCADE');
    table.text('role_id').notNullable();
    table.text('name').notNullable();
    table.text('description');
    described(knex, table);
    table.index(['company_id', 'created_at', 'role_key']);
  });
  await knex.raw('create unique index roles_role_id_unique on roles (role_id, company_id) nulls not distinct');
  await knex.schema.createTable('role_permissions', (table) => {
    table.text('role_key').notNullable().references('roles.role_key').onDelete('CASCADE');
    table.text('permission').notNullable();
    table.text('resource_server').notNullable();
    table.foreign('resource_server').references('resource_servers.resource_server_id').onDelete('CASCADE');
    table.boolean('qualified').notNullable();
    table.primary(['role_key', 'permission', 'resource_server']);
    table.index(['resource_server', 'permission']);
  });
  await knex('roles').insert(ROLES.map((id) => ({ role_key: id, role_id: id, name: id })));

  await knex.schema.createTable('groups', (table) => {
    table.text('company_id').notNullable().references('companies.company_id').onDelete('CASCADE');
    table.text('group_id').notNullable();
    table.text('name').notNullable();
    described(knex, table);
    table.primary(['company_id', 'group_id']);
    table.index(['company_id', 'created_at', 'group_id']);
  });
  await knex.schema.createTable('group_members', (table) => {
    table.text('client_id').notNullable().references('service_accounts.client_id').onDelete('CASCADE');
    table.text('company_id').notNullable();
    table.text('group_id').notNullable();
    table
      .foreign(['company_id', 'group_id'])
      .references(['company_id', 'group_id'])
      .inTable('groups')
      .onDelete('CASCADE');
    table.primary(['client_id', 'company_id', 'group_id']);
    table.index(['company_id', 'group_id']);
  });

  await knex.schema.alterTable('grants', (table) => {
    table.dropUnique(['client_id', 'kind', 'name', 'resource_server']);
    table.setNullable('client_id');
    table.setNullable('resource_server');
    table.text('group_id');
    table.text('role_key').references('roles.role_key').onDelete('CASCADE');
    table.text('place').notNullable().defaultTo('');
    table.boolean('qualified').notNullable().defaultTo(false);
    table
      .foreign(['company_id', 'group_id'])
      .references(['company_id', 'group_id'])
      .inTable('groups')
      .onDelete('CASCADE');
  });
  await knex('grants')
    .where({ kind: 'role' })
    .update({ role_key: knex.ref('name'), resource_server: null });
  await knex.schema.alterTable('grants', (table) => {
    table.foreign('resource_server').references('resource_servers.resource_server_id').onDelete('CASCADE');
    table.check('(client_id is null) <> (group_id is null)', {}, 'grants_one_subject');
    table.check("(kind = 'role') = (role_key is not null)", {}, 'grants_role');
    table.check("(kind = 'permission') = (resource_server is not null)", {}, 'grants_permission');
  });
  await knex.raw(
    `create unique index grants_unique on grants (client_id, kind, name, place, resource_server, company_id, group_id, role_key)
     nulls not distinct`,
  );
  await knex.raw('create index grants_of_groups on grants (company_id, group_id) where group_id is not null');
  await knex.raw('create index grants_of_roles on grants (role_key) where role_key is not null');
  await knex.raw('create index grants_at on grants (resource_server, name) where resource_server is not null');

  await knex.schema.alterTable('service_accounts', (table) => {
    table.foreign('audience').references('resource_servers.resource_server_id').onDelete('SET NULL');
  });
  // The foreign key needs an index: a delete of a resource server looks for the accounts that refer to it.
  await knex.raw('create index service_accounts_audience on service_accounts (audience)');
}

function described(knex: Knex, table: Knex.CreateTableBuilder): void {
  table.timestamp('created_at').notNullable().defaultTo(knex.fn.now());
  table.text('created_by');
  table.timestamp('updated_at').notNullable().defaultTo(knex.fn.now());
  table.integer('revision').notNullable().defaultTo(1);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('drop index service_accounts_audience');
  await knex.schema.alterTable('service_accounts', (table) => table.dropForeign('audience'));
  await knex('service_accounts').whereNotIn('audience', ['management', 'default']).update({ audience: null });
  for (const index of ['grants_at', 'grants_of_roles', 'grants_of_groups', 'grants_unique']) {
    await knex.raw('drop index ??', [index]);
  }
  await knex.schema.alterTable('grants', (table) => {
    table.dropChecks(['grants_one_subject', 'grants_role', 'grants_permission']);
    table.dropForeign('resource_server');
    table.dropForeign(['company_id', 'group_id']);
  });
  await knex('grants')
    .whereNotNull('group_id')
    .orWhere('place', '<>', '')
    .orWhere((others) => others.where({ kind: 'role' }).whereNot({ role_key: 'root' }))
    .orWhereNotIn('resource_server', ['management', 'default'])
    .delete();
  await knex('grants').where({ kind: 'role' }).update({ resource_server: 'management' });
  await knex.schema.alterTable('grants', (table) => {
    for (const column of ['qualified', 'place', 'role_key', 'group_id']) table.dropColumn(column);
    table.dropNullable('resource_server');
    table.dropNullable('client_id');
    table.unique(['client_id', 'kind', 'name', 'resource_server']);
  });
  for (const table of [
    'group_members',
    'groups',
    'role_permissions',
    'roles',
    'declared_permissions',
    'resource_servers',
  ])
    await knex.schema.dropTable(table);
}
