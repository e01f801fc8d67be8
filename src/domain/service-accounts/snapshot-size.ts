import type { AccountSnapshot } from './service-account.ts';

/** Bytes of an account without its lists, and of one credential. Both include the client that the server builds. */
const BASE = 12_000;
const PER_CREDENTIAL = 2000;
/** Bytes of one grant, of one permission of a role, and of one held scope-token. */
const PER_GRANT = 300;
const PER_PERMISSION = 200;
const PER_TOKEN = 150;

/** Estimates the bytes that a snapshot takes in memory. */
export function snapshotSize({ credentials, grants, groups, roles, holdings }: AccountSnapshot): number {
  const granted = groups.reduce((sum, group) => sum + group.grants.length, grants.length);
  const permissions = roles.values().reduce((sum, role) => sum + role.permissions.length, 0);
  const tokens = holdings.values().reduce((sum, held) => sum + held.size, 0);
  return (
    BASE + credentials.length * PER_CREDENTIAL + granted * PER_GRANT + permissions * PER_PERMISSION + tokens * PER_TOKEN
  );
}
