import type { PublicKeyCredential } from '../credentials/kinds/public-key-kind.ts';
import type { RememberedCredential } from '../credentials/credential.ts';
import type { PublicJwk } from '../credentials/public-key.ts';
import { whyRefused } from '../credentials/why-refused.ts';
import type { RememberedAccount } from '../service-accounts/remembered-account.ts';
import type { Assertion, AssertionAlg } from './parse-assertion.ts';
import { quoted } from './quoted.ts';

/**
 * Finds the key that can have signed an assertion: the key with the `kid` and the algorithm of the assertion. If the
 * assertion has no `kid`, the account must have just one key for the algorithm: several keys are not tried in turn
 * (RFC 8725 §3.10).
 */
function fittingKey(
  credentials: readonly RememberedCredential[],
  { alg, kid }: Pick<Assertion, 'alg' | 'kid'>,
): PublicKeyCredential | undefined {
  const fitting = keysFor(credentials, { alg, kid });
  return fitting.length === 1 ? fitting[0] : undefined;
}

/** The key that an assertion names, with the reason if the key does not work; or the reason why there is no key. */
type FoundKey =
  | { readonly key: PublicKeyCredential; readonly unusable: ReturnType<typeof whyRefused> }
  | { readonly missing: string };

/**
 * Finds the key of an account that can have signed an assertion: first among the keys that work, then among all keys.
 *
 * @param snapshot the account; undefined: there is no such account
 */
export function findKey(
  snapshot: Pick<RememberedAccount, 'account' | 'credentials' | 'holdings'> | undefined,
  assertion: Pick<Assertion, 'alg' | 'kid'>,
  now: Date,
): FoundKey {
  const credentials = snapshot?.credentials ?? [];
  const why = (credential: RememberedCredential): ReturnType<typeof whyRefused> =>
    snapshot && whyRefused(credential, snapshot, now);
  const working = credentials.filter((credential) => why(credential) === undefined);
  const key = fittingKey(working, assertion) ?? fittingKey(credentials, assertion);
  return key === undefined ? { missing: noFittingKey(working, assertion) } : { key, unusable: why(key) };
}

function noFittingKey(
  credentials: readonly RememberedCredential[],
  { alg, kid }: Pick<Assertion, 'alg' | 'kid'>,
): string {
  if (kid !== undefined) return `kid is ${quoted(kid)} and alg ${alg}, the account has no key with both`;
  return keysFor(credentials, { alg, kid }).length === 0
    ? `alg is ${alg}, the account has no key for it`
    : `the account has several keys for ${alg}, kid must say which`;
}

function keysFor(
  credentials: readonly RememberedCredential[],
  { alg, kid }: Pick<Assertion, 'alg' | 'kid'>,
): readonly PublicKeyCredential[] {
  return credentials.filter(
    (credential): credential is PublicKeyCredential =>
      credential.type === 'public_key' &&
      (kid === undefined || credential.kid === kid) &&
      algsOf(credential.publicKey).includes(alg),
  );
}

/** The names of the one algorithm of a key (RFC 8725 §3.1); the algorithm of an Ed25519 key has two names. */
function algsOf(key: PublicJwk): readonly AssertionAlg[] {
  return key.kty === 'OKP' ? ['EdDSA', 'Ed25519'] : [key.alg];
}
