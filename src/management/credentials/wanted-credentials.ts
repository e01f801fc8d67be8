import type { WantedCredential } from '../../domain/credentials/issue-credentials.ts';
import type { TakenMembers } from '../../domain/credentials/kinds/kind.ts';
import { KINDS, kindsThatTake } from '../../domain/credentials/kinds/kinds.ts';
import { compilePreset } from '../../domain/federation/presets.ts';
import { DomainError } from '../../domain/domain-error.ts';
import { secondsOrNone } from '../duration.ts';
import { miaCredential } from '../mia/mia-members.ts';
import type { NewServiceAccountBody } from '../service-accounts/service-account-schema.ts';
import { type NewCredentialBody, TAKEN_MEMBERS } from './credential-schema.ts';
import { PRESET_MEMBERS } from './preset-schema.ts';

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
  const { type, name, description, permissions, extend, expiresIn } = credential;
  const members = withPreset(credential, at);
  const lifetime = secondsOrNone(expiresIn, `${at}/expiresIn`) ?? undefined;
  const kind = KINDS[type];
  const foreign = TAKEN_MEMBERS.find((each) => kind.takes[each] === undefined && members[each] !== undefined);
  if (foreign !== undefined) throw mismatch(`${at}/${foreign}`, `goes with ${kindsThatTake(foreign)} only`);
  const missing = TAKEN_MEMBERS.find((each) => kind.takes[each] === 'required' && members[each] === undefined);
  if (missing !== undefined) throw mismatch(`${at}/${missing}`, 'is required for this kind of credential');
  return { ...kind.wanted(members), name, description, lifetime, permissions: permissions ?? undefined, extend, at };
}

/** The members of a credential that only some kinds take, with the preset as the rule that it stands for. */
function withPreset(credential: NewCredentialBody, at: string): Pick<NewCredentialBody, keyof TakenMembers> {
  const { preset, type, issuer, subject, claims, match } = credential;
  const given = PRESET_MEMBERS.filter((member) => credential[member] !== undefined);
  if (preset === undefined) {
    const [stray] = given;
    if (stray !== undefined) throw mismatch(`${at}/${stray}`, 'goes with preset only');
    return credential;
  }
  if (type !== 'federated') throw mismatch(`${at}/preset`, 'goes with a federated credential only');
  const other = Object.entries({ subject, claims, match }).find(([, value]) => value !== undefined)?.[0];
  if (other !== undefined) throw mismatch(`${at}/${other}`, 'is what a preset replaces');
  const members = Object.fromEntries(given.map((member) => [member, credential[member]]));
  return { ...credential, ...compilePreset(preset, members, issuer, at) };
}

function mismatch(pointer: string, message: string): DomainError {
  return new DomainError('invalid_value', 'The credentials do not fit together', { fields: [{ pointer, message }] });
}
