import { DEEPEST_JSON, isNestedDeeper } from '../is-nested-deeper.ts';
import { hasDuplicateMembers } from './has-duplicate-members.ts';
import { quoted } from './quoted.ts';

/** A JWS with claims that has the right form. Its signature and its claims have not been checked. */
export interface Jws<Alg extends string> {
  /** The JWS as it was sent. */
  readonly compact: string;
  readonly alg: Alg;
  readonly kid: string | undefined;
  readonly typ: unknown;
  /** The whole header. */
  readonly header: Readonly<Record<string, unknown>>;
  readonly claims: Readonly<Record<string, unknown>>;
}

/** The reason why a text is not such a JWS. */
export interface Malformed {
  readonly malformed: string;
}

const MOST_CHARACTERS = 16_384;

/**
 * Reads a JWS in compact form (RFC 7515 §7.1), with three segments in canonical base64url. Its header and its payload
 * are JSON objects without duplicate members and without deep nesting. The header has one of the algorithms, and no
 * critical extension.
 *
 * @returns the JWS, or the reason why the text is none
 */
export function parseJws<Alg extends string>(compact: string, algs: readonly Alg[]): Jws<Alg> | Malformed {
  if (compact.length > MOST_CHARACTERS) return { malformed: `it is longer than ${MOST_CHARACTERS} characters` };
  const [first = '', second = '', signature = '', ...others] = compact.split('.');
  if (others.length > 0 || decode(signature) === undefined) return { malformed: NOT_COMPACT };
  const header = parseObject(first);
  if (header === undefined) return { malformed: `its header ${NO_OBJECT}` };
  const { alg: named, kid, typ, crit, b64 } = header;
  const alg = algs.find((one) => one === named);
  if (alg === undefined) return { malformed: `alg is ${quoted(named)}, expected one of ${algs.join(', ')}` };
  if (crit !== undefined || b64 !== undefined) return { malformed: 'crit and b64 are not taken' };
  if (kid !== undefined && (typeof kid !== 'string' || kid === '')) return { malformed: 'kid is not a string' };
  const claims = parseObject(second);
  if (claims === undefined) return { malformed: `its payload ${NO_OBJECT}` };
  return { compact, alg, kid, typ, header, claims };
}

const NOT_COMPACT = 'it is not three segments of base64url with dots between them, the last of them a signature';
const NO_OBJECT = `is not a JSON object in base64url, each member once and at most ${DEEPEST_JSON} levels deep`;

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
