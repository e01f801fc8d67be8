import { DomainError } from '../domain-error.ts';
import type { CredentialPolicy } from './credential-policy.ts';
import type { CredentialType } from './credential.ts';
import { KINDS } from './kinds/kinds.ts';

/** The maximum age of a credential of a type in seconds; undefined: there is none. */
export function maxAgeOf(type: CredentialType, policy: CredentialPolicy): number | undefined {
  const { maxAge } = KINDS[type];
  return maxAge && policy[maxAge];
}

/** The lifetime of a credential, and whether a policy decided it. */
export interface Lifetime {
  /** Seconds; undefined: the credential never expires. */
  readonly lifetime: number | undefined;
  /** Whether the lifetime is the maximum age of a policy, because the request asked for no lifetime. */
  readonly expiresByPolicy: boolean;
}

/**
 * Decides how long a credential works.
 *
 * @param asked seconds; undefined: as long as the policy allows
 * @param at the position of the credential in the body of the request, as a JSON pointer
 * @throws DomainError `invalid_value` when the policy forbids the lifetime, or every credential of the type
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
