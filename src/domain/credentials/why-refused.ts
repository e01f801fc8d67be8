import { isRoot } from '../service-accounts/is-root.ts';
import type { RememberedAccount } from '../service-accounts/remembered-account.ts';
import { whyUnusable } from './credential-base.ts';
import type { RememberedCredential } from './credential.ts';
import { waysIn } from './ways-in.ts';

/**
 * Why a credential of an account does not work at a time; undefined: it works. If a root account may grant everything
 * and none of its credentials works, the one that a policy ended last keeps working.
 */
export function whyRefused(
  credential: RememberedCredential,
  { account, credentials, holdings }: Pick<RememberedAccount, 'account' | 'credentials' | 'holdings'>,
  now: Date,
): ReturnType<typeof whyUnusable> {
  const reason = whyUnusable(credential, now);
  if (reason !== 'credential_expired' || !credential.expiresByPolicy) return reason;
  if (!isRoot({ account, holdings })) return reason;
  return waysIn(credentials, now).includes(credential) ? undefined : reason;
}
