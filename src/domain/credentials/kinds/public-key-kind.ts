import { calculateJwkThumbprint } from 'jose';
import { DomainError } from '../../domain-error.ts';
import type { CredentialId } from '../../ids.ts';
import type { CredentialBase } from '../credential-base.ts';
import { takesAlg } from '../../profile.ts';
import { parsePublicKey, type PublicJwk } from '../public-key.ts';
import { assertNew } from './assert-new.ts';
import { type CredentialKind, type OtherCredentials, present, type StoredCredential } from './kind.ts';
import { assertNoCertificate } from './rotation-key.ts';

/** A key pair whose private half only the account has; it signs client assertions (RFC 7523). */
export interface PublicKeyCredential extends CredentialBase {
  readonly type: 'public_key';
  /** The id of the key, unique in the account. */
  readonly kid: string;
  readonly publicKey: PublicJwk;
  /** The values of `aud` that its assertions may have beside the issuer. */
  readonly assertionAudiences: readonly string[];
  /** The longest lifetime of its assertions in seconds; undefined: the server's limit. */
  readonly assertionMaxTtl: number | undefined;
}

/** A public key that is asked for. */
export interface WantedPublicKey extends Pick<PublicKeyCredential, 'type' | 'assertionAudiences' | 'assertionMaxTtl'> {
  /** A JWK, or PEM. */
  readonly publicKey: unknown;
}

export const publicKeyKind: CredentialKind<PublicKeyCredential, WantedPublicKey, WantedPublicKey> = {
  noun: 'public key',
  most: 10,
  maxAge: 'keyMaxAge',
  letsRootIn: true,
  authMethod: 'private_key_jwt',
  secretAlias: undefined,
  takes: { publicKey: 'required', assertionAudiences: 'optional', assertionMaxTtl: 'optional' },
  changes: ['assertionAudiences', 'assertionMaxTtl'],

  wanted: ({ publicKey, assertionAudiences = [], assertionMaxTtl }) => ({
    type: 'public_key',
    publicKey,
    assertionAudiences,
    assertionMaxTtl,
  }),
  bind: (wanted) => Promise.resolve(wanted),
  async issue({ publicKey: given, assertionAudiences, assertionMaxTtl }, base, { isOwnKey, profile }, others) {
    const pointer = `${others.at}/publicKey`;
    const { kid, thumbprint, publicKey } = await parsePublicKey(given, pointer);
    if (isOwnKey(thumbprint)) throw unfit(pointer, 'is a key of this server');
    if ('alg' in publicKey && !takesAlg(profile, publicKey.alg)) {
      throw unfit(
        pointer,
        `is for ${publicKey.alg}, which the profile of this server does not take: send a JWK with another alg`,
      );
    }
    await assertNewKey(kid, thumbprint, pointer, others);
    return {
      secret: undefined,
      credential: { ...base, type: 'public_key', kid, publicKey, assertionAudiences, assertionMaxTtl },
    };
  },
  successor({ type, assertionAudiences, assertionMaxTtl }, replacement) {
    assertNoCertificate(replacement);
    const { publicKey } = replacement;
    if (publicKey === undefined) {
      throw new DomainError('invalid_value', 'The successor of a key is a key', {
        fields: [{ pointer: '/publicKey', message: 'is required for this kind of credential' }],
      });
    }
    return { type, publicKey, assertionAudiences, assertionMaxTtl };
  },
  keepReferences: () => Promise.resolve(true),
  change: (before, { assertionAudiences, assertionMaxTtl }) => ({
    ...before,
    assertionAudiences: assertionAudiences ?? before.assertionAudiences,
    assertionMaxTtl: assertionMaxTtl === undefined ? before.assertionMaxTtl : (assertionMaxTtl ?? undefined),
  }),
  widens: (before, after, defaultMaxTtl) =>
    after.assertionAudiences.some((audience) => !before.assertionAudiences.includes(audience)) ||
    (after.assertionMaxTtl ?? defaultMaxTtl) > (before.assertionMaxTtl ?? defaultMaxTtl),
  endsByItself: () => undefined,
  onlyAt: () => undefined,
  answered: ({ kid, publicKey, assertionAudiences, assertionMaxTtl }) => ({
    hint: kid,
    kid,
    publicKey: { ...publicKey },
    assertionAudiences: [...assertionAudiences],
    assertionMaxTtl: assertionMaxTtl ?? null,
  }),
  audited: ({ kid, assertionAudiences, assertionMaxTtl }) => ({ kid, assertionAudiences, assertionMaxTtl }),
  stored({ kid, publicKey, assertionAudiences, assertionMaxTtl }) {
    const data: PublicKeyData = {
      publicKey,
      assertionAudiences: [...assertionAudiences],
      ...(assertionMaxTtl !== undefined && { assertionMaxTtl }),
    };
    return { kid, data };
  },
  restored(base, { kid, data }) {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the rows of this kind have the data that `stored` writes
    const { publicKey, assertionAudiences, assertionMaxTtl } = data as PublicKeyData;
    return {
      ...base,
      type: 'public_key',
      kid: present(kid, 'kid', base),
      publicKey,
      assertionAudiences,
      assertionMaxTtl,
    };
  },
};

function unfit(pointer: string, message: string): DomainError {
  return new DomainError('invalid_value', `The public key cannot be used: it ${message}`, {
    fields: [{ pointer, message }],
  });
}

/** The members of a public key that are stored as JSON. */
interface PublicKeyData {
  readonly publicKey: PublicJwk;
  readonly assertionAudiences: readonly string[];
  readonly assertionMaxTtl?: number;
}

/** @throws DomainError `already_exists` when the account has the key, or a key with the same `kid` */
async function assertNewKey(kid: string, thumbprint: string, pointer: string, others: OtherCredentials): Promise<void> {
  const names = new Map<string, CredentialId>();
  for (const one of [...others.existing, ...others.issued].filter(isPublicKey)) {
    names.set(one.kid, one.credentialId);
    names.set(await calculateJwkThumbprint({ ...one.publicKey }), one.credentialId);
  }
  const same = names.get(thumbprint) ?? names.get(kid);
  assertNew(same, others, 'The account has this key, or a key with this kid, already', pointer);
}

function isPublicKey(credential: StoredCredential): credential is PublicKeyCredential {
  return credential.type === 'public_key';
}
