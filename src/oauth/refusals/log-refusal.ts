import type { ClientId } from '../../domain/ids.ts';
import type { HttpContext } from '../../http/context.ts';
import type { Logger } from '../../observability/logger.ts';
import type { OAuthError } from './oauth-error.ts';

/**
 * Logs a refusal with its true reason, which the caller may not be told. A refusal because of guessing (429) is not
 * logged here: the guess limiter logs it, once a minute for each source.
 *
 * @param known `detail`: more about the reason, for people
 */
export function logRefusal(
  logger: Logger,
  event: string,
  ctx: HttpContext,
  refusal: OAuthError,
  known: { clientId: ClientId | undefined; detail: string | undefined },
): void {
  if (refusal.status === 429) return;
  const entry = {
    event,
    status: refusal.status,
    error: refusal.code,
    reason: refusal.reason,
    detail: known.detail,
    clientId: known.clientId,
    source: ctx.state.source(),
    requestId: ctx.state.requestId,
  };
  // 503 means that the database is away: another part logs that as an error, once and not with every request.
  if (refusal.status >= 500 && refusal.status !== 503) logger.error({ ...entry, err: refusal.cause });
  else logger.info(entry);
}
