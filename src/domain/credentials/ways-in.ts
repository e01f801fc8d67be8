import { whyUnusable } from './credential-base.ts';
import type { Credential } from './credential.ts';
import { kindOf } from './kinds/kinds.ts';

/** The members of a credential that decide whether it lets root in. */
export type WayIn = Pick<Credential, 'type' | 'state' | 'expiresAt' | 'expiresByPolicy' | 'permissions'>;

/**
 * The credentials through which a root account can use all of its permissions at the time `now`: the credentials that
 * work or, if there is none, the one that a policy ended last. So a maximum age can never lock everybody out.
 *
 * @param credentials all credentials of the account
 */
export function waysIn<One extends WayIn>(credentials: readonly One[], now: Date): readonly One[] {
  const whole = credentials.filter((one) => kindOf(one).letsRootIn && one.permissions === undefined);
  const working = whole.filter((one) => whyUnusable(one, now) === undefined);
  if (working.length > 0) return working;
  return whole
    .filter((one) => one.expiresByPolicy && one.state === 'enabled')
    .toSorted((one, other) => endOf(other) - endOf(one))
    .slice(0, 1);
}

function endOf({ expiresAt }: WayIn): number {
  return expiresAt?.getTime() ?? Infinity;
}
