/** SQL for the rows of a table that belong to the account in scope: its id and its company say so. */
export function ofAccount(table: 'credentials' | 'grants'): string {
  return `${table}.client_id = service_accounts.client_id
    and ${table}.company_id is not distinct from service_accounts.company_id`;
}
