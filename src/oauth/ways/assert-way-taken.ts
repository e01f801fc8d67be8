import type { Profile } from '../../domain/profile.ts';
import { isApiKey } from '../../domain/tokens/find-api-key.ts';
import type { ClientRequest } from '../attempt.ts';
import { invalidClient, invalidRequest, OAuthError } from '../refusals/oauth-error.ts';
import { JWT_BEARER } from './federated-way.ts';

/**
 * Asserts that a profile takes the way in which a request says which client it comes from. Secrets are looked at later:
 * the profile takes them from root.
 *
 * @throws OAuthError
 */
export function assertWayTaken(
  { proof, grantType, subjectToken }: Pick<ClientRequest, 'proof' | 'grantType' | 'subjectToken'>,
  profile: Profile,
): void {
  if (profile !== 'fapi2') return;
  if (subjectToken !== undefined && isApiKey(subjectToken)) throw invalidRequest(`an API key is not taken: ${TAKEN}`);
  if (proof.way !== 'federated') return;
  if (grantType === JWT_BEARER) {
    throw new OAuthError(400, 'unsupported_grant_type', `the grant is not served: ${TAKEN}`);
  }
  throw proof.form === 'assertion'
    ? invalidClient('method_refused', { explanation: `the assertion is of another issuer: ${TAKEN}` })
    : invalidRequest(`a token of another issuer is not taken: ${TAKEN}`);
}

const TAKEN = 'the profile of this server takes private_key_jwt and mutual TLS only';
