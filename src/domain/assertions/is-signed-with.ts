import { compactVerify, type JWK } from 'jose';
import type { Jws } from './parse-jws.ts';

/** Whether the signature of a JWS verifies with a key, by the algorithm that the JWS names. */
export function isSignedWith(key: JWK, { compact, alg }: Jws<string>): Promise<boolean> {
  return compactVerify(compact, key, { algorithms: [alg] }).then(
    () => true,
    () => false,
  );
}
