import type { ClientEndpoint, NoteRefusal } from '../../domain/activity/refusal.ts';
import type { Profile } from '../../domain/profile.ts';
import type { HttpContext, HttpHandler } from '../../http/context.ts';
import type { Logger } from '../../observability/logger.ts';
import { beginAttempt, type Attempt } from '../attempt.ts';
import { type OAuthError, sendOAuthError } from '../refusals/oauth-error.ts';
import { errorOf } from '../refusals/refusal-of.ts';
import { reportRefusal } from '../refusals/report-refusal.ts';
import { type FederationTools, recognizeExternal } from '../ways/federated-way.ts';
import { assertWayTaken } from '../ways/assert-way-taken.ts';
import { readClientRequest } from './read-client-request.ts';

/** The options of an endpoint at which clients authenticate. */
export interface ClientEndpointOptions {
  readonly endpoint: ClientEndpoint;
  /** Whether this is the path of Mia's clients. */
  readonly alias: boolean;
  readonly logger: Logger;
  readonly noteRefusal: NoteRefusal;
  readonly federation: FederationTools;
  readonly profile: Profile;
}

/**
 * Creates our outer layer around an endpoint of the library. It reads the request once, forbids caches to keep the
 * answer, and reports and answers every refusal in one form, whether the library refused or our own code.
 *
 * @param answer answers an attempt, or throws; `seconds` returns how long the attempt has taken so far
 * @param onRefused told every refusal, and the seconds that the attempt took
 */
export function clientEndpoint(
  { endpoint, alias, logger, noteRefusal, federation, profile }: ClientEndpointOptions,
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
      const { proof } = attempt.request;
      if (proof.way === 'federated') await recognizeExternal(attempt, proof, federation);
      await answer(ctx, attempt, seconds);
    } catch (error) {
      const refusal = errorOf(error);
      reportRefusal({ endpoint, logger, noteRefusal }, ctx, refusal, attempt);
      onRefused(refusal, seconds());
      sendOAuthError(ctx, refusal);
    }
  };
}
