import { isClientId, type ClientId } from '../ids.ts';
import { DEEPEST_JSON, isNestedDeeper } from '../is-nested-deeper.ts';
import { hasDuplicateMembers } from './has-duplicate-members.ts';
import { quoted } from './quoted.ts';

/** The algorithms of client assertions. `Ed25519` is the newer name of `EdDSA` (RFC 9864). */
export const ASSERTION_ALGS = ['RS256', 'PS256', 'ES256', 'EdDSA', 'Ed25519'] as const;
export type AssertionAlg = (typeof ASSERTION_ALGS)[number];

/** A client assertion (RFC 7523) that has the right form. Its signature and its claims have not been checked. */
export interface Assertion {
  /** The assertion as it was sent. */
  readonly compact: string;
  readonly alg: AssertionAlg;
  readonly kid: string | undefined;
  readonly typ: unknown;
  /** The value of `sub`: the account that the assertion names. */
  readonly clientId: ClientId;
  readonly claims: Readonly<Record<string, unknown>>;
}

/** The reason why a text is not an assertion. */
export interface Malformed {
  readonly malformed: string;
}

const MOST_CHARACTERS = 16_384;

/**
 * Reads an assertion: a JWS in compact form (RFC 7515 §7.1), with three segments in canonical base64url. Its header and
 * its payload are JSON objects without duplicate members and without deep nesting. The header has one of our algorithms
 * and no critical extension, and the payload names a client id as the subject.
 *
 * @returns the assertion, or the reason why the text is not an assertion
 */
export function parseAssertion(compact: string): Assertion | Malformed {
  if (compact.length > MOST_CHARACTERS) return { malformed: `it is longer than ${MOST_CHARACTERS} characters` };
  const [first = '', second = '', signature = '', ...others] = compact.split('.');
  if (others.length > 0 || decode(signature) === undefined) return { malformed: NOT_COMPACT };
  const header = parseObject(first);
  if (header === undefined) return { malformed: `its header ${NO_OBJECT}` };
  const { alg, kid, typ, crit, b64 } = header;
  if (!isAssertionAlg(alg)) return { malformed: `alg is ${quoted(alg)}, expected one of ${ASSERTION_ALGS.join(', ')}` };
  if (crit !== undefined || b64 !== undefined) return { malformed: 'crit and b64 are not taken' };
  if (kid !== undefined && (typeof kid !== 'string' || kid === '')) return { malformed: 'kid is not a string' };
  const body = parseObject(second);
  if (body === undefined) return { malformed: `its payload ${NO_OBJECT}` };
  const { sub: subject } = body;
  if (typeof subject !== 'string' || !isClientId(subject)) {
    return { malformed: `sub is ${quoted(subject)}, expected the client id` };
  }
  return { compact, alg, kid, typ, clientId: subject, claims: body };
}

const NOT_COMPACT = 'it is not three segments of base64url with dots between them, the last of them a signature';
const NO_OBJECT = `is not a JSON object in base64url, each member once and at most ${DEEPEST_JSON} levels deep`;

function isAssertionAlg(alg: unknown): alg is AssertionAlg {
  return typeof alg === 'string' && (ASSERTION_ALGS as readonly string[]).includes(alg);
}

/** Decodes canonical base64url without padding; undefined: the text is empty or has another form. */
function decode(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64url');
  return text !== '' && bytes.toString('base64url') === text ? bytes : undefined;
}

function parseObject(segment: string): Record<string, unknown> | undefined {
  const bytes = decode(segment);
  if (bytes === undefined) return undefined;
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    if (isNestedDeeper(text, DEEPEST_JSON)) return undefined;
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
    return hasDuplicateMembers(text) ? undefined : { ...value };
  } catch {
    return undefined;
  }
}
