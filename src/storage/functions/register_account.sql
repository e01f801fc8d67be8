-- Registers an account as register_service_account does, and counts the account if its company has limits: called by
-- storage/service-accounts-table.ts. The answer is null when the account cannot be registered, and otherwise the answer
-- of company_added.
create or replace function register_account(
  account jsonb, its_credentials jsonb, its_grants jsonb, at_most_allowed jsonb, at timestamptz
) returns jsonb language plpgsql as $$
begin
  if not register_service_account(account, its_credentials, its_grants) then return null; end if;
  if at_most_allowed is null then return '{}'; end if;
  return company_added(
    account ->> 'company_id',
    jsonb_build_object('serviceAccounts', 1, 'credentials', jsonb_array_length(its_credentials)),
    at_most_allowed,
    at
  );
end $$;
