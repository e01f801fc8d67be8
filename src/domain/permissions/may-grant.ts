import { DomainError } from '../domain-error.ts';
import type { Caller } from '../service-accounts/caller.ts';
import type { Grant } from './grant.ts';
import { holdingsOf } from './holdings.ts';

/**
 * Nobody grants what they do not hold, unless they hold `writ.permissions.grant`.
 *
 * @throws DomainError `forbidden`, naming what the caller does not hold
 */
export function assertMayGrant(caller: Caller, grants: readonly Grant[]): void {
  if (caller.permissions.has('writ.permissions.grant')) return;
  const missing = [...holdingsOf(grants)].flatMap(([server, permissions]) => {
    // At the management API the token counts, not only the account: a narrowed token grants less.
    const held: ReadonlySet<string> | undefined =
      server === 'management' ? caller.permissions : caller.holdings.get(server);
    return [...permissions].filter((permission) => held?.has(permission) !== true);
  });
  if (missing.length > 0) {
    throw new DomainError('forbidden', `Nobody grants what they do not hold: ${missing.join(' ')}`);
  }
}
