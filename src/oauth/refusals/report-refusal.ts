import {
  type NoteRefusal,
  type OAuthEndpoint,
  REFUSAL_REASONS,
  type RefusalReason,
} from '../../domain/activity/refusal.ts';
import { quoted } from '../../domain/assertions/quoted.ts';
import { type ClientId, isClientId } from '../../domain/ids.ts';
import type { HttpContext } from '../../http/context.ts';
import type { Logger } from '../../observability/logger.ts';
import type { Attempt } from '../attempt.ts';
import { logRefusal } from './log-refusal.ts';
import type { OAuthError } from './oauth-error.ts';

/** The tools for reporting refusals. */
export interface RefusalReporting {
  readonly logger: Logger;
  readonly noteRefusal: NoteRefusal;
}

/**
 * Reports why a client was refused, and what it was told: to the log, and to the owners of its account. Every refusal
 * is reported, even if the account does not exist or the request names no client, so that the request id always leads
 * to it. The number of records is limited (`domain/activity/gather-refusals.ts`).
 *
 * @param attempt undefined: the request was refused before an attempt began
 */
export function reportRefusal(
  { endpoint, logger, noteRefusal }: RefusalReporting & { readonly endpoint: OAuthEndpoint },
  ctx: HttpContext,
  refusal: OAuthError,
  attempt: Attempt | undefined,
): void {
  reported.add(ctx);
  const detail = refusal.detail ?? attempt?.detail ?? saidTo(refusal, attempt);
  logRefusal(logger, `${endpoint}.refused`, ctx, refusal, { clientId: attempt?.clientId, detail });
  noteRefusal({
    clientId: attempt?.named ?? clientIdOf(refusal),
    // The attempt has no snapshot of a disabled account.
    found: attempt?.snapshot !== undefined || attempt?.reason === 'account_disabled',
    reason: reasonOf(refusal),
    endpoint,
    source: ctx.state.source(),
    requestId: ctx.state.requestId,
    credentialId: (attempt?.credential ?? attempt?.ended)?.credentialId,
    told: { status: refusal.status, error: refusal.code, description: refusal.message },
    detail,
  });
}

const reported = new WeakSet<object>();

/** Whether a refusal has been reported for a request. */
export function isReported(ctx: HttpContext): boolean {
  return reported.has(ctx);
}

/** The text that the client was told; undefined for a failed authentication, whose text says nothing more. */
function saidTo({ status, code, message }: OAuthError, attempt: Attempt | undefined): string | undefined {
  if (status === 401) return undefined;
  return code === 'invalid_target' ? `${message}: ${quoted(attempt?.request.resource)}` : message;
}

function clientIdOf({ named = '' }: OAuthError): ClientId | undefined {
  return isClientId(named) ? named : undefined;
}

/** The reason of a refusal for the activity and the metrics: the true one, also where the client is not told. */
export function reasonOf({ status, reason, code }: OAuthError): RefusalReason {
  if (status === 429) return 'too_many_attempts';
  const known = (said: string): RefusalReason | undefined => REFUSAL_REASONS.find((one) => one === said);
  return known(reason) ?? known(code) ?? 'invalid_client';
}
