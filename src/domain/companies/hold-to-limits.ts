import { DomainError } from '../domain-error.ts';
import { assertEffective } from '../permissions/rules/holdings.ts';
import type { CompanyId } from '../ids.ts';
import type { Stores } from '../storage.ts';
import { COUNTED, type Limit, type Limits, type Used } from './company-limits.ts';
import type { KeptCompany } from './company-store.ts';

/** The words for each limit in a message. */
const WORDS: Readonly<Record<Limit, string>> = {
  serviceAccounts: 'service accounts',
  credentials: 'credentials that work',
  groups: 'groups',
  roles: 'roles',
  resourceServers: 'resource servers',
  permissions: 'permissions in one account',
};

/**
 * Finds the company to which something will be added. Nobody deletes the company or changes its limits until the end of
 * the transaction.
 *
 * @param company undefined: root
 * @returns undefined for root
 * @throws DomainError `not_found`
 */
export async function keepOwner(
  { companies }: Pick<Stores, 'companies'>,
  company: CompanyId | undefined,
): Promise<KeptCompany | undefined> {
  if (company === undefined) return undefined;
  const kept = await companies.keep(company);
  if (kept === undefined) throw new DomainError('not_found', 'There is no such company');
  return kept;
}

/**
 * Holds a company to its limits after something has been added to it. Two requests at once must not pass a limit
 * together: the second request waits here until the first one has ended.
 *
 * @param owner undefined: root, which has no limits
 * @param server the limits of a company without limits of its own
 * @param added how many of each thing have been added
 * @param now the time before which expired credentials do not count
 * @throws DomainError `limit_reached`
 */
export async function assertRoom(
  { companies }: Pick<Stores, 'companies'>,
  owner: KeptCompany | undefined,
  server: Limits,
  added: Used,
  now: Date,
): Promise<void> {
  if (owner === undefined) return;
  const limits = limitsOf(owner, server);
  assertWithin(limits, await companies.countAdded(owner.companyId, added, limits, now), added);
}

/** The limits that hold for a company: its own limits, and the server's for the others. */
export function limitsOf({ limits }: Pick<KeptCompany, 'limits'>, server: Limits): Limits {
  return { ...server, ...limits };
}

/**
 * Refuses numbers that are more than their limits.
 *
 * @param used how many of each thing there are, including the added ones; the others are within their limits
 * @param added how many of each thing have been added
 * @throws DomainError `limit_reached`
 */
export function assertWithin(limits: Limits, used: Used, added: Used): void {
  for (const name of COUNTED) {
    const count = used[name];
    if (count !== undefined && count > limits[name]) throw reached(name, limits[name], count - (added[name] ?? 0));
  }
}

/**
 * Holds the number of permissions of an account to the limit of its company, and to the limit for every account.
 *
 * @param company undefined: the account is a root account
 * @param server the limits of a company without limits of its own
 * @param count the number of permissions that the account would have
 * @throws DomainError `limit_reached`
 */
export function assertPermissions(company: KeptCompany | undefined, server: Limits, count: number): void {
  assertEffective(count);
  if (company === undefined) return;
  const most = company.limits.permissions ?? server.permissions;
  if (count > most) throw reached('permissions', most, count);
}

function reached(name: Limit, most: number, used: number): DomainError {
  const has = name === 'permissions' ? 'it would have' : 'it has';
  return new DomainError(
    'limit_reached',
    `The company may have at most ${most} ${WORDS[name]}, and ${has} ${used}. A root account that manages companies can raise its limit ${name}`,
    { limit: { name, most, used } },
  );
}
