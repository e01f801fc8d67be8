import { createPublicKey } from 'node:crypto';
import { calculateJwkThumbprint } from 'jose';
import { DomainError } from '../domain-error.ts';
import { ed25519Weakness } from './ed25519-weakness.ts';
import { jwkOfText } from './key-text.ts';
import { rsaWeakness } from './rsa-weakness.ts';

/** A public key for verifying client assertions, without any other member of the JWK that it came in. */
export type PublicJwk =
  | { readonly kty: 'RSA'; readonly alg: 'RS256' | 'PS256'; readonly n: string; readonly e: string }
  | { readonly kty: 'EC'; readonly alg: 'ES256'; readonly crv: 'P-256'; readonly x: string; readonly y: string }
  // Without `alg`: the one algorithm of this key has two names, `EdDSA` and `Ed25519` (RFC 9864).
  | { readonly kty: 'OKP'; readonly crv: 'Ed25519'; readonly x: string };

export interface ParsedPublicKey {
  /** The `kid` that came with the key, or else the thumbprint (RFC 7638). */
  readonly kid: string;
  readonly thumbprint: string;
  readonly publicKey: PublicJwk;
}

const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv'];
const FOREIGN_MEMBERS = ['x5c', 'x5u', 'jku'];

/**
 * Reads a public key of a caller, as a JWK (RFC 7517) or as text (see `key-text.ts`). It refuses every key for which
 * someone other than the owner could sign: weak keys, broken keys, and keys that came with their private half.
 *
 * @param value a JWK as an object, or a string
 * @param pointer the position of the key in the body of the request, as a JSON pointer
 * @throws DomainError `invalid_value`; its message says what is wrong and never contains the key
 */
export async function parsePublicKey(value: unknown, pointer: string): Promise<ParsedPublicKey> {
  const refuse = (message: string, member = ''): never => {
    const named = member === '' ? message : `${member.slice(1)} ${message}`;
    // A member has a pointer of its own only if the key came as an object.
    const field = typeof value === 'string' ? { pointer, message: named } : { pointer: pointer + member, message };
    throw new DomainError('invalid_value', `The public key cannot be used: ${named}`, { fields: [field] });
  };
  const jwk: Record<string, unknown> = typeof value === 'string' ? jwkOfText(value, refuse) : { ...Object(value) };
  if (Array.isArray(jwk['keys'])) refuse('it is a JWK Set: send one of its keys');

  const secret = PRIVATE_MEMBERS.find((member) => Object.hasOwn(jwk, member));
  if (secret !== undefined) refuse('holds private key material', `/${secret}`);
  const foreign = FOREIGN_MEMBERS.find((member) => Object.hasOwn(jwk, member));
  if (foreign !== undefined) refuse('is not read: register the key itself', `/${foreign}`);
  if (jwk['use'] !== undefined && jwk['use'] !== 'sig') refuse('must be sig', '/use');
  const operations = jwk['key_ops'];
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes('verify'))) {
    refuse('must include verify', '/key_ops');
  }

  const publicKey = await publicJwk(jwk, refuse);
  const thumbprint = await calculateJwkThumbprint({ ...publicKey });
  return { kid: keyId(jwk['kid'], refuse) ?? thumbprint, thumbprint, publicKey };
}

type Refuse = (message: string, member?: string) => never;

function keyId(kid: unknown, refuse: Refuse): string | undefined {
  if (kid === undefined) return undefined;
  return typeof kid === 'string' && /^[\x21-\x7E]{1,128}$/.test(kid)
    ? kid
    : refuse('must be 1 to 128 printable ASCII characters without a space', '/kid');
}

async function publicJwk(jwk: Record<string, unknown>, refuse: Refuse): Promise<PublicJwk> {
  const { alg } = jwk;
  switch (jwk['kty']) {
    case 'RSA': {
      // Mia's clients call RS256 "RSA256".
      const named = alg === undefined || alg === 'RSA256' ? 'RS256' : alg;
      if (named !== 'RS256' && named !== 'PS256') return refuse('must be RS256 or PS256 for an RSA key', '/alg');
      const [n, e] = [bytes(jwk, 'n', refuse), bytes(jwk, 'e', refuse)];
      const weakness = await rsaWeakness(n, e);
      if (weakness !== undefined) return refuse(weakness.message, `/${weakness.member}`);
      return { kty: 'RSA', alg: named, n: n.toString('base64url'), e: e.toString('base64url') };
    }
    case 'EC': {
      if (jwk['crv'] !== 'P-256') return refuse('must be P-256', '/crv');
      if (alg !== undefined && alg !== 'ES256') return refuse('must be ES256 for this key', '/alg');
      const [x, y] = [bytes(jwk, 'x', refuse, 32), bytes(jwk, 'y', refuse, 32)];
      const point = { kty: 'EC', crv: 'P-256', x: x.toString('base64url'), y: y.toString('base64url') } as const;
      if (!isOnCurve(point)) return refuse('the point is not on the curve', '/x');
      return { ...point, alg: 'ES256' };
    }
    case 'OKP': {
      if (jwk['crv'] !== 'Ed25519') return refuse('must be Ed25519', '/crv');
      if (alg !== undefined && alg !== 'EdDSA' && alg !== 'Ed25519') {
        return refuse('must be EdDSA or Ed25519 for this key', '/alg');
      }
      const x = bytes(jwk, 'x', refuse, 32);
      const weakness = ed25519Weakness(x);
      if (weakness !== undefined) return refuse(weakness, '/x');
      return { kty: 'OKP', crv: 'Ed25519', x: x.toString('base64url') };
    }
    default:
      return refuse('must be RSA, EC or OKP', '/kty');
  }
}

/** Decodes a member, which must be canonical base64url. */
function bytes(jwk: Record<string, unknown>, member: string, refuse: Refuse, length?: number): Buffer {
  const text = jwk[member];
  const value = typeof text === 'string' ? Buffer.from(text, 'base64url') : Buffer.alloc(0);
  if (value.length === 0 || value.toString('base64url') !== text) return refuse('must be base64url', `/${member}`);
  if (length !== undefined && value.length !== length) return refuse(`must be ${length} bytes`, `/${member}`);
  return value;
}

function isOnCurve(point: { kty: string; crv: string; x: string; y: string }): boolean {
  try {
    createPublicKey({ key: point, format: 'jwk' });
    return true;
  } catch {
    return false;
  }
}
