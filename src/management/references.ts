import type { GuardedRoute } from './route.ts';

/**
 * The reference to the next page, for `Link` (RFC 8288): the same path with another query. The reference is relative:
 * the client resolves it against the address that it called (RFC 3986 §5.2), so a proxy may change the path.
 *
 * @param querystring the query of this page
 * @param cursor the cursor of the next page
 */
export function nextPage(querystring: string, cursor: string): string {
  const query = new URLSearchParams(querystring);
  query.set('cursor', cursor);
  return `?${query.toString()}`;
}

/**
 * The reference to a member of a collection, for `Location` (RFC 9110 §10.2.2), relative like {@link nextPage}. The
 * call was to the collection or, with `aboutMember`, to another member.
 *
 * @param route the route of the call
 * @param called the path of the call, under any prefix; a final `/` counts, as in RFC 3986
 * @param id the id of the member
 */
export function memberOf(route: Pick<GuardedRoute, 'path' | 'aboutMember'>, called: string, id: string): string {
  const segments = route.path.split('/');
  const ending = route.aboutMember ? segments.slice(segments.findLastIndex((segment) => segment.startsWith('{'))) : [];
  // A client resolves a reference without the part of its own address after the last slash.
  const left = called.endsWith('/') ? ending.length : ending.length - 1;
  const down = left < 0 ? `${segments.at(-1)}/` : '';
  return `${'../'.repeat(Math.max(left, 0)) || './'}${down}${encodeURIComponent(id)}`;
}
