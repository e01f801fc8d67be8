-- The credentials that can get tokens by the states of credential, account and company: read by settle_status_entries.
create or replace view live_credentials as
  select credential_id, client_id, credentials.company_id from credentials
  join service_accounts using (client_id) left join companies on companies.company_id = service_accounts.company_id
  where credentials.state <> 'disabled' and service_accounts.state = 'enabled'
    and companies.state is distinct from 'disabled';
