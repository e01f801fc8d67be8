import {
  type ClientEndpoint,
  type NoteRefusal,
  REFUSAL_REASONS,
  type RefusalReason,
} from '../domain/activity/refusal.ts';
import { shown } from '../domain/assertions/shown.ts';
import { type ClientId, isClientId } from '../domain/ids.ts';
import type { HttpContext } from '../http/context.ts';
import type { Logger } from '../logger.ts';
import type { Issuance } from './issuance.ts';
import { logRefusal } from './log-refusal.ts';
import type { OAuthError } from './oauth-error.ts';

/**
 * Says why a client was refused: to the log, and to who looks after its account. It does the same for every client,
 * whether there is such an account or not.
 *
 * @param issuance undefined where it did not come to one
 */
export function reportRefusal(
  {
    endpoint,
    logger,
    noteRefusal,
  }: { readonly endpoint: ClientEndpoint; readonly logger: Logger; readonly noteRefusal: NoteRefusal },
  ctx: HttpContext,
  refusal: OAuthError,
  issuance: Issuance | undefined,
): void {
  logRefusal(logger, `${endpoint}.refused`, ctx, refusal, issuance?.clientId);
  const named = issuance?.named ?? clientIdOf(refusal);
  // No client has anything to do with what goes wrong here, or with what is no request of a client at all.
  // That guessing is slowed down is no refusal of this one.
  if (refusal.status >= 500 || refusal.status === 429 || (named === undefined && refusal.status !== 401)) return;
  noteRefusal({
    clientId: named,
    // An account that is disabled is like none from there on.
    found: issuance?.snapshot !== undefined || issuance?.reason === 'account_disabled',
    reason: reasonOf(refusal),
    endpoint,
    source: ctx.state.source(),
    requestId: ctx.state.requestId,
    credentialId: (issuance?.credential ?? issuance?.ended)?.credentialId,
    detail: refusal.detail ?? issuance?.detail ?? saidTo(refusal, issuance),
  });
}

/** What the client was told, when that is more than that it was not authenticated. */
function saidTo({ status, code, message }: OAuthError, issuance: Issuance | undefined): string | undefined {
  if (status === 401) return undefined;
  return code === 'invalid_target' ? `${message}: ${shown(issuance?.request.resource)}` : message;
}

function clientIdOf({ named = '' }: OAuthError): ClientId | undefined {
  return isClientId(named) ? named : undefined;
}

function reasonOf({ status, reason, code }: OAuthError): RefusalReason {
  const said = status === 401 ? reason : code;
  return REFUSAL_REASONS.find((known) => known === said) ?? 'invalid_client';
}
