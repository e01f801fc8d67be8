import { DomainError } from '../domain-error.ts';
import type { CompanyId } from '../ids.ts';
import type { Caller } from '../service-accounts/caller.ts';
import type { Grant } from './grant.ts';
import { holdingsOf } from './holdings.ts';
import { ROOT_ONLY } from './management-permissions.ts';

/**
 * Nobody grants what they do not hold, unless they hold `writ.permissions.grant`; and what reaches beyond a company is
 * granted to root accounts only.
 *
 * @param company of the account that is to have the grants
 * @throws DomainError `forbidden`, naming what the caller does not hold, or what the account may not
 */
export function assertMayGrant(caller: Caller, grants: readonly Grant[], company: CompanyId | undefined): void {
  if (!caller.permissions.has('writ.permissions.grant')) assertHolds(caller, grants);
  const beyond = grants.flatMap((grant) =>
    grant.kind === 'permission' && ROOT_ONLY.has(grant.permission) ? [grant.permission] : [],
  );
  if (company !== undefined && beyond.length > 0) {
    throw new DomainError('forbidden', `Only root accounts may hold ${beyond.join(' ')}`);
  }
}

function assertHolds(caller: Caller, grants: readonly Grant[]): void {
  const missing = [...holdingsOf(grants, undefined)].flatMap(([server, permissions]) => {
    // At the management API the token counts, not only the account: a narrowed token grants less.
    const held: ReadonlySet<string> | undefined =
      server === 'management' ? caller.permissions : caller.holdings.get(server);
    return [...permissions].filter((permission) => held?.has(permission) !== true);
  });
  if (missing.length > 0) {
    throw new DomainError('forbidden', `Nobody grants what they do not hold: ${missing.join(' ')}`);
  }
}
