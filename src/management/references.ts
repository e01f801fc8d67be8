import type { GuardedRoute } from './route.ts';

/**
 * Where a list goes on, for `Link` (RFC 8288): the same place with another query. A relative reference holds under
 * every prefix that a proxy has taken away, as the client resolves it against the address that it called (RFC 3986
 * §5.2).
 *
 * @param querystring of this page
 * @param cursor of the next page
 */
export function nextPage(querystring: string, cursor: string): string {
  const query = new URLSearchParams(querystring);
  query.set('cursor', cursor);
  return `?${query.toString()}`;
}

/**
 * A member of the collection that was called, or whose member was called, for `Location` (RFC 9110 §10.2.2), relative
 * like {@link nextPage}.
 *
 * @param route that was called
 * @param called the path as it was called, under whatever prefix; a final `/` counts as RFC 3986 has it
 * @param id of the member
 */
export function memberOf(route: Pick<GuardedRoute, 'path' | 'aboutMember'>, called: string, id: string): string {
  const segments = route.path.split('/');
  const ending = route.aboutMember ? segments.slice(segments.findLastIndex((segment) => segment.startsWith('{'))) : [];
  // A client leaves out what follows the last slash of its own address.
  const left = called.endsWith('/') ? ending.length : ending.length - 1;
  const down = left < 0 ? `${segments.at(-1)}/` : '';
  return `${'../'.repeat(Math.max(left, 0)) || './'}${down}${encodeURIComponent(id)}`;
}
