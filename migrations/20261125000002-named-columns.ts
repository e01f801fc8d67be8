import type { Knex } from 'knex';

/**
 * The function that registers an account names the columns that it fills: others get their defaults, so that a node of this release
 * goes on registering when a later one has added a column.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(
    registerServiceAccount({
      account: `(${ACCOUNT.join(', ')}) values (${ACCOUNT.map((column) => `made.${column}`).join(', ')})`,
      credentials: `(${CREDENTIAL.join(', ')}) select ${CREDENTIAL.join(', ')}`,
      grants: `(${GRANT.join(', ')}) select ${GRANT.join(', ')}`,
    }),
  );
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(registerServiceAccount({ account: 'values (made.*)', credentials: 'select *', grants: 'select *' }));
}

const ACCOUNT = [
  'client_id',
  'company_id',
  'slug',
  'name',
  'description',
  'state',
  'audience',
  'token_ttl',
  'metadata',
  'created_at',
  'created_by',
  'updated_at',
  'revision',
];

const CREDENTIAL = [
  'credential_id',
  'client_id',
  'company_id',
  'type',
  'secret_hash',
  'hint',
  'kid',
  'data',
  'audience',
  'created_at',
  'name',
  'description',
  'state',
  'expires_at',
  'lifetime',
  'expires_by_policy',
  'extend',
  'rotated_from',
  'permissions',
  'successor',
  'revision',
];

const GRANT = [
  'grant_id',
  'client_id',
  'company_id',
  'group_id',
  'kind',
  'name',
  'place',
  'resource_server',
  'qualified',
  'role_key',
];

function registerServiceAccount(into: { account: string; credentials: string; grants: string }): string {
  return `
    create or replace function register_service_account(account jsonb, its_credentials jsonb, its_grants jsonb)
    returns boolean language plpgsql as $$
    declare
      made service_accounts := jsonb_populate_record(null::service_accounts, account);
    begin
      if exists (
        select from service_accounts where client_id = made.slug and company_id is not distinct from made.company_id
      ) then return false; end if;
      insert into service_accounts ${into.account} on conflict do nothing;
      if not found then return false; end if;
      insert into credentials ${into.credentials} from jsonb_populate_recordset(null::credentials, its_credentials);
      insert into grants ${into.grants} from jsonb_populate_recordset(null::grants, its_grants);
      perform allot_status_entries(array_agg(credential_id), array_agg(client_id), made.company_id)
      from jsonb_populate_recordset(null::credentials, its_credentials);
      return true;
    end $$`;
}
