import type { HttpContext, HttpHandler } from '../../http/context.ts';
import { createHandOver } from '../library/hand-over.ts';
import { PRESENTED } from '../library/inspection.ts';
import { clientEndpoint, type ClientEndpointOptions } from './client-endpoint.ts';
import { conclude, type ConclusionTools } from './conclude.ts';

/** Creates `POST /oauth/introspect` (RFC 7662) or `POST /oauth/revoke` (RFC 7009) around an endpoint of the library. */
export function inspectionEndpoint({
  path,
  ...options
}: ConclusionTools &
  Omit<ClientEndpointOptions, 'alias'> & {
    /** The path of the endpoint in the library. */
    readonly path: string;
  }): HttpHandler {
  const handOver = createHandOver(options.library.provider, path);
  return clientEndpoint({ ...options, alias: false }, async (ctx, attempt) => {
    await handOver(ctx, attempt, { token: attempt.request.token && PRESENTED });
    await conclude(attempt, options);
    const { presented, source } = attempt;
    // To ask about an API key is a use of the key.
    if (presented && 'key' in presented && isActive(ctx)) {
      options.noteUse(presented.clientId, presented.key.credentialId, source);
    }
  });
}

function isActive({ body }: HttpContext): boolean {
  return typeof body === 'object' && body !== null && 'active' in body && body.active === true;
}
