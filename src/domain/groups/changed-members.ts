import { DomainError, type FieldProblem } from '../domain-error.ts';
import type { ClientId, CompanyId } from '../ids.ts';
import type { Stores } from '../storage.ts';
import type { GroupSnapshot } from './group.ts';

/** Changes of the members of a group, by their ids or slugs. */
export interface MemberChanges {
  /** All members, instead of the present ones. */
  readonly members?: readonly string[] | undefined;
  readonly addMembers?: readonly string[] | undefined;
  /** Accounts that are not members are ignored. */
  readonly removeMembers?: readonly string[] | undefined;
  /** The account must be a member. */
  readonly removeMember?: string | undefined;
}

/**
 * Finds out which accounts join a group and which leave it.
 *
 * @throws DomainError `invalid_value` with a pointer for each account that does not exist, `not_found` when the account
 *   of `removeMember` is not a member
 */
export async function changedMembers(
  stores: Stores,
  { group, members: before }: GroupSnapshot,
  { members, addMembers, removeMembers, removeMember }: MemberChanges,
): Promise<{ joined: ClientId[]; left: ClientId[] }> {
  if (members !== undefined) {
    const then = await identified(stores, group.company, members);
    return {
      joined: then.filter((clientId) => !before.includes(clientId)),
      left: before.filter((clientId) => !then.includes(clientId)),
    };
  }
  if (addMembers !== undefined) {
    const joining = await identified(stores, group.company, addMembers);
    return { joined: joining.filter((clientId) => !before.includes(clientId)), left: [] };
  }
  const leaving = removeMember === undefined ? (removeMembers ?? []) : [removeMember];
  const ids = new Map(
    (await stores.serviceAccounts.identify(group.company, leaving)).map(({ clientId, slug }) => [slug, clientId]),
  );
  const left = before.filter(
    (clientId) => leaving.includes(clientId) || leaving.some((slug) => ids.get(slug) === clientId),
  );
  if (removeMember !== undefined && left.length === 0) {
    throw new DomainError('not_found', 'There is no such member of the group');
  }
  return { joined: [], left };
}

/** Finds accounts by ids or slugs. @throws DomainError `invalid_value` with a pointer for each that does not exist */
async function identified(
  { serviceAccounts }: Stores,
  company: CompanyId,
  wanted: readonly string[],
): Promise<ClientId[]> {
  const accounts = await serviceAccounts.identify(company, wanted);
  const bySlug = new Map(accounts.map(({ slug, clientId }) => [slug, clientId]));
  const byId = new Map<string, ClientId>(accounts.map(({ clientId }) => [clientId, clientId]));
  const fields: FieldProblem[] = [];
  const clientIds = wanted.flatMap((text, index) => {
    const clientId = byId.get(text) ?? bySlug.get(text);
    if (clientId !== undefined) return [clientId];
    fields.push({ pointer: `/members/${index}`, message: 'is no service account of the company' });
    return [];
  });
  if (fields.length > 0) throw new DomainError('invalid_value', 'There are no such service accounts', { fields });
  return clientIds;
}
