import { after, before } from 'node:test';
import type { Knex } from 'knex';
import { type AppSurroundings, startApp } from '../../src/app.ts';
import { prepareServer } from '../../src/start/prepare-server.ts';
import { type ApiDocument, assertDescribed, type Reply } from './api-contract.ts';
import { type LogEntry, quietSurroundings, ROOT, testConfig } from './config.ts';
import type { DatabaseKind, TestDatabase } from './databases.ts';
import { freePort } from './free-port.ts';
import { secureRequest } from './secure-request.ts';

/** A server under test, reached over real HTTP. */
export interface TestApp {
  readonly url: string;
  /** The address of the management API. */
  readonly internalUrl: string;
  readonly issuer: string;
  readonly knex: Knex;
  /** The metrics at this moment: `/metrics` serves a text that may be a second old. */
  metrics(): Promise<string>;
  /** Every SQL statement that the server has sent so far. */
  statements(): readonly string[];
  /** Every line that the server has logged so far. */
  log(): LogEntry[];
  request(path: string, init?: RequestInit): Promise<Reply>;
  /** Sends a request with `client_secret_basic` to an endpoint where clients authenticate. */
  asClient(
    path: string,
    client: { clientId: string; clientSecret: string },
    parameters: Record<string, string>,
  ): Promise<Reply>;
  /** Sends a token request with `client_secret_basic`. */
  token(credentials: { clientId: string; clientSecret: string }, parameters?: Record<string, string>): Promise<Reply>;
  /** Calls the management API, as root unless `bearer` is given. The OpenAPI document must describe the answer. */
  api(
    method: string,
    path: string,
    body?: unknown,
    bearer?: string,
    headers?: Readonly<Record<string, string>>,
  ): Promise<Reply>;
  /** The access token of the root account for the management API. */
  rootToken(): Promise<string>;
  /** Gets a new token of root for the calls that follow: tokens from before root was disabled stay revoked. */
  renewRootToken(): Promise<string>;
  close(): Promise<void>;
}

const running = new Set<TestApp>();

// A server that a failed test left behind would keep this process, and with it the suite, from ending.
after(() => Promise.allSettled([...running].map((app) => app.close())));

/** Starts a server for the calling suite, on a database of its own. The result has its members when tests run. */
export function useTestApp(
  kind: DatabaseKind,
  environment?: Record<string, string>,
  surroundings?: Partial<AppSurroundings>,
): TestApp {
  const app = {} as TestApp;
  let database: TestDatabase;
  before(async () => {
    database = await kind.create();
    Object.assign(app, await startTestApp(database, environment, surroundings));
  });
  after(async () => {
    await app.close();
    await database.drop();
  });
  return app;
}

/** Starts a server in this process. */
export async function startTestApp(
  database: TestDatabase,
  environment: Record<string, string> = {},
  surroundings: Partial<AppSurroundings> = {},
): Promise<TestApp> {
  const port = await freePort();
  const config = testConfig({ DATABASE_URL: database.url, PORT: String(port), ...environment });
  const lines: string[] = [];
  const around = quietSurroundings({ ...surroundings, lines });
  const server = await prepareServer(config, around);
  const app = await startApp(config, server, around).catch(async (error: unknown) => {
    await server.close();
    throw error;
  });
  const statements: string[] = [];
  for (const pool of new Set([server.database.knex, server.database.tokensKnex])) {
    pool.on('query', ({ sql }: { sql: string }) => statements.push(sql));
  }
  const url = `${config.tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`;
  const { internalListen } = config;
  const internalUrl = internalListen === undefined ? url : `http://${internalListen.host}:${internalListen.port}`;
  let root: Promise<string> | undefined;
  let document: Promise<ApiDocument> | undefined;

  const testApp: TestApp = {
    url,
    internalUrl,
    issuer: config.issuer,
    knex: server.database.knex,
    statements: () => statements,
    metrics: () => around.metrics.render(),
    log: () => lines.map((line): LogEntry => JSON.parse(line)),
    request: (path, init) => request(url + path, init),
    asClient: (path, { clientId, clientSecret }, parameters) =>
      request(url + path, {
        method: 'POST',
        headers: { Authorization: `Basic ${btoa(`${clientId}:${clientSecret}`)}` },
        body: new URLSearchParams(parameters),
      }),
    token: (client, parameters = {}) =>
      testApp.asClient('/oauth/token', client, { grant_type: 'client_credentials', ...parameters }),
    async api(method, path, body, bearer, headers) {
      const token = bearer ?? (await testApp.rootToken());
      const reply = await request(internalUrl + path, {
        method,
        headers: {
          ...(token !== '' && { Authorization: `Bearer ${token}` }),
          ...(body !== undefined && { 'Content-Type': 'application/json' }),
          ...headers,
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      document ??= request(`${internalUrl}/api/openapi.json`).then(({ json }): ApiDocument => json);
      assertDescribed(await document, method, path, reply);
      return reply;
    },
    rootToken: () => root ?? testApp.renewRootToken(),
    renewRootToken: () => (root = testApp.token(ROOT).then(({ json }): string => json.access_token)),
    async close() {
      running.delete(testApp);
      await app.close();
      await server.close();
    },
  };
  running.add(testApp);
  return testApp;
}

async function request(url: string, init?: RequestInit): Promise<Reply> {
  if (url.startsWith('https:')) return secureRequest(url, init);
  const response = await fetch(url, init);
  const text = await response.text();
  const isJson = /\bjson\b/.test(response.headers.get('content-type') ?? '');
  return {
    status: response.status,
    headers: resolved(response),
    text,
    json: isJson && text !== '' ? JSON.parse(text) : undefined,
  };
}

function resolved({ headers, url }: Response): Headers {
  const path = (reference: string): string => {
    const { pathname, search } = new URL(reference, url);
    return pathname + search;
  };
  const copy = new Headers(headers);
  const [location, link] = [headers.get('location'), headers.get('link')];
  if (location !== null) copy.set('Location', path(location));
  if (link !== null)
    copy.set(
      'Link',
      link.replace(/<(.*)>/, (_, reference: string) => `<${path(reference)}>`),
    );
  return copy;
}
