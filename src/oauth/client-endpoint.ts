import type { ClientEndpoint, NoteRefusal } from '../domain/activity/refusal.ts';
import type { HttpContext, HttpHandler } from '../http/context.ts';
import type { Logger } from '../observability/logger.ts';
import { readClientRequest } from './client-request.ts';
import { beginIssuance, type Issuance } from './issuance.ts';
import { type OAuthError, sendOAuthError } from './oauth-error.ts';
import { errorOf } from './refusal-of.ts';
import { reportRefusal } from './report-refusal.ts';

/** What every endpoint has where clients authenticate. */
export interface ClientEndpointOptions {
  readonly endpoint: ClientEndpoint;
  /** Whether this is the path of Mia's clients. */
  readonly alias: boolean;
  readonly logger: Logger;
  readonly noteRefusal: NoteRefusal;
}

/**
 * Our outer layer around an endpoint of the library: the request is read once, nothing of the answer may be kept, and a
 * refusal by whomever is reported and answered in one form.
 *
 * @param answer answers an attempt, or throws; `seconds` says how long it has taken so far
 * @param onRefused told of every refusal
 */
export function clientEndpoint(
  { endpoint, alias, logger, noteRefusal }: ClientEndpointOptions,
  answer: (ctx: HttpContext, issuance: Issuance, seconds: () => number) => Promise<void>,
  onRefused: (refusal: OAuthError, seconds: number) => void = () => {},
): HttpHandler {
  return async (ctx) => {
    ctx.set('Cache-Control', 'no-store');
    ctx.set('Pragma', 'no-cache');
    const started = performance.now();
    const seconds = (): number => (performance.now() - started) / 1000;
    let issuance: Issuance | undefined;
    try {
      issuance = beginIssuance(ctx, {
        request: await readClientRequest(ctx.req, endpoint),
        alias,
        source: ctx.state.source(),
        requestId: ctx.state.requestId,
      });
      await answer(ctx, issuance, seconds);
    } catch (error) {
      const refusal = errorOf(error);
      reportRefusal({ endpoint, logger, noteRefusal }, ctx, refusal, issuance);
      onRefused(refusal, seconds());
      sendOAuthError(ctx, refusal);
    }
  };
}
