import type { ClientId } from '../../domain/ids.ts';
import type { HttpContext } from '../../http/context.ts';
import type { Logger } from '../../observability/logger.ts';
import type { OAuthError } from './oauth-error.ts';

/**
 * Writes down why something was refused, with the true reason, which the caller may not be told. That guessing is
 * limited is written down where it is, once a minute.
 */
export function logRefusal(
  logger: Logger,
  event: string,
  ctx: HttpContext,
  refusal: OAuthError,
  clientId: ClientId | undefined,
): void {
  if (refusal.status === 429) return;
  const entry = {
    event,
    status: refusal.status,
    error: refusal.code,
    reason: refusal.reason,
    clientId,
    source: ctx.state.source(),
    requestId: ctx.state.requestId,
  };
  // That the database is away is said once, and not with every request.
  if (refusal.status >= 500 && refusal.status !== 503) logger.error({ ...entry, err: refusal.cause });
  else logger.info(entry);
}
