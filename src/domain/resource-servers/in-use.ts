import { DomainError } from '../domain-error.ts';
import type { Use } from './resource-server-store.ts';

/** The most uses that a message or an audit event names. */
export const MOST_NAMED = 10;

const NOUN = { service_account: 'service account', group: 'group', role: 'role' } as const;

/**
 * Refuses to delete something that is in use: a caller must ask for the removal from its users with `cascade`.
 *
 * @param uses one more than {@link MOST_NAMED} when there are more
 * @throws DomainError `in_use`, naming the users and the permissions that they would lose
 */
export function assertUnused(uses: readonly NamedUse[]): void {
  if (uses.length === 0) return;
  throw new DomainError('in_use', `It is used by ${named(uses).join(', ')}: ?cascade=true takes it from them`);
}

type NamedUse = Pick<Use, 'by' | 'id'> & Partial<Use>;

function named(uses: readonly NamedUse[]): string[] {
  const shown = uses
    .slice(0, MOST_NAMED)
    .map(({ by, id, permission }) => `${NOUN[by]} ${id}${permission === undefined ? '' : ` (${permission})`}`);
  return uses.length > MOST_NAMED ? [...shown, 'others'] : shown;
}

/** The details for the audit: the users that have lost a permission or a role. */
export function takenFrom(uses: readonly NamedUse[]): { readonly takenFrom?: readonly string[] } {
  return uses.length === 0 ? {} : { takenFrom: named(uses) };
}
