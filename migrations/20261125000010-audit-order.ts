import type { Knex } from 'knex';

/**
 * The order in which events came to be seen. Their times are no order to follow them by: what commits late is older than
 * what has been read already. Events of before get their positions in the background, by their times.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.schema.alterTable('audit_events', (table) => {
    table.bigInteger('position');
  });
  await knex.raw('create unique index audit_events_position on audit_events (position)');
  await knex.raw(
    'create index audit_events_of_companies on audit_events (company_id, position) where company_id is not null',
  );
  await knex.raw(
    'create index audit_events_without_position on audit_events (occurred_at, event_id) where position is null',
  );
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.alterTable('audit_events', (table) => {
    table.dropColumn('position');
  });
}
