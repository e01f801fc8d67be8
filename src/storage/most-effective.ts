import type { EffectiveHolders } from '../domain/service-accounts/service-account-store.ts';
import type { Tables } from './transaction.ts';

/** The most holders of one role that are checked: if others have more than the limit, the rest is ignored when read. */
const MOST_HOLDERS = 1000;

/** SQL for the ids of the accounts, as `client_id`, with the values of its parameters. */
function holders(of: EffectiveHolders): { sql: string; bindings: Record<string, string | string[]> } {
  if ('roleKey' in of) {
    return {
      sql: `
        select client_id from grants where role_key = :role and client_id is not null
        union
        select group_members.client_id from grants
          join group_members on group_members.company_id = grants.company_id and group_members.group_id = grants.group_id
          where role_key = :role
        limit ${MOST_HOLDERS}`,
      bindings: { role: of.roleKey },
    };
  }
  if ('groupId' in of) {
    return {
      sql: 'select client_id from group_members where company_id = :company and group_id = :group',
      bindings: { company: of.company, group: of.groupId },
    };
  }
  return { sql: 'select unnest(:ids::text[]) as client_id', bindings: { ids: [...of.clientIds] } };
}

/**
 * The number of permissions of the account that has the most among the given accounts. Each way to a permission counts.
 * The statement only adds numbers: no role is expanded.
 */
export async function mostEffective(tables: Tables, of: EffectiveHolders): Promise<number> {
  const { sql, bindings } = holders(of);
  const { rows } = await tables.raw<{ rows: { most: number }[] }>(
    `with holders as (${sql}), memberships as (
       select group_members.* from group_members join holders using (client_id)
     ), relevant as (
       select client_id, company_id, group_id, role_key from grants where client_id in (select client_id from holders)
       union all
       select null, company_id, group_id, role_key from grants
       where (company_id, group_id) in (select company_id, group_id from memberships)
     ), sizes as (
       select role_key, greatest(1, (
         select count(*) from role_permissions where role_permissions.role_key = held.role_key
       )) as size
       from (select distinct role_key from relevant where role_key is not null) as held
     ), weighed as (
       select client_id, company_id, group_id, sum(coalesce(size, 1)) as weight
       from relevant left join sizes using (role_key) group by client_id, company_id, group_id
     ), ways as (
       select client_id, weight from weighed where client_id is not null
       union all
       select memberships.client_id, weight from memberships join weighed using (company_id, group_id)
       where weighed.client_id is null
     )
     select coalesce(max(total), 0)::int as most
     from (select sum(weight) as total from ways group by client_id) as totals`,
    bindings,
  );
  return rows[0]?.most ?? 0;
}
