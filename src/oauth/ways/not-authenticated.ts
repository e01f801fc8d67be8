import type { Attempt } from '../attempt.ts';
import { invalidClient, type OAuthError } from '../refusals/oauth-error.ts';

/**
 * The refusal of a client that has not proved who it is, with the reason that the attempt has noted.
 *
 * @param explanation the text for a client that has proved to hold the key
 */
export function notAuthenticated({ reason }: Pick<Attempt, 'reason'>, explanation?: string): OAuthError {
  return invalidClient(reason ?? 'invalid_client', { explanation });
}
