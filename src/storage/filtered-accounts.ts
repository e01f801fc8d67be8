import type { Knex } from 'knex';
import { parseScopeToken } from '../domain/permissions/scope-token.ts';
import type { ServiceAccountFilter } from '../domain/service-accounts/service-account-store.ts';
import { ofAccount } from './of-account.ts';
import { startingWith } from './paging.ts';

/** Narrows a query to the accounts in scope that pass a filter. */
export function filteredAccounts<Query extends Knex.QueryBuilder>(
  query: Query,
  { state, clientId, slug, permission, role, search, lastUsedBefore, expiringBefore }: ServiceAccountFilter,
): Query {
  if (state !== undefined) void query.where('service_accounts.state', state);
  if (clientId !== undefined) void query.where('service_accounts.client_id', clientId);
  if (slug !== undefined) void query.where('service_accounts.slug', slug);
  for (const [kind, wanted] of Object.entries({ permission, role })) {
    if (wanted !== undefined) {
      const { name, place } = parseScopeToken(wanted) ?? { name: wanted, place: wanted };
      void query.whereRaw(
        `exists (select from grants where ${ofAccount('grants')} and kind = ? and grants.name = ? and place = ?)`,
        [kind, name, place],
      );
    }
  }
  if (lastUsedBefore !== undefined) {
    void query.whereRaw(
      'not exists (select from last_uses where last_uses.client_id = service_accounts.client_id and used_at >= ?)',
      [lastUsedBefore],
    );
  }
  if (expiringBefore !== undefined) {
    void query.whereRaw(
      `exists (select from credentials where ${ofAccount('credentials')} and credentials.state = 'enabled'
        and expires_at < ?)`,
      [expiringBefore],
    );
  }
  if (search !== undefined) {
    void startingWith(query, search, 'service_accounts.slug', 'lower(service_accounts.name)');
  }
  return query;
}
