import type { HttpMiddleware } from './context.ts';

/**
 * Serves everything below the path of the issuer too, so that a proxy may strip that path or leave it. A doubled
 * leading `/`, as clients make it that join an issuer and a path carelessly, is forgiven.
 *
 * @param issuer with or without a path
 */
export function basePath(issuer: string): HttpMiddleware {
  const withoutBase = basePathRemover(issuer);
  return (ctx, next) => {
    const path = withoutBase(ctx.path);
    if (path !== ctx.path) ctx.path = path;
    return next();
  };
}

/**
 * @param issuer with or without a path
 * @returns what makes a path one below the root, whichever way it was called
 */
export function basePathRemover(issuer: string): (path: string) => string {
  const base = new URL(issuer).pathname.replace(/\/$/, '');
  return (path) => {
    const single = path.startsWith('//') ? path.slice(1) : path;
    return base !== '' && single.startsWith(`${base}/`) ? single.slice(base.length) : single;
  };
}
