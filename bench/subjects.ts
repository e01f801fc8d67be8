import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { generateKeyPairSync, type webcrypto } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { freePort } from '../test/support/free-port.ts';

export type Alg = 'ES256' | 'RS256';

/** The client that asks for tokens. */
export interface BenchClient {
  readonly clientId: string;
  readonly clientSecret: string;
  /** The client that authenticates by key, for a server that allows one authentication method for each client. */
  readonly keyClientId: string;
  /** The other issuer whose tokens stand for the client; its key is that of the client. Undefined: there is none. */
  readonly externalIssuer: string | undefined;
  readonly publicJwk: webcrypto.JsonWebKey & { kid: string };
  readonly privateJwk: webcrypto.JsonWebKey;
}

/** The argument of `floor.ts` and `raw-library.ts`, as JSON. */
export interface SubjectSettings {
  readonly port: number;
  readonly issuer: string;
  readonly alg: Alg;
  readonly client: BenchClient;
}

/** A server that is measured. */
export interface Subject {
  readonly name: string;
  readonly url: string;
  readonly issuer: string;
  readonly client: BenchClient;
  readonly pid: number;
  stop(): Promise<void>;
}

/** The subject of the tokens of the other issuer. */
export const EXTERNAL_SUBJECT = 'job:bench';

/** The core of the server that is measured. */
export const SERVER_CORE = '0';
/** The core of everything else. */
const OTHER_CORE = '1';
export const ALL_CORES = '0,1';

const FOLDER = import.meta.dirname;
/** The compile cache that `npm start` sets. */
const COMPILED = join(FOLDER, '../node_modules/.cache/compiled');

/** Keeps this process, and the processes that it starts on no named core, off the core of the server. */
export function leaveServerAlone(): void {
  execFileSync('taskset', ['-pc', OTHER_CORE, String(process.pid)], { stdio: 'ignore' });
}

/** Starts the floor or the raw library, in a process and on a core of its own. */
export async function startPeer(name: string, file: string, alg: Alg): Promise<Subject> {
  const port = await freePort();
  const issuer = `http://127.0.0.1:${port}`;
  const client = { clientId: 'bench', clientSecret: 'writ_bench-secret-of-no-account', ...keys('bench-by-key') };
  const settings: SubjectSettings = { port, issuer, alg, client };
  const child = startOnCores(SERVER_CORE, join(FOLDER, file), [JSON.stringify(settings)], {});
  return subject(name, child, issuer, client);
}

/** The first root account of every Writ that is measured. */
export const BENCH_ROOT = { clientId: 'bench_root', clientSecret: 'bench-root-secret-0123456789-0123456789-abc' };

/** Gets an access token for {@link BENCH_ROOT}. */
export async function rootToken(issuer: string): Promise<string> {
  const { clientId, clientSecret } = BENCH_ROOT;
  const form = new URLSearchParams({ grant_type: 'client_credentials' });
  const token = await post(`${issuer}/oauth/token`, form, {
    Authorization: `Basic ${btoa(`${clientId}:${clientSecret}`)}`,
  });
  return String(token['access_token']);
}

/**
 * Starts Writ as its users do, with an account that holds one permission and has a secret and a key.
 *
 * @param cores the cores on which Writ may run: one core for comparable CPU times; all cores for the latencies that
 *   users see, because the garbage collector runs beside the program
 * @param environment further settings
 */
export async function startWrit(
  name: string,
  alg: Alg,
  database: string,
  folder: string,
  cores = SERVER_CORE,
  environment: Readonly<Record<string, string>> = {},
): Promise<Subject> {
  const port = await freePort();
  const issuer = `http://127.0.0.1:${port}`;
  const child = startOnCores(cores, join(FOLDER, '../src/main.ts'), [], {
    PORT: String(port),
    DATABASE_URL: database,
    WRIT_ISSUER: issuer,
    WRIT_KEYS_DIR: folder,
    WRIT_SIGNING_ALG: alg,
    WRIT_BOOTSTRAP_CLIENT_ID: BENCH_ROOT.clientId,
    WRIT_BOOTSTRAP_CLIENT_SECRET: BENCH_ROOT.clientSecret,
    ...environment,
  });
  await isListening(issuer, child);
  const { publicJwk, privateJwk } = keys('');
  const slug = `bench-${process.hrtime.bigint()}`;
  const externalIssuer = `https://${slug}.example`;
  const headers = { Authorization: `Bearer ${await rootToken(issuer)}`, 'Content-Type': 'application/json' };
  const trusted = { issuer: externalIssuer, name: slug, algorithms: ['ES256'], jwks: { keys: [publicJwk] } };
  await post(`${issuer}/api/trusted-issuers`, JSON.stringify(trusted), headers);
  const account = await post(
    `${issuer}/api/service-accounts`,
    JSON.stringify({
      name: `bench ${alg}`,
      slug,
      permissions: ['orders:read'],
      credentials: [
        { type: 'client_secret' },
        { type: 'public_key', publicKey: publicJwk },
        { type: 'federated', issuer: externalIssuer, subject: EXTERNAL_SUBJECT },
      ],
    }),
    headers,
  );
  const clientId = String(account['clientId']);
  const client = {
    clientId,
    keyClientId: clientId,
    externalIssuer,
    clientSecret: String(account['clientSecret']),
    publicJwk,
    privateJwk,
  };
  return subject(name, child, issuer, client);
}

async function subject(name: string, child: ChildProcess, issuer: string, client: BenchClient): Promise<Subject> {
  await isListening(issuer, child);
  return {
    name,
    url: `${issuer}/${name === RAW ? 'token' : 'oauth/token'}`,
    issuer,
    client,
    pid: child.pid ?? 0,
    async stop() {
      if (child.exitCode !== null) return;
      child.kill('SIGTERM');
      await once(child, 'exit');
    },
  };
}

export const RAW = 'raw oidc-provider';

function keys(keyClientId: string): Omit<BenchClient, 'clientId' | 'clientSecret'> {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const publicJwk = { ...publicKey.export({ format: 'jwk' }), alg: 'ES256', kid: 'bench' };
  return { keyClientId, externalIssuer: undefined, publicJwk, privateJwk: privateKey.export({ format: 'jwk' }) };
}

function startOnCores(
  cores: string,
  file: string,
  args: readonly string[],
  environment: Record<string, string>,
): ChildProcess {
  const command = ['-c', cores, process.execPath, '--disable-warning=ExperimentalWarning', file, ...args];
  return spawn('taskset', command, {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { PATH: process.env['PATH'], NODE_COMPILE_CACHE: COMPILED, ...environment },
  });
}

async function isListening(url: string, child: ChildProcess): Promise<void> {
  for (let attempt = 0; attempt < 300; attempt += 1) {
    if (child.exitCode !== null) throw new Error(`a server ended with ${child.exitCode}`);
    const answered = await fetch(url).then(
      () => true,
      () => false,
    );
    if (answered) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`nothing listens at ${url}`);
}

async function post(
  url: string,
  body: string | URLSearchParams,
  headers: Record<string, string>,
): Promise<Record<string, unknown>> {
  const reply = await fetch(url, { method: 'POST', body, headers });
  if (!reply.ok) throw new Error(`${url}: ${reply.status} ${await reply.text()}`);
  return (await reply.json()) as Record<string, unknown>;
}
