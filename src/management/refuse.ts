import { DPOP_ALGS, type DpopVerifier } from '../domain/possession/dpop-proof.ts';
import { DomainError } from '../domain/domain-error.ts';
import type { HttpContext } from '../http/context.ts';
import { sendProblem } from '../http/problem.ts';
import type { Logger } from '../observability/logger.ts';
import { UnauthorizedError } from './authenticate.ts';
import type { Operations } from './find-operation.ts';
import { problemOf } from './problems.ts';

/** The tools for answering calls that are refused. */
export interface RefusalTools {
  readonly logger: Logger;
  /**
   * Counts a call without a valid token.
   *
   * @returns seconds after which another such call is answered in full; undefined: this one is
   */
  readonly countFailure: (source: string, requestId: string) => string | undefined;
  /** The URL of this API's own description (RFC 9728), for `WWW-Authenticate`. */
  readonly resourceMetadata: string;
  /** The nonce for the DPoP proof after a refusal, by its error code. */
  readonly nonceFor: DpopVerifier['nonceFor'];
}

/** Creates the function that answers a call with the error that ended it, and logs the reason. */
export function createRefuser(
  { logger, countFailure, resourceMetadata, nonceFor }: RefusalTools,
  { locate }: Pick<Operations, 'locate'>,
): (ctx: HttpContext, error: unknown) => void {
  function refuseStranger(ctx: HttpContext, error: UnauthorizedError): void {
    const where = placeOf(ctx);
    // A caller with a valid token never comes here, so only strangers are slowed down.
    const wait = countFailure(where.source, where.requestId);
    if (wait !== undefined) {
      ctx.set('Retry-After', wait);
      sendProblem(ctx, {
        status: 429,
        code: 'too_many_requests',
        detail: 'Too many calls without a valid access token came from this address: try again later',
      });
      return;
    }
    const { reason, explanation } = error;
    logger.info({ event: 'management.refused', status: 401, reason, detail: explanation, ...where });
    const described = explanation === undefined ? '' : `error_description="${explanation}", `;
    // Without the client key the token has not been looked at, so nothing is said of the token.
    const said = reason === 'client_key' ? '' : `error="${error.error}", ${described}`;
    const nonce = nonceFor(error.error);
    if (nonce !== undefined) ctx.set('DPoP-Nonce', nonce);
    // A proof is no matter of bearer tokens.
    const [bearer, dpop] = error.error === 'invalid_token' ? [said, ''] : ['', said];
    ctx.set('WWW-Authenticate', [
      `Bearer realm="writ", ${bearer}resource_metadata="${resourceMetadata}"`,
      `DPoP realm="writ", ${dpop}algs="${DPOP_ALGS.join(' ')}", resource_metadata="${resourceMetadata}"`,
    ]);
    sendProblem(ctx, { status: 401, code: 'unauthorized', detail: error.message });
  }

  return (ctx, error) => {
    if (error instanceof UnauthorizedError) {
      refuseStranger(ctx, error);
      return;
    }
    const where = placeOf(ctx);
    const problem = problemOf(error) ?? { status: 500, code: 'internal', detail: 'Something went wrong here' };
    const { status, code, detail, required } = problem;
    if (status >= 500 && status !== 503) logger.error({ event: 'management.failed', err: error, status, ...where });
    else logger.info({ event: 'management.refused', status, reason: code, detail, ...where });
    if (required !== undefined) {
      ctx.set(
        'WWW-Authenticate',
        `Bearer realm="writ", error="insufficient_scope", scope="${required}", resource_metadata="${resourceMetadata}"`,
      );
    }
    if (error instanceof DomainError && error.existing !== undefined) locate(ctx, error.existing);
    if (status === 429 || status === 503) ctx.set('Retry-After', '1');
    // The rest of a body that is too large is not read.
    if (status === 413) ctx.set('Connection', 'close');
    sendProblem(ctx, problem);
  };
}

/** The request that a log line is about. */
function placeOf(ctx: HttpContext): { method: string; path: string; source: string; requestId: string } {
  const { requestId, source } = ctx.state;
  return { method: ctx.method, path: ctx.path, source: source(), requestId };
}
