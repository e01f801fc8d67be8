import { DomainError } from '../domain-error.ts';
import { newCredentialId, type RandomId } from '../ids.ts';
import { formatClientSecret, secretHint } from './client-secret.ts';
import type { ClientSecretCredential, Credential, PublicKeyCredential } from './credential.ts';
import { parsePublicKey } from './public-key.ts';
import type { SecretHasher } from './secret-hasher.ts';

/** What making credentials takes. */
export interface CredentialTools {
  readonly hashSecret: SecretHasher;
  readonly randomBytes: (size: number) => Uint8Array;
  readonly randomId: RandomId;
  /** Whether a key is one of this server's own, by its thumbprint. */
  readonly isOwnKey: (thumbprint: string) => boolean;
}

/** A public key that is to be a credential. */
interface NewPublicKey {
  readonly type: 'public_key';
  /** A JWK, or PEM. */
  readonly publicKey: unknown;
  readonly assertionAudiences: readonly string[];
  /** Seconds. */
  readonly assertionMaxTtl: number | undefined;
  /** Where the key stands in the request. */
  readonly pointer: string;
}

/** A credential that is asked for; a secret is made by the server, never chosen. */
export type NewCredential = { readonly type: 'client_secret' } | NewPublicKey;

/** A new credential; its secret, if it has one, exists nowhere else and is shown once. */
export interface IssuedCredential {
  readonly credential: Credential;
  readonly clientSecret: string | undefined;
}

/** The most that one account may have of a kind. */
const LIMITS: Record<Credential['type'], number> = { client_secret: 100, public_key: 10 };

/**
 * Makes the credentials of a new account.
 *
 * @throws DomainError `invalid_value` for a key that cannot be used, `already_exists` for one that is there twice,
 *   `limit_reached`
 */
export async function issueCredentials(
  wanted: readonly NewCredential[],
  tools: CredentialTools,
  now: Date,
): Promise<IssuedCredential[]> {
  for (const type of ['client_secret', 'public_key'] as const) {
    if (wanted.filter((credential) => credential.type === type).length > LIMITS[type]) {
      throw new DomainError('limit_reached', `An account has at most ${LIMITS[type]} credentials of type ${type}`);
    }
  }
  const issued: IssuedCredential[] = [];
  const thumbprints = new Set<string>();
  const kids = new Set<string>();
  for (const credential of wanted) {
    if (credential.type === 'client_secret') {
      issued.push(issueClientSecret(tools, now));
      continue;
    }
    const { credential: key, thumbprint } = await issuePublicKey(credential, tools, now);
    if (thumbprints.has(thumbprint) || kids.has(key.kid)) {
      throw new DomainError('already_exists', 'The account has this key, or a key with this kid, already', {
        fields: [{ pointer: credential.pointer, message: 'is there twice' }],
      });
    }
    thumbprints.add(thumbprint);
    kids.add(key.kid);
    issued.push({ credential: key, clientSecret: undefined });
  }
  return issued;
}

/**
 * Makes a client secret.
 *
 * @param given a secret fixed from outside, for the first root account only
 */
export function issueClientSecret(
  tools: Omit<CredentialTools, 'isOwnKey'>,
  now: Date,
  given?: string,
): { credential: ClientSecretCredential; clientSecret: string } {
  const clientSecret = given ?? formatClientSecret(tools.randomBytes(32));
  return {
    clientSecret,
    credential: {
      type: 'client_secret',
      credentialId: newCredentialId(tools.randomId),
      secretHash: tools.hashSecret(clientSecret),
      hint: secretHint(clientSecret),
      createdAt: now,
    },
  };
}

/** Makes a credential of a public key. @throws DomainError `invalid_value` */
async function issuePublicKey(
  wanted: NewPublicKey,
  tools: CredentialTools,
  now: Date,
): Promise<{ credential: PublicKeyCredential; thumbprint: string }> {
  const { kid, thumbprint, publicKey } = await parsePublicKey(wanted.publicKey, wanted.pointer);
  if (tools.isOwnKey(thumbprint)) {
    throw new DomainError('invalid_value', 'The public key cannot be used: it is a key of this server', {
      fields: [{ pointer: wanted.pointer, message: 'is a key of this server' }],
    });
  }
  const { assertionAudiences, assertionMaxTtl } = wanted;
  return {
    thumbprint,
    credential: {
      type: 'public_key',
      credentialId: newCredentialId(tools.randomId),
      kid,
      publicKey,
      assertionAudiences,
      assertionMaxTtl,
      createdAt: now,
    },
  };
}
