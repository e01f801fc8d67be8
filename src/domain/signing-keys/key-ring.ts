import type { KeyEncryption } from '../encryption/key-encryption.ts';
import type { SignerTools } from './signers/signer.ts';
import { signerOf } from './signers/signers.ts';
import type { SigningKeyStore, StoredSigningKey } from './signing-key-store.ts';
import { SIGNING_ALGS, type SigningAlg, type SigningKey } from './signing-key.ts';

/** The keys that this node signs and verifies with. */
export interface KeyRing {
  /** The keys of the JWKS, in its order: those that sign or are about to, then those that signed tokens which still live. */
  readonly keys: readonly SigningKey[];
  /** The key that signs now where an algorithm is asked for: of another algorithm while that one's key is not due. */
  readonly active: Readonly<Record<SigningAlg, SigningKey>>;
  /** When it will be another ring. */
  readonly changesAt?: Date | undefined;
}

/** The rules by which there are keys. */
export interface KeyRingRules {
  /** Signs where a resource server names nothing else. */
  readonly signingAlg: SigningAlg;
  /** Milliseconds for which a key stays published after nothing asks for it any more. */
  readonly keptFor: number;
  readonly now: Date;
}

export const label = (kid: string): string => `signing_keys/${kid}`;

/**
 * The algorithms that keys are published for, in the order of the JWKS: the server's own comes first, since there is
 * software that takes the first key it finds; RS256 comes last, since most software knows it, so that a resource server
 * may ask for it at any time.
 */
export function wantedAlgs(signingAlg: SigningAlg, named: ReadonlySet<SigningAlg>): readonly SigningAlg[] {
  const others = SIGNING_ALGS.filter((alg) => named.has(alg) && alg !== 'RS256');
  return [...new Set<SigningAlg>([signingAlg, ...others, 'RS256'])];
}

/**
 * Opens the stored keys.
 *
 * @throws UndecryptableError when the key-encryption key is another one
 */
export async function readKeyRing(
  store: Pick<SigningKeyStore, 'list' | 'named'>,
  encryption: KeyEncryption,
  { signingAlg, keptFor, now }: KeyRingRules,
  tools: SignerTools,
): Promise<KeyRing> {
  const stored = await store.list();
  const order = wantedAlgs(signingAlg, await store.named());
  const wanted = order.flatMap((alg) => stored.findLast((key) => key.alg === alg && key.retiredAt === undefined) ?? []);
  const goneAt = ({ retiredAt }: StoredSigningKey): number =>
    retiredAt === undefined ? Infinity : retiredAt.getTime() + keptFor;
  const others = stored.filter((key) => !wanted.includes(key) && goneAt(key) > now.getTime()).toReversed();
  const published = [...wanted, ...others];
  const opened = new Map<StoredSigningKey, SigningKey>();
  for (const key of published) opened.set(key, await openSigningKey(key, encryption, tools));
  const keyOf = (key: StoredSigningKey | undefined): SigningKey => {
    const found = key && opened.get(key);
    if (found === undefined) throw new Error('there is no signing key');
    return found;
  };
  // The clock of the node that made the first keys may have been ahead of this one's.
  const first = Math.min(...published.map(({ signsFrom }) => signsFrom.getTime()));
  const due = published.filter(({ signsFrom }) => signsFrom <= now || signsFrom.getTime() === first);
  // A server that has been given another algorithm goes on with the key that was retired for it.
  const before = due.toSorted((one, other) => (other.retiredAt?.getTime() ?? 0) - (one.retiredAt?.getTime() ?? 0));
  const own = due.find((key) => key.alg === signingAlg) ?? before[0];
  const active = (alg: SigningAlg): SigningKey =>
    keyOf(due.find((key) => key.alg === alg && key.retiredAt === undefined) ?? own);
  const changes = published
    .flatMap((key) => [key.signsFrom.getTime(), goneAt(key)])
    .filter((time) => time > now.getTime() && time < Infinity);
  return {
    keys: published.map(keyOf),
    active: { ES256: active('ES256'), RS256: active('RS256'), PS256: active('PS256'), EdDSA: active('EdDSA') },
    changesAt: changes.length === 0 ? undefined : new Date(Math.min(...changes)),
  };
}

async function openSigningKey(
  { kid, alg, publicJwk, sealedPrivateJwk }: StoredSigningKey,
  encryption: KeyEncryption,
  tools: SignerTools,
): Promise<SigningKey> {
  const plaintext = await encryption.open(sealedPrivateJwk, label(kid));
  return { kid, alg, publicJwk, sign: signerOf(alg, JSON.parse(Buffer.from(plaintext).toString()), tools) };
}
