import type { ClientEndpoint, NoteRefusal } from '../../domain/activity/refusal.ts';
import type { Profile } from '../../domain/profile.ts';
import type { HttpContext, HttpHandler } from '../../http/context.ts';
import type { Logger } from '../../observability/logger.ts';
import { beginAttempt, type Attempt } from '../attempt.ts';
import { type OAuthError, sendOAuthError } from '../refusals/oauth-error.ts';
import { errorOf } from '../refusals/refusal-of.ts';
import { reportRefusal } from '../refusals/report-refusal.ts';
import { assertWayTaken } from '../ways/assert-way-taken.ts';
import type { RecognizeClient } from '../ways/way.ts';
import { readClientRequest } from './read-client-request.ts';

/** The options of an endpoint at which clients authenticate. */
export interface ClientEndpointOptions {
  readonly endpoint: ClientEndpoint;
  /** Whether this is the path of Mia's clients. */
  readonly alias: boolean;
  readonly logger: Logger;
  readonly noteRefusal: NoteRefusal;
  readonly profile: Profile;
  readonly recognize: RecognizeClient;
}

/**
 * Creates the outer layer of an endpoint at which clients authenticate. It reads the request once, forbids caches to keep
 * the answer, recognizes the client, and reports and answers every refusal in one form.
 *
 * @param answer answers an attempt of a client that has been recognized, or throws; `seconds` returns how long the
 *   attempt has taken so far
 * @param onRefused told every refusal, and the seconds that the attempt took
 */
export function clientEndpoint(
  { endpoint, alias, logger, noteRefusal, profile, recognize }: ClientEndpointOptions,
  answer: (ctx: HttpContext, attempt: Attempt, seconds: () => number) => Promise<void>,
  onRefused: (refusal: OAuthError, seconds: number) => void = () => {},
): HttpHandler {
  return async (ctx) => {
    ctx.set('Cache-Control', 'no-store');
    ctx.set('Pragma', 'no-cache');
    const started = performance.now();
    const seconds = (): number => (performance.now() - started) / 1000;
    let attempt: Attempt | undefined;
    try {
      attempt = beginAttempt(ctx, {
        request: await readClientRequest(ctx.req, endpoint, ctx.state.certificate),
        alias,
        source: ctx.state.source(),
        certificate: ctx.state.certificate,
        requestId: ctx.state.requestId,
      });
      assertWayTaken(attempt.request, profile);
      await recognize(attempt);
      await answer(ctx, attempt, seconds);
    } catch (error) {
      const refusal = errorOf(error);
      reportRefusal({ endpoint, logger, noteRefusal }, ctx, refusal, attempt);
      onRefused(refusal, seconds());
      sendOAuthError(ctx, refusal);
    }
  };
}
