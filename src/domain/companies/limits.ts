import { DomainError } from '../domain-error.ts';

/** What the things of a company are counted as. */
export const COUNTED = ['serviceAccounts', 'credentials', 'groups', 'roles', 'resourceServers'] as const;
export type Counted = (typeof COUNTED)[number];

/** Every limit of a company; `permissions`: how many one of its accounts has at most, each way to one counted. */
export const LIMITS = [...COUNTED, 'permissions'] as const;
export type Limit = (typeof LIMITS)[number];

export type Limits = Readonly<Record<Limit, number>>;

/** The limits of companies of which neither root nor the settings say anything. */
export const STANDARD_LIMITS: Limits = {
  serviceAccounts: 10_000,
  credentials: 20_000,
  groups: 1000,
  roles: 1000,
  resourceServers: 1000,
  permissions: 10_000,
};

/** The most that a limit can be. */
export const MOST: Limits = {
  serviceAccounts: 1_000_000,
  credentials: 1_000_000,
  groups: 100_000,
  roles: 100_000,
  resourceServers: 100_000,
  permissions: 10_000,
};

/** How a limit is called in a sentence. */
const WORDS: Readonly<Record<Limit, string>> = {
  serviceAccounts: 'service accounts',
  credentials: 'credentials that work',
  groups: 'groups',
  roles: 'roles',
  resourceServers: 'resource servers',
  permissions: 'permissions in one account',
};

/** A company as far as its limits go, counted after nobody else could add to it. */
export interface CountedCompany {
  /** The limits that are its own. */
  readonly limits: Partial<Limits>;
  /** Of everything that was counted, how many there are. */
  readonly used: Partial<Record<Counted, number>>;
}

/**
 * @param company undefined: root, which has no limits
 * @param server the limits of a company that has none of its own
 * @param adding of everything that is to be added, how many
 * @throws DomainError `limit_reached`
 */
export function assertRoom(
  company: CountedCompany | undefined,
  server: Limits,
  adding: Partial<Record<Counted, number>>,
): void {
  if (company === undefined) return;
  for (const name of COUNTED) {
    const count = adding[name] ?? 0;
    if (count === 0) continue;
    const used = company.used[name];
    if (used === undefined) throw new Error(`the ${name} of a company were not counted`);
    const most = company.limits[name] ?? server[name];
    if (used + count > most) throw reached(name, most, used);
  }
}

/**
 * @param count how many permissions an account of the company comes to have
 * @throws DomainError `limit_reached`
 */
export function assertPermissions(
  company: Pick<CountedCompany, 'limits'> | undefined,
  server: Limits,
  count: number,
): void {
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
