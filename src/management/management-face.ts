import type { IncomingMessage } from 'node:http';
import type { Clock } from '../domain/clock.ts';
import type { VerifiedToken } from '../domain/tokens/verify-access-token.ts';
import type { HttpContext, HttpMiddleware } from '../http/context.ts';
import { sendDocument } from '../http/public-document.ts';
import { readBody } from '../http/read-body.ts';
import type { Metrics } from '../observability/metrics.ts';
import type { TakeTurns } from '../pacing/take-turns.ts';
import type { Admit } from './admit.ts';
import type { Authentication } from './authenticate.ts';
import type { CursorCodec } from './cursor.ts';
import {
  assertNames,
  createOperations,
  type GuardedOperation,
  type Operations,
  type PathParameters,
} from './find-operation.ts';
import { entityTag, expectedRevisions } from './if-match.ts';
import { isMiactl } from './mia/is-miactl.ts';
import { BODY_LIMIT, parseJsonBody } from './parse-json-body.ts';
import { nextPage } from './references.ts';
import { createRefuser, type RefusalTools } from './refuse.ts';
import type { RootVeil } from './root-veil.ts';
import type { Answer, Route } from './route.ts';

/** Seconds for which the description of this API may be kept. */
const DOCUMENT_MAX_AGE = 300;

/** The parts of the management API, by what they are for. */
export interface ManagementFaceOptions {
  readonly routes: readonly Route[];
  readonly authentication: Authentication;
  /** @throws UnauthorizedError */
  readonly checkClientKey: (request: IncomingMessage) => void;
  readonly admit: Admit;
  readonly cursors: CursorCodec;
  /** Shares the database out among companies and root accounts. @throws LineTooLongError */
  readonly takeTurns: TakeTurns;
  readonly rootVeil: RootVeil;
  readonly refusals: RefusalTools;
  readonly metrics: Pick<Metrics, 'managementAnswered'>;
  readonly clock: Clock;
}

/** The parts of a call that are read before the turn of its company has come. */
interface Received {
  readonly token: VerifiedToken;
  readonly body: Buffer | undefined;
  readonly params: PathParameters;
}

/** The management API: serves every path from `/api` down. */
export function managementFace(options: ManagementFaceOptions): HttpMiddleware {
  const { authentication, checkClientKey, admit, cursors, rootVeil, takeTurns, metrics, clock } = options;
  const operations = createOperations(options.routes, cursors);
  const refuse = createRefuser(options.refusals, operations);

  return async (ctx, next) => {
    if (!isManagementPath(ctx.path)) return next();
    ctx.set('Cache-Control', 'no-store');
    const started = performance.now();
    let name = 'none';
    try {
      const found = operations.find(ctx);
      name = found.operation.route.operationId;
      const answer = await answerTo(ctx, found);
      if (answer === undefined) return;
      if (answer.created !== undefined) operations.locate(ctx, answer.created);
      if (answer.revision !== undefined) ctx.set('ETag', entityTag(answer.revision));
      ctx.status = answer.status;
      if (answer.body !== undefined) ctx.body = answer.body;
    } catch (error) {
      refuse(ctx, error);
    } finally {
      metrics.managementAnswered(name, ctx.status, (performance.now() - started) / 1000);
    }
  };

  /** @returns undefined when a document has been sent */
  async function answerTo(
    ctx: HttpContext,
    { operation, params }: ReturnType<Operations['find']>,
  ): Promise<Answer | undefined> {
    checkClientKey(ctx.req);
    assertNames(params);
    if (!('readQuery' in operation)) {
      sendDocument(ctx, operation.route.document(), DOCUMENT_MAX_AGE);
      return undefined;
    }

    const token = await authentication.verify(ctx.req, ctx.path, ctx.state.certificate);
    // The body is read before the account: a caller may send its body slowly, and be disabled meanwhile.
    const sent = operation.validate && (await readBody(ctx.req, BODY_LIMIT));
    const body = sent?.length === 0 && operation.route.bodyOptional ? undefined : sent;
    // Each company has its turns: one company with many large accounts must not keep the others waiting.
    const { company_id: owner } = token.claims;
    return takeTurns(typeof owner === 'string' ? owner : token.clientId, () =>
      serve(ctx, operation, { token, body, params }),
    );
  }

  async function serve(
    ctx: HttpContext,
    { route, readQuery, validate }: GuardedOperation,
    { token, body, params }: Received,
  ): Promise<Answer> {
    const { requestId, source } = ctx.state;
    const caller = await authentication.identify(token, { requestId, source: source() });
    const company = await admit(caller, route, params['companyId']);
    const list = `${route.path} ${company ?? ''}`;
    const { query, page } = readQuery(ctx.querystring, list);
    const answer = await route.handle({
      caller,
      now: clock(),
      company,
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the schema that types the body has just checked it
      body: (validate && (body ? parseJsonBody(ctx.req, body, validate) : {})) as never,
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the schema that types the query has just checked it
      query: query as never,
      page,
      fromMiactl: isMiactl(ctx.req),
      expected: route.conditional ? expectedRevisions(ctx.req.headers['if-match']) : undefined,
      param: (name) => params[name] ?? '',
    });
    if (answer.next !== undefined) {
      ctx.set('Link', `<${nextPage(ctx.querystring, cursors.write(answer.next, list))}>; rel="next"`);
    }
    if (caller.company === undefined || answer.body === undefined) return answer;
    return { ...answer, body: await rootVeil.over(caller.company, answer.body) };
  }
}

/** Whether a path is this API's. */
export function isManagementPath(path: string): boolean {
  return path === '/api' || path.startsWith('/api/');
}
