import { isClientId, type ClientId } from '../ids.ts';
import { type Jws, type Malformed, parseJws } from './parse-jws.ts';
import { quoted } from './quoted.ts';

/** The algorithms of client assertions. `Ed25519` is the newer name of `EdDSA` (RFC 9864). */
export const ASSERTION_ALGS = ['RS256', 'PS256', 'ES256', 'EdDSA', 'Ed25519'] as const;
export type AssertionAlg = (typeof ASSERTION_ALGS)[number];

/** A client assertion (RFC 7523) that has the right form. Its signature and its claims have not been checked. */
export interface Assertion extends Jws<AssertionAlg> {
  /** The value of `sub`: the account that the assertion names. */
  readonly clientId: ClientId;
}

/**
 * Reads an assertion: a JWS with one of our algorithms, whose payload names a client id as the subject.
 *
 * @returns the assertion, or the reason why the text is not an assertion
 */
export function parseAssertion(compact: string): Assertion | Malformed {
  const jws = parseJws(compact, ASSERTION_ALGS);
  if ('malformed' in jws) return jws;
  const { sub: subject } = jws.claims;
  if (typeof subject !== 'string' || !isClientId(subject)) {
    return { malformed: `sub is ${quoted(subject)}, expected the client id` };
  }
  return { ...jws, clientId: subject };
}
