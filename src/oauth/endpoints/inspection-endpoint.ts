import type { NoteUse } from '../../domain/credentials/use-store.ts';
import type { HttpContext, HttpHandler } from '../../http/context.ts';
import type { Library } from '../library/create-library.ts';
import { createHandOver } from '../library/hand-over.ts';
import { PRESENTED } from '../library/inspection.ts';
import { refusalOf } from '../refusals/refusal-of.ts';
import { clientEndpoint, type ClientEndpointOptions } from './client-endpoint.ts';
import { noteUses } from './note-uses.ts';

/** Creates `POST /oauth/introspect` (RFC 7662) or `POST /oauth/revoke` (RFC 7009) around an endpoint of the library. */
export function inspectionEndpoint({
  path,
  ...options
}: Omit<ClientEndpointOptions, 'alias'> & {
  readonly library: Library;
  readonly noteUse: NoteUse;
  /** The path of the endpoint in the library. */
  readonly path: string;
}): HttpHandler {
  const handOver = createHandOver(options.library.provider, path);
  return clientEndpoint({ ...options, alias: false }, async (ctx, attempt) => {
    await handOver(ctx, attempt, { token: attempt.request.token && PRESENTED });
    const { failure, presented, source } = attempt;
    if (failure !== undefined) throw refusalOf(failure);
    noteUses(attempt, options.noteUse);
    // To ask about an API key is a use of the key.
    if (presented && 'key' in presented && isActive(ctx)) {
      options.noteUse(presented.clientId, presented.key.credentialId, source);
    }
  });
}

function isActive({ body }: HttpContext): boolean {
  return typeof body === 'object' && body !== null && 'active' in body && body.active === true;
}
