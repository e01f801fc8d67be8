import type { HttpContext } from '../http/context.ts';
import type { CursorCodec } from './cursor.ts';
import { ProblemError } from './problems.ts';
import { createQueryReader } from './read-query.ts';
import { memberOf } from './references.ts';
import type { GuardedRoute, PublicRoute, Route } from './route.ts';
import { createRouter } from './router.ts';
import { createSchemaCompiler, type SchemaValidator } from './schema-validator.ts';

/** An operation that takes an access token, with what reads its requests. */
export interface GuardedOperation {
  readonly route: GuardedRoute;
  readonly readQuery: ReturnType<typeof createQueryReader>;
  readonly validate?: SchemaValidator;
}

type Operation = { readonly route: PublicRoute } | GuardedOperation;

/** The parameters in the path of a call. */
export type PathParameters = Readonly<Record<string, string | undefined>>;

/** Finds operations by method and path, and the addresses of what operations create. */
export interface Operations {
  /** @throws ProblemError 404, 405 */
  find(ctx: HttpContext): { readonly operation: Operation; readonly params: PathParameters };
  /** Sets `Location` to the member with an id of the collection that was called, when the operation has such members. */
  locate(ctx: HttpContext, id: string): void;
}

/** @param cursors reads and writes the cursors of lists */
export function createOperations(routes: readonly Route[], cursors: CursorCodec): Operations {
  const compile = createSchemaCompiler();
  const compileQuery = createSchemaCompiler({ coerceTypes: true });
  const find = createRouter(
    routes.map((route): Operation => {
      if (route.permission === 'public') return { route };
      const { body } = route;
      const readQuery = createQueryReader(route, cursors, compileQuery);
      return { route, readQuery, ...(body && { validate: compile(body) }) };
    }),
  );

  return {
    find(ctx) {
      const routing = find(ctx.method, ctx.path);
      if ('allowed' in routing) throw notRouted(ctx, routing.allowed);
      const { found, params } = routing;
      return { operation: found, params };
    },

    locate(ctx, id) {
      const routing = find(ctx.method, ctx.path);
      if (!('found' in routing) || !('readQuery' in routing.found) || routing.found.route.elsewhere) return;
      const [called = ''] = ctx.originalUrl.split('?', 1);
      ctx.set('Location', memberOf(routing.found.route, called, id));
    },
  };
}

/** Refuses a control character in the path: no resource has one in its name. @throws ProblemError 404 */
export function assertNames(params: PathParameters): void {
  if (Object.values(params).some((value) => /\p{Cc}/u.test(value ?? ''))) throw noSuchResource();
}

function noSuchResource(): ProblemError {
  return new ProblemError({ status: 404, code: 'not_found', detail: 'There is no such resource' });
}

function notRouted(ctx: HttpContext, allowed: readonly string[]): ProblemError {
  if (allowed.length === 0) return noSuchResource();
  ctx.set('Allow', allowed.join(', '));
  return new ProblemError({
    status: 405,
    code: 'method_not_allowed',
    detail: `The methods of this resource are ${allowed.join(', ')}`,
  });
}
