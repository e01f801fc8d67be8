import { MOST_EFFECTIVE } from '../permissions/rules/holdings.ts';

/** The things of a company that are counted against its limits. */
export const COUNTED = ['serviceAccounts', 'credentials', 'groups', 'roles', 'resourceServers'] as const;
export type Counted = (typeof COUNTED)[number];

/** How many of each counted thing there are. */
export type Used = Partial<Record<Counted, number>>;

/** The limits of a company; `permissions`: the most permissions of one account, counting each way to a permission. */
export const LIMITS = [...COUNTED, 'permissions'] as const;
export type Limit = (typeof LIMITS)[number];

export type Limits = Readonly<Record<Limit, number>>;

/** Changes of the limits of a company; null deletes the company's own limit, so that the server's limit holds. */
export type LimitChanges = Partial<Record<Limit, number | null>>;

/** The limits of a company for which neither root nor the settings say otherwise. */
export const STANDARD_LIMITS: Limits = {
  serviceAccounts: 10_000,
  credentials: 20_000,
  groups: 1000,
  roles: 1000,
  resourceServers: 1000,
  permissions: MOST_EFFECTIVE,
};

/** The greatest value of each limit. */
export const MOST: Limits = {
  serviceAccounts: 1_000_000,
  credentials: 1_000_000,
  groups: 100_000,
  roles: 100_000,
  resourceServers: 100_000,
  permissions: MOST_EFFECTIVE,
};

/** Applies a JSON merge patch (RFC 7396) of one level to limits. The members are always in the order of `LIMITS`. */
export function mergedLimits(before: Partial<Limits>, patch: LimitChanges = {}): Partial<Limits> {
  return Object.fromEntries(
    LIMITS.flatMap((name) => {
      const value = patch[name] === undefined ? before[name] : patch[name];
      return value === undefined || value === null ? [] : [[name, value]];
    }),
  );
}
