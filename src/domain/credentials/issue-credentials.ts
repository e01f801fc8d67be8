import { DomainError } from '../domain-error.ts';
import { type CompanyId, type CredentialId, newCredentialId } from '../ids.ts';
import { type CredentialBase, hasExpired } from './credential-base.ts';
import type { CredentialPolicy } from './credential-policy.ts';
import { type Credential, CREDENTIAL_TYPES, type CredentialType } from './credential.ts';
import { type ClientSecretCredential, clientSecretFrom } from './kinds/client-secret-kind.ts';
import type { CredentialTools, Issued, KindStores } from './kinds/kind.ts';
import { type BoundOfKind, KINDS, kindOf, type WantedOfKind } from './kinds/kinds.ts';
import { type Lifetime, lifetimeOf } from './lifetime.ts';

/** The members that a request may give a new credential of every kind. */
export interface CredentialDescription {
  readonly name?: string | undefined;
  readonly description?: string | undefined;
  /** Seconds until the credential expires. */
  readonly lifetime?: number | undefined;
  /** Scope-tokens: the part of the account's permissions that the credential may ask for; undefined: all of them. */
  readonly permissions?: readonly string[] | undefined;
  /** Whether each use gives the credential its lifetime anew. */
  readonly extend?: boolean | undefined;
  /** The first credential of the chain of rotations by the account itself that this credential continues. */
  readonly rotatedFrom?: CredentialId | undefined;
  /** The position of the credential in the body of the request, as a JSON pointer; empty: the whole body. */
  readonly at?: string;
}

/** A credential that is asked for. */
export type WantedCredential = WantedOfKind & CredentialDescription;

/** A credential that is asked for, when every resource server that it names has been found. */
export type NewCredential = BoundOfKind & CredentialDescription;

/** A new credential; its secret exists nowhere else and is answered once. */
export type IssuedCredential = Issued<Credential>;

/**
 * Finds everything that the wanted credentials of an account name, and keeps it until the end of the transaction.
 *
 * @param company the company of the account: it sees its own resource servers and those of root
 * @throws DomainError `invalid_value` for a name that does not exist
 */
export async function bindCredentials(
  stores: KindStores,
  company: CompanyId | undefined,
  wanted: readonly WantedCredential[],
): Promise<NewCredential[]> {
  const bound: NewCredential[] = [];
  for (const one of wanted) bound.push({ ...one, ...(await kindOf(one).bind(one, company, stores, one.at ?? '')) });
  return bound;
}

/**
 * Issues credentials for an account.
 *
 * @param policy the maximum ages of the credentials
 * @param existing the credentials that the account has
 * @throws DomainError `invalid_value` for a key that cannot be used, `already_exists` for a key or a name that the
 *   account has, `limit_reached`
 */
export async function issueCredentials(
  wanted: readonly NewCredential[],
  tools: CredentialTools,
  now: Date,
  policy: CredentialPolicy,
  existing: readonly Credential[] = [],
): Promise<IssuedCredential[]> {
  for (const type of CREDENTIAL_TYPES) {
    assertRoomForType(type, wanted.filter((credential) => credential.type === type).length, existing, now);
  }
  const issued: IssuedCredential[] = [];
  const names = new Map<string, CredentialId | undefined>(
    existing.flatMap(({ name, state, credentialId }) =>
      name === undefined || state === 'ending' ? [] : [[name, credentialId] as const],
    ),
  );
  for (const one of wanted.map((each) => within(each, policy))) {
    const { name, at = '' } = one;
    if (name !== undefined && names.has(name)) throw nameTaken(name, names.get(name), at);
    const others = { existing, issued: issued.map(({ credential }) => credential), at };
    const made = await kindOf(one).issue(one, baseOf(one, tools, now), tools, others);
    // A credential that this request issues is not stored when the request is refused: no refusal leads to it.
    if (name !== undefined) names.set(name, undefined);
    issued.push(made);
  }
  return issued;
}

/**
 * Asserts that an account may have more credentials of a type. An expired credential does not count.
 *
 * @param adding the number of credentials that are to work beside the existing ones
 * @throws DomainError `limit_reached`
 */
export function assertRoomForType(
  type: CredentialType,
  adding: number,
  existing: readonly Credential[],
  now: Date,
): void {
  const { most } = KINDS[type];
  const live = existing.filter((one) => one.type === type && !hasExpired(one, now));
  if (adding > 0 && live.length + adding > most) {
    throw new DomainError('limit_reached', `An account has at most ${most} credentials of type ${type}`);
  }
}

/**
 * @throws DomainError `invalid_value` when the policy forbids the lifetime, or a credential without an end is extended
 */
function within(wanted: NewCredential, policy: CredentialPolicy): NewCredential & Lifetime {
  const { at = '', extend = false } = wanted;
  const given = lifetimeOf(wanted.type, wanted.lifetime, policy, at);
  if (extend) assertEnds(given.lifetime, `${at}/extend`);
  return { ...wanted, ...given };
}

/** @throws DomainError `invalid_value` */
export function assertEnds(lifetime: number | undefined, pointer: string): void {
  if (lifetime !== undefined) return;
  throw new DomainError('invalid_value', 'A credential that never expires cannot be extended', {
    fields: [{ pointer, message: 'goes with expiresIn, or with a maximum age' }],
  });
}

/**
 * The error for a name that another credential of the account has.
 *
 * @param existing the other credential; undefined: it is in the same request
 * @param at the position of the credential in the body of the request, as a JSON pointer
 */
export function nameTaken(name: string, existing: CredentialId | undefined, at = ''): DomainError {
  return new DomainError('already_exists', `The account has a credential with the name ${name}`, {
    fields: [{ pointer: `${at}/name`, message: 'is taken' }],
    ...(existing !== undefined && { existing }),
  });
}

/** The members that a new credential of every kind has. */
function baseOf(
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
): CredentialBase {
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
 * Issues a client secret without a policy: for the first root account, or one that is to be recovered.
 *
 * @param given a secret that the operator fixed; undefined: it is generated
 */
export function issueClientSecret(
  tools: Omit<CredentialTools, 'isOwnKey' | 'profile'>,
  now: Date,
  given?: string,
): { credential: ClientSecretCredential; secret: string } {
  return clientSecretFrom(baseOf({}, tools, now), tools, given);
}
