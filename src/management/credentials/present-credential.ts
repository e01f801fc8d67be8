import type { Credential } from '../../domain/credentials/credential.ts';
import type { LastUse } from '../../domain/credentials/use-store.ts';
import type { IssuedCredential } from '../../domain/credentials/issue-credentials.ts';
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
    ...(credential.type === 'api_key' && { audience: credential.audience.identifier }),
    ...(credential.type !== 'public_key'
      ? { hint: credential.hint }
      : {
          hint: credential.kid,
          kid: credential.kid,
          publicKey: { ...credential.publicKey },
          assertionAudiences: [...credential.assertionAudiences],
          assertionMaxTtl: credential.assertionMaxTtl ?? null,
        }),
  };
}

/** Shows a new credential, with its secret. */
export function presentIssuedCredential({ credential, clientSecret }: IssuedCredential): IssuedCredentialBody {
  return {
    ...presentCredential(credential, undefined),
    ...(clientSecret !== undefined && { clientSecret }),
    ...(clientSecret !== undefined && credential.type === 'api_key' && { apiKey: clientSecret }),
  };
}
