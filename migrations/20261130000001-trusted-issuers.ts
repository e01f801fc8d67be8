import type { Knex } from 'knex';

/** Issuers whose tokens may stand for accounts: of root (`company_id` is null), or of one company. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(
    `create table trusted_issuers (
       trusted_issuer_id text primary key,
       company_id text references companies on delete cascade,
       issuer text not null,
       name text not null,
       audience text,
       keys jsonb not null,
       algorithms jsonb not null,
       max_token_age integer not null,
       replay text not null,
       state text not null default 'enabled',
       created_at timestamptz not null,
       created_by text,
       updated_at timestamptz not null,
       revision integer not null default 1
     )`,
  );
  await knex.raw(
    'create unique index trusted_issuers_of_companies on trusted_issuers (company_id, issuer) where company_id is not null',
  );
  await knex.raw('create unique index trusted_issuers_of_root on trusted_issuers (issuer) where company_id is null');
  await knex.raw('create index trusted_issuers_created on trusted_issuers (created_at, trusted_issuer_id)');
  await knex.raw(`create index credentials_of_issuers on credentials ((data ->> 'issuer'), (data ->> 'subject'))
     where type = 'federated'`);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('drop index credentials_of_issuers');
  await knex.raw('drop table trusted_issuers');
}
