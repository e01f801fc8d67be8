import { DomainError } from '../domain-error.ts';
import { assertMayActAs } from '../permissions/rules/may-grant.ts';
import { covers } from '../permissions/scope-token.ts';
import { BUILT_IN_ROLES, rankOf } from '../roles/built-in-roles.ts';
import { isRoleId, rolesByKey } from '../roles/role.ts';
import type { Caller } from '../service-accounts/caller.ts';
import type { AccountSnapshot } from '../service-accounts/service-account.ts';
import type { Stores } from '../storage.ts';

/**
 * Asserts that a caller may get a credential of an account. With the credential the caller could do everything that the
 * account may do, within the reach of the credential.
 *
 * @param subset the scope-tokens that the credential may ask for; undefined: everything that the account holds
 * @throws DomainError `forbidden` when the account may do more than the caller
 */
export async function assertMayHave(
  stores: Stores,
  caller: Caller,
  snapshot: AccountSnapshot,
  subset: readonly string[] | undefined,
): Promise<void> {
  const { account, grants, groups, audiences } = snapshot;
  const all = [...grants, ...groups.flatMap((group) => group.grants)];
  const lower = all.some((grant) => grant.kind === 'role' && rankOf(grant.roleKey) !== undefined)
    ? await stores.roles.visible(account.company, BUILT_IN_ROLES.filter(isRoleId))
    : [];
  const target = {
    company: account.company,
    self: caller.clientId === account.clientId,
    roles: new Map([...rolesByKey(lower), ...snapshot.roles]),
    audiences,
  };
  await assertMayActAs(stores, caller, all, target, subset && new Set(subset));
}

/** @throws DomainError `invalid_value` for scope-tokens that the account holds at no resource server */
export function assertHeld({ holdings }: AccountSnapshot, subset: readonly string[] | undefined): void {
  const held = [...holdings.values()];
  const fields = (subset ?? []).flatMap((token, index) =>
    held.some((tokens) => covers(tokens, token))
      ? []
      : [{ pointer: `/permissions/${index}`, message: 'is not held by the account' }],
  );
  if (fields.length > 0)
    throw new DomainError('invalid_value', 'The account does not hold all of these permissions', { fields });
}
