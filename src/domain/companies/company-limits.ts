import { MOST_EFFECTIVE } from '../permissions/rules/holdings.ts';

/** Everything of a company that is counted. */
export const COUNTED = ['serviceAccounts', 'credentials', 'groups', 'roles', 'resourceServers'] as const;
export type Counted = (typeof COUNTED)[number];

/** Numbers of what is counted. */
export type Used = Partial<Record<Counted, number>>;

/** Every limit of a company; `permissions`: how many one of its accounts has at most, each way to one counted. */
export const LIMITS = [...COUNTED, 'permissions'] as const;
export type Limit = (typeof LIMITS)[number];

export type Limits = Readonly<Record<Limit, number>>;

/** Changes of the limits of a company; null takes a limit away, so that the server's holds. */
export type LimitChanges = Partial<Record<Limit, number | null>>;

/** The limits of companies of which neither root nor the settings say anything. */
export const STANDARD_LIMITS: Limits = {
  serviceAccounts: 10_000,
  credentials: 20_000,
  groups: 1000,
  roles: 1000,
  resourceServers: 1000,
  permissions: MOST_EFFECTIVE,
};

/** The most that a limit can be. */
export const MOST: Limits = {
  serviceAccounts: 1_000_000,
  credentials: 1_000_000,
  groups: 100_000,
  roles: 100_000,
  resourceServers: 100_000,
  permissions: MOST_EFFECTIVE,
};

/** Limits, changed by a JSON merge patch (RFC 7396) of one level; in one order. */
export function mergedLimits(before: Partial<Limits>, patch: LimitChanges = {}): Partial<Limits> {
  return Object.fromEntries(
    LIMITS.flatMap((name) => {
      const value = patch[name] === undefined ? before[name] : patch[name];
      return value === undefined || value === null ? [] : [[name, value]];
    }),
  );
}
