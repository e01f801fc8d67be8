import type { JWK } from 'jose';
import { IssuerKeysError } from '../domain/federation/issuer-key-source.ts';
import { MOST_KEYS } from '../domain/federation/trusted-issuer.ts';
import { verificationKey, wrongWithVerificationKey } from '../domain/federation/verification-key.ts';

/**
 * Reads a JWK Set (RFC 7517 §5). Keys that cannot verify a token are left out.
 *
 * @returns no keys when the issuer has withdrawn all of them
 * @throws IssuerKeysError when the document is no JWK Set
 */
export function readJwks(document: unknown): readonly JWK[] {
  if (typeof document !== 'object' || document === null || !('keys' in document) || !Array.isArray(document.keys)) {
    throw new IssuerKeysError('the document is no JWK Set');
  }
  const all: unknown[] = document.keys;
  if (all.length > MOST_KEYS) throw new IssuerKeysError(`the JWK Set has more than ${MOST_KEYS} keys`);
  return all.filter(isUsable).map(verificationKey);
}

function isUsable(key: unknown): key is JWK {
  return wrongWithVerificationKey(key) === undefined;
}
