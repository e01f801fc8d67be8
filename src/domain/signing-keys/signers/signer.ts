import type { KeyObject } from 'node:crypto';
import type { Batch } from '../../signatures/batch.ts';

/**
 * Signs data with one private key.
 *
 * @param data the signing input of a JWS (RFC 7515 §5.1)
 * @returns the signature as a JWS has it (RFC 7518 §3)
 */
export type Sign = (data: Uint8Array) => Promise<Uint8Array>;

/** The tools of signers. */
export interface SignerTools {
  readonly batch: Batch;
}

/** Creates the signer of a private key. */
export type Signer = (privateKey: KeyObject, tools: SignerTools) => Sign;
