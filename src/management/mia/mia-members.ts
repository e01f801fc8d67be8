import type { FromSchema } from 'json-schema-to-ts';
import type { IssuedCredential } from '../../domain/credentials/issue-credentials.ts';
import { authMethodOf } from '../../domain/credentials/kinds/kinds.ts';
import type { GroupSnapshot } from '../../domain/groups/group.ts';
import type { AccountSummary } from '../../domain/service-accounts/service-account.ts';
import type { NewCredentialBody } from '../credentials/credential-schema.ts';
import type { MIA_ACCOUNT_MEMBERS, MIA_GROUP_MEMBERS, MIA_REGISTRATION_MEMBERS } from './mia-schema.ts';

type MembersOf<Schemas> = {
  -readonly [Name in keyof Schemas]: Schemas[Name] extends object ? FromSchema<Schemas[Name]> : never;
};

/** The members of a service account that Mia's clients read. */
export function miaAccountMembers({
  credentialTypes,
  lastUsedAt,
  roles,
}: AccountSummary): MembersOf<typeof MIA_ACCOUNT_MEMBERS> {
  return {
    authMethod: authMethodOf(credentialTypes) ?? null,
    lastLogin: lastUsedAt?.toISOString() ?? null,
    companyRoles: roles.filter((role) => !role.includes('@')),
  };
}

/** The members of a registered account that Mia's clients read: its first client secret. */
export function miaSecretMembers(
  first: IssuedCredential | undefined,
): { clientSecret: string; clientSecretExpiresAt: number } | undefined {
  if (first?.secret === undefined) return undefined;
  const { expiresAt } = first.credential;
  return { clientSecret: first.secret, clientSecretExpiresAt: Math.floor((expiresAt?.getTime() ?? 0) / 1000) };
}

/** The members of a group that Mia's clients read. */
export function miaGroupMembers(
  { groupId }: GroupSnapshot['group'],
  roles: readonly string[],
): MembersOf<typeof MIA_GROUP_MEMBERS> {
  return { _id: groupId, role: roles.find((role) => !role.includes('@')) ?? '' };
}

/** The credential of a registration by Mia's clients: a public key if they ask for one, else a client secret. */
export function miaCredential({
  tokenEndpointAuthMethod,
  publicKey,
}: Partial<MembersOf<typeof MIA_REGISTRATION_MEMBERS>>): NewCredentialBody {
  const type = tokenEndpointAuthMethod === 'private_key_jwt' ? 'public_key' : 'client_secret';
  return { type, ...(publicKey !== undefined && { publicKey }) };
}
