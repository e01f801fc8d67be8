import { DomainError } from '../domain-error.ts';
import type { Credential } from './credential.ts';

/** How old credentials may get. */
export interface CredentialPolicy {
  /** Seconds for which what is kept as a hash may work; 0: there may be none; undefined: as long as it likes. */
  readonly secretMaxAge: number | undefined;
  /** The same for public keys. */
  readonly keyMaxAge: number | undefined;
}

export const NO_POLICY: CredentialPolicy = { secretMaxAge: undefined, keyMaxAge: undefined };

/**
 * What holds for the accounts of a company, or for root accounts: the stricter of its own policy and the server's.
 *
 * @param owner the company; undefined: of root accounts
 */
export function policyFor(
  owner: { readonly policy: CredentialPolicy } | undefined,
  server: CredentialPolicy,
): CredentialPolicy {
  if (owner === undefined) return server;
  const { policy } = owner;
  return {
    secretMaxAge: least(policy.secretMaxAge, server.secretMaxAge),
    keyMaxAge: least(policy.keyMaxAge, server.keyMaxAge),
  };
}

function least(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? (one ?? other) : Math.min(one, other);
}

/** Seconds for which a credential of a kind may work; undefined: as long as it likes. */
export function maxAgeOf(type: Credential['type'], { secretMaxAge, keyMaxAge }: CredentialPolicy): number | undefined {
  return type === 'public_key' ? keyMaxAge : secretMaxAge;
}

/** For how long a credential is given, and by whose wish. */
export interface Lifetime {
  /** Seconds; undefined: for ever. */
  readonly lifetime: number | undefined;
  /** Whether it is so long because a policy says so, and nobody else. */
  readonly expiresByPolicy: boolean;
}

/**
 * Decides how long a credential works.
 *
 * @param asked seconds; undefined: as long as it may
 * @param at where the credential stands in the body of the request
 * @throws DomainError `invalid_value` when that is longer than it may, or there may be none of its kind
 */
export function lifetimeOf(
  type: Credential['type'],
  asked: number | undefined,
  policy: CredentialPolicy,
  at: string,
): Lifetime {
  const most = maxAgeOf(type, policy);
  if (most === undefined) return { lifetime: asked, expiresByPolicy: false };
  if (most === 0) throw refused(`${at}/type`, 'is not allowed here');
  if (asked === undefined) return { lifetime: most, expiresByPolicy: true };
  if (asked > most) throw refused(`${at}/expiresIn`, `must be at most ${most} seconds here`);
  return { lifetime: asked, expiresByPolicy: false };
}

function refused(pointer: string, message: string): DomainError {
  return new DomainError('invalid_value', 'The policy of the company or the server does not allow it', {
    fields: [{ pointer, message }],
  });
}
