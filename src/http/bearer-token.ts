import type { IncomingMessage } from 'node:http';

/** The token that a request carries in its `Authorization` header, and only once (RFC 6750 §2.1), or why there is none. */
export function bearerTokenOf({ headersDistinct }: IncomingMessage): string | { readonly missing: boolean } {
  const [header, ...others] = headersDistinct['authorization'] ?? [];
  if (header === undefined) return { missing: true };
  const token = /^Bearer +([A-Za-z0-9._~+/-]+=*)$/i.exec(header)?.[1];
  return token === undefined || others.length > 0 ? { missing: false } : token;
}
