import { covers } from '../permissions/scope-token.ts';
import type { Credential } from './credential.ts';
import { kindOf } from './kinds/kinds.ts';

/**
 * Whether a change lets a credential do more than before, or for longer. The change then needs the same rights as
 * adding a credential. For any other change, the permission to change credentials is enough.
 *
 * @param defaultMaxTtl the longest lifetime of an assertion in seconds, unless its key has one of its own
 */
export function widens(before: Credential, after: Credential, defaultMaxTtl: number): boolean {
  return (
    (before.state === 'disabled' && after.state === 'enabled') ||
    endsLater(before, after) ||
    asksForMore(before.permissions, after.permissions) ||
    (before.type === after.type && kindOf(before).widens(before, after, defaultMaxTtl))
  );
}

function endsLater(before: Credential, after: Credential): boolean {
  const end = ({ expiresAt }: Credential): number => expiresAt?.getTime() ?? Infinity;
  if (end(after) > end(before)) return true;
  return after.extend && (!before.extend || (after.lifetime ?? Infinity) > (before.lifetime ?? Infinity));
}

function asksForMore(before: readonly string[] | undefined, after: readonly string[] | undefined): boolean {
  if (before === undefined) return false;
  const could = new Set(before);
  return after === undefined || after.some((permission) => !covers(could, permission));
}
