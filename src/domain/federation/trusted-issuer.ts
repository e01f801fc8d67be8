import type { JWK } from 'jose';
import type { ClientId, CompanyId, TrustedIssuerId } from '../ids.ts';
import type { State } from '../state.ts';

/** The algorithms of external tokens that an issuer may use. `Ed25519` is the newer name of `EdDSA` (RFC 9864). */
export const ISSUER_ALGS = ['RS256', 'RS384', 'RS512', 'PS256', 'ES256', 'ES384', 'EdDSA', 'Ed25519'] as const;
export type IssuerAlg = (typeof ISSUER_ALGS)[number];

/** Whether a token of the issuer may be sent more than once: `once` needs a `jti` in each token. */
export const REPLAY_RULES = ['reusable', 'once'] as const;
export type ReplayRule = (typeof REPLAY_RULES)[number];

/** The most seconds that the `maxTokenAge` of a trusted issuer may be. */
export const GREATEST_TOKEN_AGE = 86_400;

/** The most keys of one issuer. */
export const MOST_KEYS = 100;

/** Where the public keys of an issuer are: found by discovery, at an address, or given to this server. */
export type IssuerKeys =
  | { readonly kind: 'discovery' }
  | { readonly kind: 'uri'; readonly jwksUri: string }
  | { readonly kind: 'given'; readonly jwks: { readonly keys: readonly JWK[] } };

/** The members of a trusted issuer that decide which of its tokens are believed. */
export interface IssuerTrust {
  /** The owner of the entry; undefined: root. */
  readonly company: CompanyId | undefined;
  /** The `iss` of its tokens, compared as a string. */
  readonly issuer: string;
  /** The `aud` of its tokens, unless the federated credential names one; undefined: this server or the client id. */
  readonly audience: string | undefined;
  readonly keys: IssuerKeys;
  readonly algorithms: readonly IssuerAlg[];
  /** Seconds: the greatest age of a token, by its `iat`. */
  readonly maxTokenAge: number;
  readonly replay: ReplayRule;
}

/**
 * An issuer whose tokens may stand for accounts: of root, for the accounts of everybody, or of a company, for its own.
 * Inside a company its own trusted issuer replaces that of root with the same `issuer`.
 */
export interface TrustedIssuer extends IssuerTrust {
  readonly trustedIssuerId: TrustedIssuerId;
  readonly name: string;
  readonly state: State;
  readonly createdAt: Date;
  readonly createdBy: ClientId | undefined;
  readonly updatedAt: Date;
  /** Counts the changes. */
  readonly revision: number;
}
