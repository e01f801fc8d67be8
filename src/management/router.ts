import findMyWay, { type HTTPMethod } from 'find-my-way';
import type { Route } from './route.ts';

/** The result of routing: the operation with its path parameters, or else the methods that the path has. */
export type Routing<Target> =
  | { readonly found: Target; readonly params: Readonly<Record<string, string | undefined>> }
  | { readonly allowed: readonly string[] };

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const satisfies readonly HTTPMethod[];

/** Creates a function that finds operations by method and path. A final `/` does not matter, and `HEAD` finds `GET`. */
export function createRouter<Target extends { readonly route: Route }>(
  targets: readonly Target[],
): (method: string, path: string) => Routing<Target> {
  const router = findMyWay({ ignoreTrailingSlash: true, maxParamLength: 512 });
  for (const target of targets) {
    const path = target.route.path.replaceAll(/\{(\w+)\}/g, ':$1');
    router.on(target.route.method, path, () => undefined, target);
  }
  const find = (method: HTTPMethod, path: string): Routing<Target> | undefined => {
    const result = router.find(method, path);
    return result === null ? undefined : { found: result.store, params: result.params };
  };

  return (method, path) => {
    const asked = METHODS.find((known) => known === (method === 'HEAD' ? 'GET' : method));
    const routing = asked && find(asked, path);
    return routing ?? { allowed: METHODS.filter((known) => find(known, path) !== undefined) };
  };
}
