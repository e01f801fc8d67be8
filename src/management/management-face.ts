import type { IncomingMessage } from 'node:http';
import type { Clock } from '../domain/clock.ts';
import { DomainError } from '../domain/domain-error.ts';
import { type CompanyId, isCompanyId } from '../domain/ids.ts';
import type { ManagementPermission } from '../domain/permissions/management-permissions.ts';
import { assertAllowed } from '../domain/permissions/rules/may-grant.ts';
import { parseScopeToken } from '../domain/permissions/scope-token.ts';
import type { Caller } from '../domain/service-accounts/caller.ts';
import type { HttpContext, HttpMiddleware } from '../http/context.ts';
import { sendDocument } from '../http/public-document.ts';
import { readBody } from '../http/read-body.ts';
import { sendProblem } from '../http/problem.ts';
import type { VerifiedToken } from '../domain/tokens/verify-access-token.ts';
import type { Logger } from '../observability/logger.ts';
import type { TakeTurns } from '../pacing/take-turns.ts';
import { type Authentication, UnauthorizedError } from './authenticate.ts';
import type { CursorCodec } from './cursor.ts';
import { entityTag, expectedRevisions } from './if-match.ts';
import { isMiactl } from './mia/is-miactl.ts';
import { ProblemError, problemOf } from './problems.ts';
import { BODY_LIMIT, parseJsonBody } from './parse-json-body.ts';
import { createQueryReader } from './read-query.ts';
import { memberOf, nextPage } from './references.ts';
import type { RootVeil } from './root-veil.ts';
import type { Answer, GuardedRoute, PublicRoute, Route } from './route.ts';
import { createRouter } from './router.ts';
import { createSchemaCompiler, type SchemaValidator } from './schema-validator.ts';

/** Seconds for which the description of this API may be kept. */
const DOCUMENT_MAX_AGE = 300;

type Target = { readonly route: PublicRoute } | GuardedTarget;

interface GuardedTarget {
  readonly route: GuardedRoute;
  readonly readQuery: ReturnType<typeof createQueryReader>;
  readonly validate?: SchemaValidator;
}

/** The parts of a call, before anything has been read for it. */
interface Received {
  readonly token: VerifiedToken;
  readonly body: Buffer | undefined;
  readonly params: Readonly<Record<string, string | undefined>>;
}

/**
 * The management API: serves every path from `/api` down.
 *
 * @param options `resourceMetadata`: where this API describes itself (RFC 9728), for `WWW-Authenticate`
 */
