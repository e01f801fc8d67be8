import type { Knex } from 'knex';

/** The tables whose rows say which proof of possession tokens need. */
const TABLES = ['service_accounts', 'resource_servers'];

/** An earlier release ignores the columns: a node of that release issues tokens without the proof until it is replaced. */
export async function up(knex: Knex): Promise<void> {
  for (const name of TABLES) {
    await knex.schema.alterTable(name, (table) => {
      table.text('sender_constraint').notNullable().defaultTo('none');
    });
  }
}

export async function down(knex: Knex): Promise<void> {
  for (const name of TABLES) {
    await knex.schema.alterTable(name, (table) => {
      table.dropColumn('sender_constraint');
    });
  }
}
