import { DomainError } from './domain-error.ts';

/** The revisions of a thing that a caller is willing to change; undefined: whichever it has. */
export type ExpectedRevisions = readonly number[] | undefined;

/** @throws DomainError `precondition_failed` when somebody else has changed it meanwhile */
export function assertRevision(revision: number, expected: ExpectedRevisions): void {
  if (expected?.includes(revision) === false) {
    throw new DomainError('precondition_failed', `It has changed meanwhile: this is revision ${revision}`);
  }
}
