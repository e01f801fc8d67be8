import type { CredentialId } from '../ids.ts';
import type { PublicJwk } from './public-key.ts';

interface CredentialBase {
  readonly credentialId: CredentialId;
  readonly createdAt: Date;
}

/** A secret that the account shares with this server; what is kept is its hash. */
export interface ClientSecretCredential extends CredentialBase {
  readonly type: 'client_secret';
  /** HMAC-SHA-256 of the secret. */
  readonly secretHash: Buffer;
  /** The first characters of the secret, to tell one from another. */
  readonly hint: string;
}

/** A key pair whose private half only the account has; it signs client assertions (RFC 7523). */
export interface PublicKeyCredential extends CredentialBase {
  readonly type: 'public_key';
  /** Unique in the account. */
  readonly kid: string;
  readonly publicKey: PublicJwk;
  /** Values of `aud` that its assertions may have beside the issuer. */
  readonly assertionAudiences: readonly string[];
  /** The longest lifetime of its assertions in seconds, where it is not the server's. */
  readonly assertionMaxTtl: number | undefined;
}

/** How an account proves who it is; it may have several, of both kinds. */
export type Credential = ClientSecretCredential | PublicKeyCredential;
