import type { Knex } from 'knex';

/**
 * The position of an event in the order in which events can be read. A reader cannot follow events by their times: an
 * event that is committed late is older than events that have been read already. Existing events get their positions in
 * the background, by their times.
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
