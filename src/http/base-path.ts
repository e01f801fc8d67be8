import type { HttpMiddleware } from './context.ts';

/**
 * Removes the path of the issuer from the path of a request, so that a proxy may strip the issuer's path or leave it. A
 * doubled leading `/` is accepted: some clients produce it when they join an issuer and a path.
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
 * Creates a function that removes the path of the issuer.
 *
 * @param issuer with or without a path
 * @returns a function from the path of a request to the path below the issuer
 */
export function basePathRemover(issuer: string): (path: string) => string {
  const base = new URL(issuer).pathname.replace(/\/$/, '');
  return (path) => {
    const single = path.startsWith('//') ? path.slice(1) : path;
    if (base !== '' && single === base) return '/';
    return base !== '' && single.startsWith(`${base}/`) ? single.slice(base.length) : single;
  };
}
