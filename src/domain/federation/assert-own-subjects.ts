import type { Credential } from '../credentials/credential.ts';
import type { FederatedCredential } from '../credentials/kinds/federated-kind.ts';
import { DomainError } from '../domain-error.ts';
import type { ClientId } from '../ids.ts';
import type { Stores } from '../storage.ts';
import type { ClaimRule } from './claim-rule.ts';

/** The subject that a rule names with its exact value; undefined: the rule names none, or a pattern. */
export function exactSubject({ subject, match }: Pick<ClaimRule, 'subject' | 'match'>): string | undefined {
  return match === 'glob' && subject?.includes('*') === true ? undefined : subject;
}

/**
 * Asserts that the exact subjects of new rules belong to no other account: a token that names no account stands for the
 * one account that has a rule for just its issuer and subject. No other account gets such a rule until the end of the
 * transaction.
 *
 * @throws DomainError `already_exists`
 */
export async function assertOwnSubjects(
  { credentials }: Pick<Stores, 'credentials'>,
  clientId: ClientId,
  added: readonly Credential[],
): Promise<void> {
  const rules = added
    .filter((one) => one.type === 'federated')
    .toSorted((one, other) => (keyOf(one) < keyOf(other) ? -1 : 1));
  for (const rule of rules) {
    const subject = exactSubject(rule);
    if (subject === undefined) continue;
    const owner = await credentials.keepSubject(rule.issuer, subject);
    if (owner === undefined || owner === clientId) continue;
    throw new DomainError(
      'already_exists',
      `Another account has a rule for the subject ${subject} of ${rule.issuer}: a subject stands for one account`,
    );
  }
}

/** Rules are compared in one order, so that two transactions do not wait for each other. */
function keyOf({ issuer, subject }: FederatedCredential): string {
  return `${issuer} ${subject}`;
}
