import type { WantedCredential } from '../../domain/credentials/issue-credentials.ts';
import { KINDS, kindsThatTake } from '../../domain/credentials/kinds/kinds.ts';
import { DomainError } from '../../domain/domain-error.ts';
import { secondsOrNone } from '../duration.ts';
import { miaCredential } from '../mia/mia-members.ts';
import type { NewServiceAccountBody } from '../service-accounts/service-account-schema.ts';
import { type NewCredentialBody, TAKEN_MEMBERS } from './credential-schema.ts';

/**
 * Reads the credentials of a registration: from `credentials`, or from the members that Mia's clients send, or else one
 * client secret.
 *
 * @throws DomainError `invalid_value` when the two forms are mixed, or a member is for another type of credential
 */
export function wantedCredentials(body: NewServiceAccountBody): WantedCredential[] {
  const { credentials, tokenEndpointAuthMethod: method, publicKey } = body;
  if (credentials === undefined) return [wantedCredential(miaCredential(body), '')];
  if (method !== undefined) throw mismatch('/tokenEndpointAuthMethod', 'excludes credentials');
  if (publicKey !== undefined) throw mismatch('/publicKey', 'must be in credentials');
  return credentials.map((credential, index) => wantedCredential(credential, `/credentials/${index}`));
}

/** Reads one credential. @param at its JSON pointer in the body @throws DomainError `invalid_value` */
export function wantedCredential(credential: NewCredentialBody, at: string): WantedCredential {
  const { type, name, description, permissions, extend, expiresIn, ...members } = credential;
  const lifetime = secondsOrNone(expiresIn, `${at}/expiresIn`) ?? undefined;
  const kind = KINDS[type];
  const foreign = TAKEN_MEMBERS.find((each) => kind.takes[each] === undefined && members[each] !== undefined);
  if (foreign !== undefined) throw mismatch(`${at}/${foreign}`, `goes with ${kindsThatTake(foreign)} only`);
  const missing = TAKEN_MEMBERS.find((each) => kind.takes[each] === 'required' && members[each] === undefined);
  if (missing !== undefined) throw mismatch(`${at}/${missing}`, 'is required for this kind of credential');
  return { ...kind.wanted(members), name, description, lifetime, permissions: permissions ?? undefined, extend, at };
}

function mismatch(pointer: string, message: string): DomainError {
  return new DomainError('invalid_value', 'The credentials do not fit together', { fields: [{ pointer, message }] });
}
