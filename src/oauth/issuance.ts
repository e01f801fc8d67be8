import type { KoaContextWithOIDC } from 'oidc-provider';
import type { AccountSnapshot } from '../domain/service-accounts/service-account.ts';
import type { TokenRequest } from './token-request.ts';

/** One attempt to get a token, on its way through the library and our hooks in it. */
export interface Issuance {
  readonly request: TokenRequest;
  /** The account that the request names, once found. */
  snapshot?: AccountSnapshot;
  /** Why authentication failed, for the log. */
  reason?: string;
  /** What the library, or a hook of ours, refused it with. */
  failure?: unknown;
}

const issuances = new WeakMap<object, Issuance>();

export function beginIssuance(ctx: object, request: TokenRequest): Issuance {
  const issuance: Issuance = { request };
  issuances.set(ctx, issuance);
  return issuance;
}

/** The attempt that a context of the library belongs to; every one of them has passed through our outer layer. */
export function issuanceOf(ctx: KoaContextWithOIDC | undefined): Issuance {
  const issuance = ctx && issuances.get(ctx);
  if (issuance === undefined) throw new Error('a token request reached the library without passing the outer layer');
  return issuance;
}
