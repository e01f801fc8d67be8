import { calculateJwkThumbprint } from 'jose';
import { DomainError } from '../domain-error.ts';
import type { Audience } from '../resource-servers/resource-server.ts';
import { type CredentialId, newCredentialId, type RandomId } from '../ids.ts';
import { formatSecret, secretHint } from './client-secret.ts';
import { type CredentialPolicy, type Lifetime, lifetimeOf } from './credential-policy.ts';
import {
  type ClientSecretCredential,
  type Credential,
  CREDENTIAL_TYPES,
  type PublicKeyCredential,
  hasExpired,
} from './credential.ts';
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

/** What can be said of a credential of every kind. */
export interface CredentialDescription {
  readonly name?: string | undefined;
  readonly description?: string | undefined;
  /** Seconds until it expires. */
  readonly lifetime?: number | undefined;
  /** Scope-tokens: all that it may ask for. */
  readonly permissions?: readonly string[] | undefined;
  /** Whether each use gives it its lifetime anew. */
  readonly extend?: boolean | undefined;
  /** What the account itself rotates to get it. */
  readonly rotatedFrom?: CredentialId | undefined;
  /** Where it stands in the body of the request; the empty string: it is all of it. */
  readonly at?: string;
}

/** A public key that is to be a credential. */
export interface NewPublicKey extends CredentialDescription {
  readonly type: 'public_key';
  /** A JWK, or PEM. */
  readonly publicKey: unknown;
  readonly assertionAudiences: readonly string[];
  /** Seconds. */
  readonly assertionMaxTtl: number | undefined;
}

/** A credential that is asked for; a secret is made by the server, never chosen. */
export type NewCredential =
  | ({ readonly type: 'client_secret' } & CredentialDescription)
  | ({ readonly type: 'api_key'; readonly audience: Audience } & CredentialDescription)
  | NewPublicKey;

/** A new credential; its secret, if it has one, exists nowhere else and is shown once. */
export interface IssuedCredential {
  readonly credential: Credential;
  readonly clientSecret: string | undefined;
}

/** The most that one account may have of a kind. */
const LIMITS: Record<Credential['type'], number> = { client_secret: 100, public_key: 10, api_key: 100 };

/**
 * Makes credentials for an account.
 *
 * @param policy how long they may work
 * @param existing what it has already
 * @throws DomainError `invalid_value` for a key that cannot be used, `already_exists` for a key or a name that is there,
 *   `limit_reached`
 */
export async function issueCredentials(
  wanted: readonly NewCredential[],
  tools: CredentialTools,
  now: Date,
  policy: CredentialPolicy,
  existing: readonly Credential[] = [],
): Promise<IssuedCredential[]> {
  for (const type of CREDENTIAL_TYPES) {
    assertPlaces(type, wanted.filter((credential) => credential.type === type).length, existing, now);
  }
  const issued: IssuedCredential[] = [];
  const keys = await thumbprintsOf(existing);
  const names = new Map(
    existing.flatMap(({ name, state, credentialId }) =>
      name === undefined || state === 'ending' ? [] : [[name, credentialId] as const],
    ),
  );
  for (const credential of wanted.map((one) => within(one, policy))) {
    const { name, at = '' } = credential;
    if (name !== undefined && names.has(name)) throw nameTaken(name, names.get(name));
    if (credential.type === 'client_secret') issued.push(issueClientSecret(tools, now, undefined, credential));
    else if (credential.type === 'api_key') issued.push(issueApiKey(credential, tools, now));
    else {
      const { credential: key, thumbprint } = await issuePublicKey(credential, tools, now);
      const same = keys.get(thumbprint) ?? keys.get(key.kid);
      if (same !== undefined) {
        throw new DomainError('already_exists', 'The account has this key, or a key with this kid, already', {
          fields: [{ pointer: `${at}/publicKey`, message: 'is there twice' }],
          ...(existing.some(({ credentialId }) => credentialId === same) && { existing: same }),
        });
      }
      keys.set(thumbprint, key.credentialId).set(key.kid, key.credentialId);
      issued.push({ credential: key, clientSecret: undefined });
    }
    const made = issued.at(-1);
    if (name !== undefined && made !== undefined) names.set(name, made.credential.credentialId);
  }
  return issued;
}

/**
 * Holds an account to the number of credentials of a kind that it may have. An expired credential takes no place.
 *
 * @param adding how many more are to work
 * @throws DomainError `limit_reached`
 */
