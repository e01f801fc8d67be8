import type { NewCredential } from '../../domain/credentials/issue-credentials.ts';
import { DomainError } from '../../domain/domain-error.ts';
import type { NewServiceAccountBody } from './service-account-schema.ts';

/**
 * The credentials that a registration asks for: `credentials`, or as Mia's clients say it, or one client secret.
 *
 * @throws DomainError `invalid_value` when the two are mixed, or a member goes with another kind
 */
export function wantedCredentials(body: NewServiceAccountBody): NewCredential[] {
  const { credentials, tokenEndpointAuthMethod: method, publicKey } = body;
  if (credentials === undefined) {
    const type = method === 'private_key_jwt' ? 'public_key' : 'client_secret';
    return [wanted({ type, ...(publicKey !== undefined && { publicKey }) }, '')];
  }
  if (method !== undefined) throw mismatch('/tokenEndpointAuthMethod', 'excludes credentials');
  if (publicKey !== undefined) throw mismatch('/publicKey', 'goes into credentials');
  return credentials.map((credential, index) => wanted(credential, `/credentials/${index}`));
}

type Wanted = NonNullable<NewServiceAccountBody['credentials']>[number];

function wanted(credential: Wanted, at: string): NewCredential {
  const { type, publicKey, assertionAudiences, assertionMaxTtl } = credential;
  if (type === 'client_secret') {
    const foreign = Object.keys(credential).find((member) => member !== 'type');
    if (foreign !== undefined) throw mismatch(`${at}/${foreign}`, 'goes with a public key only');
    return { type };
  }
  if (publicKey === undefined) throw mismatch(`${at}/publicKey`, 'is required for this kind of credential');
  return {
    type,
    publicKey,
    assertionAudiences: assertionAudiences ?? [],
    assertionMaxTtl,
    pointer: `${at}/publicKey`,
  };
}

function mismatch(pointer: string, message: string): DomainError {
  return new DomainError('invalid_value', 'The credentials do not fit together', { fields: [{ pointer, message }] });
}
