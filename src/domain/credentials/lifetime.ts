import { DomainError } from '../domain-error.ts';
import type { CredentialPolicy } from './credential-policy.ts';
import type { CredentialType } from './credential.ts';
import { KINDS } from './kinds/kinds.ts';

/** The maximum age of a credential of a type in seconds; undefined: there is none. */
export function maxAgeOf(type: CredentialType, policy: CredentialPolicy): number | undefined {
  return policy[KINDS[type].maxAge];
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
  type: CredentialType,
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
