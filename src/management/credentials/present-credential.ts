import type { Credential } from '../../domain/credentials/credential.ts';
import type { LastUse } from '../../domain/credentials/use-store.ts';
import type { IssuedCredential } from '../../domain/credentials/issue-credentials.ts';
import { kindOf } from '../../domain/credentials/kinds/kinds.ts';
import type { CredentialBody, IssuedCredentialBody } from './credential-schema.ts';

/** Shows a credential. Every member is picked by name, so that no secret gets into an answer by accident. */
export function presentCredential(credential: Credential, lastUse: LastUse | undefined): CredentialBody {
  return {
    credentialId: credential.credentialId,
    type: credential.type,
    name: credential.name ?? null,
    description: credential.description ?? null,
    state: credential.state,
    createdAt: credential.createdAt.toISOString(),
    expiresAt: credential.expiresAt?.toISOString() ?? null,
    extend: credential.extend,
    lastUsedAt: lastUse?.usedAt.toISOString() ?? null,
    lastUsedFrom: lastUse?.source ?? null,
    permissions: credential.permissions === undefined ? null : [...credential.permissions],
    successor: credential.successor ?? null,
    ...kindOf(credential).answered(credential),
  };
}

/**
 * Shows a new credential, with its secret.
 *
 * @param workflow how the platform of the credential gets a token
 */
export function presentIssuedCredential(
  { credential, secret }: IssuedCredential,
  workflow?: string,
): IssuedCredentialBody {
  const { secretAlias } = kindOf(credential);
  return {
    ...presentCredential(credential, undefined),
    ...(workflow !== undefined && { workflow }),
    ...(secret !== undefined && { clientSecret: secret }),
    ...(secret !== undefined && secretAlias !== undefined && { [secretAlias]: secret }),
  };
}
