import type { JWK } from 'jose';

const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv'];

/** The bits that a modulus may have: fewer are not safe (RFC 7518 §3.3), more keep the server busy. */
const BITS = { fewest: 2048, most: 8192 };

/** The most bytes of a public exponent: each bit more is work for each token. */
const LONGEST_EXPONENT = 4;

/** The members that say what a key is. The others take memory only. */
const READ = ['kty', 'kid', 'alg', 'n', 'e', 'crv', 'x', 'y'] as const;

/**
 * Says why a key of an issuer cannot verify tokens: it is symmetric, for encryption, too weak or too costly, or came
 * with a private half, which everybody has now.
 *
 * @param key a JWK (RFC 7517 §4) from outside
 * @returns undefined: the key can be used
 */
export function wrongWithVerificationKey(key: unknown): string | undefined {
  if (typeof key !== 'object' || key === null) return 'is no JWK';
  if (PRIVATE_MEMBERS.some((member) => Object.hasOwn(key, member))) return 'has a private half: send the public half';
  const jwk: { readonly [Member in keyof JWK]?: unknown } = key;
  if (READ.some((member) => jwk[member] !== undefined && typeof jwk[member] !== 'string')) {
    return `has a member that is no text: ${READ.join(', ')}`;
  }
  if (jwk.use !== undefined && jwk.use !== 'sig') return 'is not for signatures: use must be sig';
  if (jwk.key_ops !== undefined && !(Array.isArray(jwk.key_ops) && jwk.key_ops.includes('verify'))) {
    return 'is not for verifying: key_ops must have verify';
  }
  if (jwk.kty === 'EC' || jwk.kty === 'OKP') return undefined;
  return jwk.kty === 'RSA' ? wrongWithRsa(jwk.n, jwk.e) : 'is no RSA, EC or OKP key';
}

/** Takes the members of a key that are read. @param key a key with which nothing is wrong */
export function verificationKey(key: JWK): JWK {
  return Object.fromEntries(READ.flatMap((member) => (key[member] === undefined ? [] : [[member, key[member]]])));
}

function wrongWithRsa(n: unknown, e: unknown): string | undefined {
  const modulus = withoutZeros(n);
  const bits = modulus.length === 0 ? 0 : modulus.length * 8 - Math.clz32(modulus[0] ?? 0) + 24;
  if (bits < BITS.fewest || bits > BITS.most) return `must have ${BITS.fewest} to ${BITS.most} bits, not ${bits}`;
  const exponent = withoutZeros(e);
  const value =
    exponent.length > 0 && exponent.length <= LONGEST_EXPONENT ? exponent.readUIntBE(0, exponent.length) : 0;
  // With the exponent 1 everybody can sign, and no RSA key has an even one.
  return value >= 3 && value % 2 === 1 ? undefined : 'must have an odd exponent from 3 to 4294967295';
}

function withoutZeros(base64url: unknown): Buffer {
  const bytes = Buffer.from(typeof base64url === 'string' ? base64url : '', 'base64url');
  const first = bytes.findIndex((byte) => byte !== 0);
  return first < 0 ? Buffer.alloc(0) : bytes.subarray(first);
}
