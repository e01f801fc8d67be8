import type { ExpectedRevisions } from '../domain/revision.ts';
import { ProblemError } from './problems.ts';

/** The `ETag` of a revision. */
export function entityTag(revision: number): string {
  return `"${revision}"`;
}

/**
 * Reads the revisions in `If-Match` (RFC 9110 §13.1.1). Tags that a proxy has changed are accepted, too: proxies that
 * compress make a tag weak (nginx) or add the coding to it (Apache, Jetty, Caddy).
 *
 * @returns undefined when the header is absent or `*`
 * @throws ProblemError `precondition_failed` when the header has no tag of this server
 */
export function expectedRevisions(header: string | undefined): ExpectedRevisions {
  if (header === undefined || header.trim() === '*') return undefined;
  const revisions = [...header.matchAll(/"([^"]*)"/g)].flatMap(([, tag = '']) => {
    const revision = /^([1-9]\d{0,8})(?:[-;/.:]{1,2}[A-Za-z0-9]{1,16})?$/.exec(tag)?.[1];
    return revision === undefined ? [] : [Number(revision)];
  });
  if (revisions.length > 0) return revisions;
  throw new ProblemError({
    status: 412,
    code: 'precondition_failed',
    detail: `If-Match names no tag that this server made: send the ETag of the thing as it was read, such as ${entityTag(3)}`,
  });
}
