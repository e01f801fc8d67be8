import type { ExpectedRevisions } from '../domain/revision.ts';

/** The `ETag` of a revision. */
export function entityTag(revision: number): string {
  return `"${revision}"`;
}

/**
 * Reads `If-Match` (RFC 9110 §13.1.1).
 *
 * @returns undefined when it is absent or `*`; what is no tag of ours matches nothing
 */
export function expectedRevisions(header: string | undefined): ExpectedRevisions {
  if (header === undefined || header.trim() === '*') return undefined;
  return header
    .split(',')
    .map((tag) => /^"(\d{1,9})"$/.exec(tag.trim())?.[1])
    .flatMap((revision) => (revision === undefined ? [] : [Number(revision)]));
}
