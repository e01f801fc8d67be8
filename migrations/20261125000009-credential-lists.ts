import type { Knex } from 'knex';

/** Indexes for lists of all credentials, of a company's, and of root's. The second also serves to count them. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw('create index credentials_created on credentials (created_at, credential_id)');
  await knex.raw(
    `create index credentials_of_companies on credentials (company_id, created_at, credential_id)
     where company_id is not null`,
  );
  await knex.raw(
    'create index credentials_of_root on credentials (created_at, credential_id) where company_id is null',
  );
  await knex.raw('drop index credentials_company_id');
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('create index credentials_company_id on credentials (company_id) where company_id is not null');
  for (const index of ['credentials_of_root', 'credentials_of_companies', 'credentials_created']) {
    await knex.raw('drop index ??', [index]);
  }
}
