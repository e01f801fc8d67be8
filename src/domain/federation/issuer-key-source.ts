import type { JWK } from 'jose';
import type { IssuerTrust } from './trusted-issuer.ts';

/** Finds the public keys of trusted issuers. */
export interface IssuerKeySource {
  /**
   * Finds the keys that can have signed a token of an issuer: those with the `kid` of the token, or all of them when the
   * token has none. A `kid` that is not known makes the source look for new keys, now and then.
   *
   * @param trust where the keys are
   * @returns none when the issuer has no such key
   * @throws IssuerKeysError when the keys cannot be had
   */
  keysFor(trust: IssuerTrust, kid: string | undefined): Promise<readonly JWK[]> | readonly JWK[];
}

/**
 * The keys of an issuer cannot be had. `message` says why, for the owners of the account and the log; no caller at the
 * token endpoint reads it.
 */
export class IssuerKeysError extends Error {
  override readonly name = 'IssuerKeysError';
}
