import type { Knex } from 'knex';

/** An index to find the company of a deleted account by the id of the account. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(
    `create index audit_events_of_new_accounts on audit_events (target) where action = 'service_account.created'`,
  );
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('drop index audit_events_of_new_accounts');
}
