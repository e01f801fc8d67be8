import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.schema.alterTable('credentials', (table) => {
    table.text('name');
    table.text('description');
    table.text('state').notNullable().defaultTo('enabled');
    table.timestamp('expires_at');
    table.integer('lifetime');
    table.jsonb('permissions');
    table.text('successor');
    table.integer('revision').notNullable().defaultTo(1);
  });
  await knex.raw(
    `create unique index credentials_name_unique on credentials (client_id, name) where state <> 'ending'`,
  );
  await knex.raw(`create index credentials_ended on credentials (expires_at) where state = 'ending'`);
}

export async function down(knex: Knex): Promise<void> {
  await knex('credentials').where({ state: 'ending' }).delete();
  for (const index of ['credentials_ended', 'credentials_name_unique']) {
    await knex.raw('drop index ??', [index]);
  }
  await knex.schema.alterTable('credentials', (table) => {
    for (const column of [
      'name',
      'description',
      'state',
      'expires_at',
      'lifetime',
      'permissions',
      'successor',
      'revision',
    ]) {
      table.dropColumn(column);
    }
  });
}
