import { compactVerify, type JWK } from 'jose';
import type { Assertion } from './parse-assertion.ts';

/** Whether the signature of an assertion verifies with a key, by the algorithm that the assertion names. */
export function isSignedWith(key: JWK, { compact, alg }: Assertion): Promise<boolean> {
  return compactVerify(compact, key, { algorithms: [alg] }).then(
    () => true,
    () => false,
  );
}