export function assertPlaces(
  type: Credential['type'],
  adding: number,
  existing: readonly Credential[],
  now: Date,
): void {
  const live = existing.filter((one) => one.type === type && !hasExpired(one, now));
  if (adding > 0 && live.length + adding > LIMITS[type]) {
    throw new DomainError('limit_reached', `An account has at most ${LIMITS[type]} credentials of type ${type}`);
  }
}

/** @throws DomainError `invalid_value` when it may not be for so long, or extend what does not end */
function within(wanted: NewCredential, policy: CredentialPolicy): NewCredential & Lifetime {
  const { at = '', extend = false } = wanted;
  const given = lifetimeOf(wanted.type, wanted.lifetime, policy, at);
  if (extend) assertEnds(given.lifetime, `${at}/extend`);
  return { ...wanted, ...given };
}

/** @throws DomainError `invalid_value` */
export function assertEnds(lifetime: number | undefined, pointer: string): void {
  if (lifetime !== undefined) return;
  throw new DomainError('invalid_value', 'What does not end cannot be extended', {
    fields: [{ pointer, message: 'goes with expiresIn, or with a maximum age' }],
  });
}

/** @returns an error that leads to the one that has the name, where that is known */
export function nameTaken(name: string, existing: CredentialId | undefined): DomainError {
  return new DomainError('already_exists', `The account has a credential with the name ${name}`, {
    fields: [{ pointer: '/name', message: 'is taken' }],
    ...(existing !== undefined && { existing }),
  });
}

/** The keys of an account by their thumbprints and by their ids. */
async function thumbprintsOf(existing: readonly Credential[]): Promise<Map<string, CredentialId>> {
  const keys = new Map<string, CredentialId>();
  for (const credential of existing) {
    if (credential.type !== 'public_key') continue;
    keys.set(credential.kid, credential.credentialId);
    keys.set(await calculateJwkThumbprint({ ...credential.publicKey }), credential.credentialId);
  }
  return keys;
}

/** What a new credential of every kind has. */
function begun(
  {
    name,
    description,
    lifetime,
    expiresByPolicy,
    extend,
    permissions,
    rotatedFrom,
  }: CredentialDescription & Partial<Lifetime>,
  { randomId }: Pick<CredentialTools, 'randomId'>,
  now: Date,
): Omit<ClientSecretCredential, 'type' | 'secretHash' | 'hint'> {
  return {
    credentialId: newCredentialId(randomId),
    name,
    description,
    state: 'enabled',
    createdAt: now,
    expiresAt: lifetime === undefined ? undefined : new Date(now.getTime() + lifetime * 1000),
    lifetime,
    expiresByPolicy: expiresByPolicy ?? false,
    extend: extend ?? false,
    permissions,
    rotatedFrom,
    successor: undefined,
    status: undefined,
    revision: 1,
  };
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
  description: CredentialDescription & Partial<Lifetime> = {},
): { credential: ClientSecretCredential; clientSecret: string } {
  const clientSecret = given ?? formatSecret('client_secret', tools.randomBytes(32));
  return {
    clientSecret,
    credential: {
      ...begun(description, tools, now),
      type: 'client_secret',
      secretHash: tools.hashSecret(clientSecret),
      hint: secretHint(clientSecret),
    },
  };
}

function issueApiKey(
  wanted: Extract<NewCredential, { type: 'api_key' }> & Partial<Lifetime>,
  tools: CredentialTools,
  now: Date,
): IssuedCredential {
  const clientSecret = formatSecret('api_key', tools.randomBytes(32));
  const { type, audience } = wanted;
  const [secretHash, hint] = [tools.hashSecret(clientSecret), secretHint(clientSecret)];
  return { clientSecret, credential: { ...begun(wanted, tools, now), type, secretHash, hint, audience } };
}

/** Makes a credential of a public key. @throws DomainError `invalid_value` */
async function issuePublicKey(
  wanted: NewPublicKey & Partial<Lifetime>,
  tools: CredentialTools,
  now: Date,
): Promise<{ credential: PublicKeyCredential; thumbprint: string }> {
  const pointer = `${wanted.at ?? ''}/publicKey`;
  const { kid, thumbprint, publicKey } = await parsePublicKey(wanted.publicKey, pointer);
  if (tools.isOwnKey(thumbprint)) {
    throw new DomainError('invalid_value', 'The public key cannot be used: it is a key of this server', {
      fields: [{ pointer, message: 'is a key of this server' }],
    });
  }
  const { assertionAudiences, assertionMaxTtl } = wanted;
  return {
    thumbprint,
    credential: {
      ...begun(wanted, tools, now),
      type: 'public_key',
      kid,
      publicKey,
      assertionAudiences,
      assertionMaxTtl,
    },
  };
}
