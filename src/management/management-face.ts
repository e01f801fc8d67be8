import { DomainError } from '../domain/domain-error.ts';
import type { HttpContext, HttpMiddleware } from '../http/context.ts';
import { sendProblem } from '../http/problem.ts';
import type { Logger } from '../logger.ts';
import { type Authenticate, UnauthorizedError } from './authenticate.ts';
import { ProblemError, problemOf } from './problems.ts';
import { readJsonBody } from './read-json-body.ts';
import type { Answer, Route } from './route.ts';
import { createRouter } from './router.ts';
import { createSchemaCompiler } from './schema-validator.ts';

/**
 * The management API: serves every path from `/api` down.
 *
 * @param resourceMetadata where this API describes itself (RFC 9728), for `WWW-Authenticate`
 */
export function managementFace({
  routes,
  authenticate,
  resourceMetadata,
  logger,
}: {
  routes: readonly Route[];
  authenticate: Authenticate;
  resourceMetadata: string;
  logger: Logger;
}): HttpMiddleware {
  const compile = createSchemaCompiler();
  const find = createRouter(
    routes.map((route) => ({
      route,
      validate: route.permission !== 'public' && route.body !== undefined ? compile(route.body) : undefined,
    })),
  );

  return async (ctx, next) => {
    if (ctx.path !== '/api' && !ctx.path.startsWith('/api/')) return next();
    ctx.set('Cache-Control', 'no-store');
    try {
      const answer = await answerTo(ctx);
      if (answer.created !== undefined) ctx.set('Location', below(ctx, answer.created));
      ctx.status = answer.status;
      if (answer.body !== undefined) ctx.body = answer.body;
    } catch (error) {
      refuse(ctx, error);
    }
  };

  async function answerTo(ctx: HttpContext): Promise<Answer> {
    const routing = find(ctx.method, ctx.path);
    if ('allowed' in routing) throw notRouted(ctx, routing.allowed);
    const { route, validate } = routing.found;
    if (route.permission === 'public') return route.handle();

    const caller = await authenticate(ctx.req, ctx.state.requestId);
    if (!caller.permissions.has(route.permission)) {
      throw new ProblemError({
        status: 403,
        code: 'insufficient_scope',
        detail: `This takes the permission ${route.permission}`,
        required: route.permission,
      });
    }
    const body = validate && (await readJsonBody(ctx.req, validate));
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the schema that types the body has just checked it
    return route.handle({ caller, body: body as never, param: (name) => routing.params[name] ?? '' });
  }

  function notRouted(ctx: HttpContext, allowed: readonly string[]): ProblemError {
    if (allowed.length === 0) {
      return new ProblemError({ status: 404, code: 'not_found', detail: 'There is no such resource' });
    }
    ctx.set('Allow', allowed.join(', '));
    return new ProblemError({
      status: 405,
      code: 'method_not_allowed',
      detail: `The methods of this resource are ${allowed.join(', ')}`,
    });
  }

  function refuse(ctx: HttpContext, error: unknown): void {
    const { requestId } = ctx.state;
    const where = { method: ctx.method, path: ctx.path, source: ctx.state.source(), requestId };
    if (error instanceof UnauthorizedError) {
      logger.info({ event: 'management.refused', status: 401, reason: error.reason, ...where });
      ctx.set(
        'WWW-Authenticate',
        `Bearer realm="writ", error="invalid_token", resource_metadata="${resourceMetadata}"`,
      );
      sendProblem(ctx, { status: 401, code: 'unauthorized', detail: error.message });
      return;
    }
    const problem = problemOf(error) ?? { status: 500, code: 'internal', detail: 'Something went wrong here' };
    if (problem.status >= 500)
      logger.error({ event: 'management.failed', err: error, status: problem.status, ...where });
    else
      logger.info({
        event: 'management.refused',
        status: problem.status,
        reason: problem.code,
        detail: problem.detail,
        ...where,
      });

    if (problem.required !== undefined) {
      ctx.set(
        'WWW-Authenticate',
        `Bearer realm="writ", error="insufficient_scope", scope="${problem.required}", resource_metadata="${resourceMetadata}"`,
      );
    }
    if (error instanceof DomainError && error.existing !== undefined) ctx.set('Location', below(ctx, error.existing));
    // What is left of the body is not worth reading.
    if (problem.status === 413) ctx.set('Connection', 'close');
    sendProblem(ctx, problem);
  }
}

/** The path of a member of the collection that was called, whatever prefix it was called under. */
function below(ctx: HttpContext, id: string): string {
  const [path = ''] = ctx.originalUrl.split('?', 1);
  return `${path.replace(/\/$/, '')}/${encodeURIComponent(id)}`;
}