export function managementFace(options: {
  readonly routes: readonly Route[];
  readonly authentication: Authentication;
  /** @throws UnauthorizedError */
  readonly checkClientKey: (request: IncomingMessage) => void;
  /**
   * Counts a call that was not let in.
   *
   * @returns after how many seconds another one may be answered in full; undefined: this one may
   */
  readonly countFailure: (source: string, requestId: string) => string | undefined;
  /** Whether there is such a company. */
  readonly companyExists: (companyId: CompanyId) => Promise<boolean>;
  readonly cursors: CursorCodec;
  /** Shares the database out among companies and root accounts. @throws LineTooLongError */
  readonly takeTurns: TakeTurns;
  readonly rootVeil: RootVeil;
  readonly resourceMetadata: string;
  readonly clock: Clock;
  readonly logger: Logger;
}): HttpMiddleware {
  const {
    authentication,
    checkClientKey,
    countFailure,
    companyExists,
    cursors,
    rootVeil,
    takeTurns,
    resourceMetadata,
    clock,
    logger,
  } = options;
  const compile = createSchemaCompiler();
  const compileQuery = createSchemaCompiler({ coerceTypes: true });
  const find = createRouter(
    options.routes.map((route): Target => {
      if (route.permission === 'public') return { route };
      const { body } = route;
      const readQuery = createQueryReader(route, cursors, compileQuery);
      return { route, readQuery, ...(body && { validate: compile(body) }) };
    }),
  );

  return async (ctx, next) => {
    if (!isManagementPath(ctx.path)) return next();
    ctx.set('Cache-Control', 'no-store');
    try {
      const answer = await answerTo(ctx);
      if (answer === undefined) return;
      if (answer.created !== undefined) leadTo(ctx, answer.created);
      if (answer.revision !== undefined) ctx.set('ETag', entityTag(answer.revision));
      ctx.status = answer.status;
      if (answer.body !== undefined) ctx.body = answer.body;
    } catch (error) {
      refuse(ctx, error);
    }
  };

  /** @returns undefined where a document has been sent */
  async function answerTo(ctx: HttpContext): Promise<Answer | undefined> {
    const routing = find(ctx.method, ctx.path);
    if ('allowed' in routing) throw notRouted(ctx, routing.allowed);
    checkClientKey(ctx.req);
    const { found, params } = routing;
    // Nothing is called so, and no database takes it.
    if (Object.values(params).some((value) => /\p{Cc}/u.test(value ?? ''))) throw notRouted(ctx, []);
    if (!('readQuery' in found)) {
      sendDocument(ctx, found.route.document, DOCUMENT_MAX_AGE);
      return undefined;
    }

    const token = await authentication.verify(ctx.req);
    // Before the account is looked at: somebody may take their time with it, and be disabled meanwhile.
    const sent = found.validate && (await readBody(ctx.req, BODY_LIMIT));
    const body = sent?.length === 0 && found.route.bodyOptional ? undefined : sent;
    // An account may have much to read, and a company many such accounts: the others go on.
    const { company_id: owner } = token.claims;
    return takeTurns(typeof owner === 'string' ? owner : token.clientId, () =>
      serve(ctx, found, { token, body, params }),
    );
  }

  async function serve(ctx: HttpContext, found: GuardedTarget, { token, body, params }: Received): Promise<Answer> {
    const { requestId, source } = ctx.state;
    const caller = await authentication.identify(token, { requestId, source: source() });
    const company = await admit(caller, found.route, params['companyId']);
    const list = `${found.route.path} ${company ?? ''}`;
    const { query, page } = found.readQuery(ctx.querystring, list);
    const answer = await found.route.handle({
      caller,
      now: clock(),
      company,
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the schema that types the body has just checked it
      body: (found.validate && (body ? parseJsonBody(ctx.req, body, found.validate) : {})) as never,
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- and this one, too
      query: query as never,
      page,
      fromMiactl: isMiactl(ctx.req),
      expected: found.route.conditional ? expectedRevisions(ctx.req.headers['if-match']) : undefined,
      param: (name) => params[name] ?? '',
    });
    if (answer.next !== undefined) {
      ctx.set('Link', `<${nextPage(ctx.querystring, cursors.write(answer.next, list))}>; rel="next"`);
    }
    if (caller.company === undefined || answer.body === undefined) return answer;
    return { ...answer, body: await rootVeil.over(caller.company, answer.body) };
  }

  /**
   * The walls: an account of a company is nobody outside it, whatever its token says, and another company's paths look
   * to it as if there were none. Inside, a call takes its permission.
   */
  async function admit(
    caller: Caller,
    { permission, path, forCompanies }: GuardedRoute,
    companyId: string | undefined,
  ): Promise<CompanyId | undefined> {
    if (companyId !== undefined && caller.company !== undefined && companyId !== caller.company) throw noCompany();
    if (!path.includes('{companyId}') && caller.company !== undefined && forCompanies !== true) {
      throw new ProblemError({ status: 403, code: 'forbidden', detail: 'This is for root accounts' });
    }
    if (typeof permission !== 'string') assertOneOf(caller, permission);
    else if (permission !== 'none') assertAllowed(caller, permission);
    if (companyId === undefined) return undefined;
    // One that has an account exists.
    if (caller.company === companyId) return caller.company;
    if (!isCompanyId(companyId) || !(await companyExists(companyId))) throw noCompany();
    return companyId;
  }

  function assertOneOf(caller: Caller, permissions: readonly ManagementPermission[]): void {
    const held: ReadonlySet<string> = new Set(
      [...caller.permissions].flatMap((token) => parseScopeToken(token)?.name ?? []),
    );
    const [first] = permissions;
    if (first !== undefined && !permissions.some((permission) => held.has(permission))) {
      assertAllowed(caller, first);
    }
  }

  function leadTo(ctx: HttpContext, id: string): void {
    const routing = find(ctx.method, ctx.path);
    if (!('found' in routing) || !('readQuery' in routing.found) || routing.found.route.elsewhere) return;
    const [called = ''] = ctx.originalUrl.split('?', 1);
    ctx.set('Location', memberOf(routing.found.route, called, id));
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
      // A good token has been verified by then, so whoever holds one never comes here.
      const wait = countFailure(where.source, requestId);
      if (wait !== undefined) {
        ctx.set('Retry-After', wait);
        sendProblem(ctx, {
          status: 429,
          code: 'too_many_requests',
          detail: 'Too many calls without a valid access token came from this address: try again later',
        });
        return;
      }
      const { reason, explanation } = error;
      logger.info({ event: 'management.refused', status: 401, reason, detail: explanation, ...where });
      const described = explanation === undefined ? '' : `error_description="${explanation}", `;
      ctx.set(
        'WWW-Authenticate',
        // The token has not been looked at where the key beside it is missing.
        `Bearer realm="writ", ${reason === 'client_key' ? '' : `error="invalid_token", ${described}`}resource_metadata="${resourceMetadata}"`,
      );
      sendProblem(ctx, { status: 401, code: 'unauthorized', detail: error.message });
      return;
    }
    const problem = problemOf(error) ?? { status: 500, code: 'internal', detail: 'Something went wrong here' };
    if (problem.status >= 500 && problem.status !== 503)
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
    if (error instanceof DomainError && error.existing !== undefined) leadTo(ctx, error.existing);
    if (problem.status === 429 || problem.status === 503) ctx.set('Retry-After', '1');
    // What is left of the body is not worth reading.
    if (problem.status === 413) ctx.set('Connection', 'close');
    sendProblem(ctx, problem);
  }
}

/** Whether a path is this API's. */
export function isManagementPath(path: string): boolean {
  return path === '/api' || path.startsWith('/api/');
}

function noCompany(): ProblemError {
  return new ProblemError({ status: 404, code: 'not_found', detail: 'There is no such company' });
}
