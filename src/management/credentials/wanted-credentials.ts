import type { WantedCredential } from '../../domain/credentials/wanted-credential.ts';
import { DomainError } from '../../domain/domain-error.ts';
import type { NewServiceAccountBody } from '../service-accounts/service-account-schema.ts';
import { secondsOrNone } from '../duration.ts';
import type { NewCredentialBody } from './credential-schema.ts';

/**
 * Reads the credentials of a registration: from `credentials`, or from the members that Mia's clients send, or else one
 * client secret.
 *
 * @throws DomainError `invalid_value` when the two forms are mixed, or a member is for another type of credential
 */
export function wantedCredentials(body: NewServiceAccountBody): WantedCredential[] {
  const { credentials, tokenEndpointAuthMethod: method, publicKey } = body;
  if (credentials === undefined) {
    const type = method === 'private_key_jwt' ? 'public_key' : 'client_secret';
    return [wantedCredential({ type, ...(publicKey !== undefined && { publicKey }) }, '')];
  }
  if (method !== undefined) throw mismatch('/tokenEndpointAuthMethod', 'excludes credentials');
  if (publicKey !== undefined) throw mismatch('/publicKey', 'must be in credentials');
  return credentials.map((credential, index) => wantedCredential(credential, `/credentials/${index}`));
}

/** Reads one credential. @param at its JSON pointer in the body @throws DomainError `invalid_value` */
export function wantedCredential(credential: NewCredentialBody, at: string): WantedCredential {
  const { type, audience, publicKey, assertionAudiences, assertionMaxTtl, name, description, permissions, extend } =
    credential;
  const described = {
    name,
    description,
    lifetime: secondsOrNone(credential.expiresIn, `${at}/expiresIn`) ?? undefined,
    permissions: permissions ?? undefined,
    extend,
    at,
  };
  if (type !== 'api_key' && audience !== undefined) throw mismatch(`${at}/audience`, 'is for API keys only');
  if (type !== 'public_key') {
    const foreign = Object.entries({ publicKey, assertionAudiences, assertionMaxTtl }).find(
      ([, value]) => value !== undefined,
    );
    if (foreign !== undefined) throw mismatch(`${at}/${foreign[0]}`, 'is for public keys only');
    if (type === 'client_secret') return { type, ...described };
    if (audience === undefined) throw mismatch(`${at}/audience`, 'is required for this kind of credential');
    return { type, audience, ...described };
  }
  if (publicKey === undefined) throw mismatch(`${at}/publicKey`, 'is required for this kind of credential');
  return {
    type,
    publicKey,
    assertionAudiences: assertionAudiences ?? [],
    assertionMaxTtl,
    ...described,
  };
}

function mismatch(pointer: string, message: string): DomainError {
  return new DomainError('invalid_value', 'The credentials do not fit together', { fields: [{ pointer, message }] });
}
