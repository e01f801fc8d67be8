import type { HttpMiddleware } from './context.ts';

/**
 * Serves everything below the path of the issuer too, so that a proxy may strip that path or leave it. A doubled
 * leading `/`, as clients make it that join an issuer and a path carelessly, is forgiven.
 *
 * @param issuer with or without a path
 */
export function basePath(issuer: string): HttpMiddleware {
  const base = new URL(issuer).pathname.replace(/\/$/, '');
  return (ctx, next) => {
    if (ctx.path.startsWith('//')) ctx.path = ctx.path.slice(1);
    if (base !== '' && ctx.path.startsWith(`${base}/`)) ctx.path = ctx.path.slice(base.length);
    return next();
  };
}
