import type { NoteRefusal } from '../domain/activity/refusal.ts';
import type { RefusedMessage } from '../http/http-server.ts';
import type { Logger } from '../observability/logger.ts';

/** Reports a message that was refused before it could be read as a request: people can find the answer by its id. */
export function reportUnread(
  { status, requestId, peer, management, message }: RefusedMessage,
  logger: Logger,
  noteRefusal: NoteRefusal,
): void {
  logger.info({ event: 'http.refused', status, requestId, source: peer, detail: message });
  if (management) return;
  noteRefusal({
    clientId: undefined,
    found: false,
    reason: 'invalid_request',
    endpoint: 'oauth',
    told: { status, error: 'invalid_request', description: message },
    source: peer ?? '',
    requestId,
    credentialId: undefined,
    detail: message,
  });
}
