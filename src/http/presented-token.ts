import type { IncomingMessage } from 'node:http';

/** An access token in the header of a request, and the scheme that came with it. */
export interface PresentedToken {
  readonly token: string;
  /** `DPoP`: the request has a proof that the caller holds the key of the token (RFC 9449 §7.1). */
  readonly scheme: 'Bearer' | 'DPoP';
}

/**
 * Reads the access token from the `Authorization` header of a request (RFC 6750 §2.1, RFC 9449 §7.1). The case of the
 * scheme does not matter.
 *
 * @returns the token, or, when there is not exactly one, whether the header is missing
 */
export function presentedTokenOf({
  headersDistinct,
}: Pick<IncomingMessage, 'headersDistinct'>): PresentedToken | { readonly missing: boolean } {
  const [header, ...others] = headersDistinct['authorization'] ?? [];
  if (header === undefined) return { missing: true };
  const [, scheme = '', token] = /^(Bearer|DPoP) +([A-Za-z0-9._~+/-]+=*)$/i.exec(header) ?? [];
  if (token === undefined || others.length > 0) return { missing: false };
  return { token, scheme: scheme.toLowerCase() === 'dpop' ? 'DPoP' : 'Bearer' };
}

/** The values of the header `DPoP`: a request must have one proof at most. */
export function dpopProofsOf({ headersDistinct }: Pick<IncomingMessage, 'headersDistinct'>): readonly string[] {
  return headersDistinct['dpop'] ?? [];
}
