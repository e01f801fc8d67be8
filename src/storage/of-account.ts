/** SQL for whether a row of a table belongs to the account in scope: both the id and the company must be equal. */
export function ofAccount(table: 'credentials' | 'grants'): string {
  return `${table}.client_id = service_accounts.client_id
    and ${table}.company_id is not distinct from service_accounts.company_id`;
}
