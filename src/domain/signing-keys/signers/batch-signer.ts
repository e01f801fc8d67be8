import { sign } from 'node:crypto';
import type { Signer } from './signer.ts';

/** Signs with P-256 on the main thread, in batches (RFC 7518 §3.4). */
export const es256Signer: Signer = (privateKey, { batch }) => {
  const key = { key: privateKey, dsaEncoding: 'ieee-p1363' } as const;
  return (data) => batch(() => sign('sha256', data, key));
};

/** Signs with Ed25519 on the main thread, in batches (RFC 8037 §3.1). */
export const eddsaSigner: Signer = (privateKey, { batch }) => {
  return (data) => batch(() => sign(undefined, data, privateKey));
};
