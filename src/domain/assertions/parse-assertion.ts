import { isClientId, type ClientId } from '../ids.ts';
import { hasDuplicateMembers } from './has-duplicate-members.ts';

/** The algorithms of client assertions. `Ed25519` is `EdDSA` by its newer name (RFC 9864). */
export const ASSERTION_ALGS = ['RS256', 'PS256', 'ES256', 'EdDSA', 'Ed25519'] as const;
export type AssertionAlg = (typeof ASSERTION_ALGS)[number];

/** A client assertion (RFC 7523) that has the right form; nothing in it has been verified. */
export interface Assertion {
  /** As it was sent. */
  readonly compact: string;
  readonly alg: AssertionAlg;
  readonly kid: string | undefined;
  readonly typ: unknown;
  /** `sub`: the account that it speaks for. */
  readonly clientId: ClientId;
  readonly claims: Readonly<Record<string, unknown>>;
}

const MOST_CHARACTERS = 16_384;

/**
 * Reads a JWS in compact form (RFC 7515 §7.1) strictly, before any key is looked for.
 *
 * @returns undefined when it is anything but three segments of canonical base64url, a header with one of our algorithms
 *   and nothing critical, and a JSON object that names its subject, each member once
 */
export function parseAssertion(compact: string): Assertion | undefined {
  if (compact.length > MOST_CHARACTERS) return undefined;
  const [header, claims, signature, ...others] = compact.split('.');
  if (header === undefined || claims === undefined || signature === undefined || others.length > 0) return undefined;
  if (decode(signature) === undefined) return undefined;

  const { alg, kid, typ, crit, b64 } = parseObject(header) ?? {};
  if (!isAssertionAlg(alg) || crit !== undefined || b64 !== undefined) return undefined;
  if (kid !== undefined && (typeof kid !== 'string' || kid === '')) return undefined;
  const body = parseObject(claims);
  const subject = body?.['sub'];
  if (body === undefined || typeof subject !== 'string' || !isClientId(subject)) return undefined;
  return { compact, alg, kid, typ, clientId: subject, claims: body };
}

function isAssertionAlg(alg: unknown): alg is AssertionAlg {
  return typeof alg === 'string' && (ASSERTION_ALGS as readonly string[]).includes(alg);
}

/** Bytes in base64url without padding, in their one canonical spelling; undefined for any other text, also for none. */
function decode(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64url');
  return text !== '' && bytes.toString('base64url') === text ? bytes : undefined;
}

function parseObject(segment: string): Record<string, unknown> | undefined {
  const bytes = decode(segment);
  if (bytes === undefined) return undefined;
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
    return hasDuplicateMembers(text) ? undefined : { ...value };
  } catch {
    return undefined;
  }
}
