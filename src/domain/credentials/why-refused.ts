import type { AccountSnapshot } from '../service-accounts/service-account.ts';
import { type Credential, whyUnusable } from './credential.ts';

/** Who holds both can put everything right: the last such account must not lock itself out. */
const MEANS = ['writ.permissions.grant', 'writ.serviceaccounts.manage'];

/**
 * Why a credential of an account does not work now; undefined: it does. The last usable one of a root account that may
 * grant everything never ends by policy: of those that a policy has ended, the one that ended last goes on.
 */
export function whyRefused(
  credential: Credential,
  { account, credentials, holdings }: Pick<AccountSnapshot, 'account' | 'credentials' | 'holdings'>,
  now: Date,
): ReturnType<typeof whyUnusable> {
  const reason = whyUnusable(credential, now);
  if (reason !== 'credential_expired' || !credential.expiresByPolicy || account.company !== undefined) return reason;
  const held = holdings.get('management');
  if (!MEANS.every((permission) => held?.has(permission))) return reason;
  const whole = credentials.filter(({ type, permissions }) => type !== 'api_key' && permissions === undefined);
  if (whole.some((one) => whyUnusable(one, now) === undefined)) return reason;
  const last = whole
    .filter((one) => one.expiresByPolicy && one.state === 'enabled')
    .toSorted((one, other) => endOf(other) - endOf(one))[0];
  return last === credential ? undefined : reason;
}

function endOf({ expiresAt }: Credential): number {
  return expiresAt?.getTime() ?? Infinity;
}
