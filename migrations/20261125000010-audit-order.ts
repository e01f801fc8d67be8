import type { Knex } from 'knex';

/**
 * The order in which events came to be seen. Their times are no order to follow them by: what commits late is older than
 * what has been read already.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.schema.alterTable('audit_events', (table) => {
    table.bigInteger('position');
  });
  await knex.raw(
    `update audit_events set position = numbered.position
     from (select event_id, row_number() over (order by occurred_at, event_id) as position from audit_events) as numbered
     where numbered.event_id = audit_events.event_id`,
  );
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
