import { DomainError } from './domain-error.ts';

/** The revisions that a caller accepts for the resource to change; undefined: every revision. */
export type ExpectedRevisions = readonly number[] | undefined;

/**
 * Refuses a change when another caller has changed the resource since this caller read it.
 *
 * @throws DomainError `precondition_failed`
 */
export function assertRevision(revision: number, expected: ExpectedRevisions): void {
  if (expected?.includes(revision) === false) {
    throw new DomainError('precondition_failed', `It has changed meanwhile: this is revision ${revision}`);
  }
}
