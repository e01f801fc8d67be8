import type { Provider } from 'oidc-provider';
import type { HttpContext, HttpHandler } from '../http/context.ts';
import { clientEndpoint, type ClientEndpointOptions } from './client-endpoint.ts';
import { conclude, type ConclusionTools } from './conclude.ts';
import { createHandOver } from './hand-over.ts';
import { PRESENTED } from './inspection.ts';

/** `POST /oauth/introspect` (RFC 7662) and `POST /oauth/revoke` (RFC 7009): our outer layer around the library's. */
export function inspectionEndpoint({
  provider,
  path,
  ...options
}: ConclusionTools &
  Omit<ClientEndpointOptions, 'alias'> & {
    readonly provider: Provider;
    /** Where the library serves it. */
    readonly path: string;
  }): HttpHandler {
  const handOver = createHandOver(provider, path);
  return clientEndpoint({ ...options, alias: false }, async (ctx, issuance) => {
    await handOver(ctx, issuance.request, { token: issuance.request.token && PRESENTED });
    await conclude(issuance, options);
    const { presented, source } = issuance;
    // An API key is used where it is asked about.
    if (presented && 'key' in presented && isActive(ctx)) {
      options.noteUse(presented.clientId, presented.key.credentialId, source);
    }
  });
}

function isActive({ body }: HttpContext): boolean {
  return typeof body === 'object' && body !== null && 'active' in body && body.active === true;
}
