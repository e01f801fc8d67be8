import type { IncomingMessage } from 'node:http';

/**
 * Reads the access token from the `Authorization` header of a request (RFC 6750 §2.1).
 *
 * @returns the token, or, when there is not exactly one, whether the header is missing
 */
export function bearerTokenOf({ headersDistinct }: IncomingMessage): string | { readonly missing: boolean } {
  const [header, ...others] = headersDistinct['authorization'] ?? [];
  if (header === undefined) return { missing: true };
  const token = /^Bearer +([A-Za-z0-9._~+/-]+=*)$/i.exec(header)?.[1];
  return token === undefined || others.length > 0 ? { missing: false } : token;
}
