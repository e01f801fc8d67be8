import type { KeyEncryption } from '../encryption/key-encryption.ts';
import type { SignerTools } from './signers/signer.ts';
import { signerOf } from './signers/signers.ts';
import type { SigningKeyStore, StoredSigningKey } from './signing-key-store.ts';
import { SIGNING_ALGS, type SigningAlg, type SigningKey } from './signing-key.ts';

/** The keys that this node signs and verifies with. */
export interface KeyRing {
  /**
   * The keys of the JWKS in its order: first the keys that sign or will sign, then the keys whose tokens may still
   * live.
   */
  readonly keys: readonly SigningKey[];
  /** The key that signs for each algorithm; while the key of an algorithm is not due yet, another key signs. */
  readonly active: Readonly<Record<SigningAlg, SigningKey>>;
  /**
   * The time at which the next key begins to sign, or the next key leaves the JWKS; undefined: there is no such key.
   */
  readonly changesAt?: Date | undefined;
}

/** The rules for signing with keys and publishing them. */
export interface KeyRingRules {
  /** The algorithm for the tokens of resource servers that name none. */
  readonly signingAlg: SigningAlg;
  /** Milliseconds for which a key stays published after nothing needs its algorithm any more. */
  readonly keptFor: number;
  readonly now: Date;
}

export const label = (kid: string): string => `signing_keys/${kid}`;

/**
 * The algorithms that keys are published for, in the order of the JWKS. The server's own algorithm comes first, because
 * some software takes the first key it finds. RS256 is always there, as the last one: most software knows RS256, so a
 * resource server may need it at any time.
 */
export function wantedAlgs(signingAlg: SigningAlg, named: ReadonlySet<SigningAlg>): readonly SigningAlg[] {
  const others = SIGNING_ALGS.filter((alg) => named.has(alg) && alg !== 'RS256');
  return [...new Set<SigningAlg>([signingAlg, ...others, 'RS256'])];
}

/**
 * Reads the stored keys, and decrypts their private halves.
 *
 * @throws UndecryptableError when the keys were encrypted with another key-encryption key
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
  // The first keys count as due: the clock of the node that generated them may have been ahead of ours.
  const first = Math.min(...published.map(({ signsFrom }) => signsFrom.getTime()));
  const due = published.filter(({ signsFrom }) => signsFrom <= now || signsFrom.getTime() === first);
  // After a change of the server's algorithm, the retired key keeps signing until the new key is due.
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
  { kid, alg, publicJwk, sealedPrivateJwk, createdAt }: StoredSigningKey,
  encryption: KeyEncryption,
  tools: SignerTools,
): Promise<SigningKey> {
  const plaintext = await encryption.open(sealedPrivateJwk, label(kid));
  const sign = signerOf(alg, JSON.parse(Buffer.from(plaintext).toString()), tools);
  return { kid, alg, publicJwk, sign, createdAt };
}
