import type { PublicKeyCredential } from '../credentials/kinds/public-key-kind.ts';
import type { Credential } from '../credentials/credential.ts';
import type { PublicJwk } from '../credentials/public-key.ts';
import { whyRefused } from '../credentials/why-refused.ts';
import type { AccountSnapshot } from '../service-accounts/service-account.ts';
import type { Assertion, AssertionAlg } from './parse-assertion.ts';
import { shown } from './shown.ts';

/**
 * The key that can have signed an assertion: of the account's own, the one with its `kid` and its algorithm. Without a
 * `kid` there must be just one for the algorithm: nothing is tried out (RFC 8725 §3.10).
 */
function fittingKey(
  credentials: readonly Credential[],
  { alg, kid }: Pick<Assertion, 'alg' | 'kid'>,
): PublicKeyCredential | undefined {
  const fitting = keysFor(credentials, { alg, kid });
  return fitting.length === 1 ? fitting[0] : undefined;
}

/** What is found of the key that an assertion names: it may not work any more. Or why there is none. */
type FoundKey =
  | { readonly key: PublicKeyCredential; readonly unusable: ReturnType<typeof whyRefused> }
  | { readonly missing: string };

/**
 * Looks for the key of an account that can have signed an assertion: among those that work, and else among the others.
 *
 * @param snapshot undefined: of no account
 */
export function findKey(
  snapshot: Pick<AccountSnapshot, 'account' | 'credentials' | 'holdings'> | undefined,
  assertion: Pick<Assertion, 'alg' | 'kid'>,
  now: Date,
): FoundKey {
  const credentials = snapshot?.credentials ?? [];
  const why = (credential: Credential): ReturnType<typeof whyRefused> =>
    snapshot && whyRefused(credential, snapshot, now);
  const working = credentials.filter((credential) => why(credential) === undefined);
  const key = fittingKey(working, assertion) ?? fittingKey(credentials, assertion);
  return key === undefined ? { missing: noFittingKey(working, assertion) } : { key, unusable: why(key) };
}

function noFittingKey(credentials: readonly Credential[], { alg, kid }: Pick<Assertion, 'alg' | 'kid'>): string {
  if (kid !== undefined) return `kid is ${shown(kid)} and alg ${alg}, the account has no key with both`;
  return keysFor(credentials, { alg, kid }).length === 0
    ? `alg is ${alg}, the account has no key for it`
    : `the account has several keys for ${alg}, kid must say which`;
}

function keysFor(
  credentials: readonly Credential[],
  { alg, kid }: Pick<Assertion, 'alg' | 'kid'>,
): readonly PublicKeyCredential[] {
  return credentials.filter(
    (credential): credential is PublicKeyCredential =>
      credential.type === 'public_key' &&
      (kid === undefined || credential.kid === kid) &&
      algsOf(credential.publicKey).includes(alg),
  );
}

/** RFC 8725 §3.1: a key is for one algorithm; an Ed25519 key has two names for its own. */
function algsOf(key: PublicJwk): readonly AssertionAlg[] {
  return key.kty === 'OKP' ? ['EdDSA', 'Ed25519'] : [key.alg];
}
