import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { after } from 'node:test';
import { freePort } from './free-port.ts';

const running = new Set<ChildProcess>();

// A server that a failed test left behind would keep this process, and with it the suite, from ending.
after(() => running.forEach((child) => child.kill('SIGKILL')));

const MAIN = resolve(import.meta.dirname, '../../src/main.ts');

/** Creates the working folder of a process. `remove` deletes the folder with everything that the process left there. */
export function workFolder(): { path: string; remove(): void } {
  const path = mkdtempSync(join(process.env['WRIT_TEST_FOLDER'] ?? '/tmp', 'work-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** A server in a process of its own. */
export interface ServerProcess {
  readonly child: ChildProcess;
  readonly url: string;
  /** The lines of standard output so far; `stderr` has the lines of standard error. */
  readonly stdout: string[];
  readonly stderr: string[];
  /** Resolves when the server serves. @throws Error when the process ends before that */
  ready(): Promise<void>;
  /** Sends a signal and waits for the end. @returns the exit code, or the signal that ended the process */
  end(signal?: NodeJS.Signals): Promise<number | string>;
  /** Waits for the end of the process. @returns the exit code, or the signal that ended the process */
  ended(): Promise<number | string>;
}

/** Starts `src/main.ts`. Of this process's environment it gets only the path and the compile cache. */
export async function startServerProcess(
  cwd: string,
  environment: Record<string, string> = {},
  command: readonly string[] = [],
  { main = MAIN, ...user }: { main?: string; uid?: number; gid?: number } = {},
): Promise<ServerProcess> {
  const port = environment['PORT'] ?? String(await freePort());
  const child = spawn(process.execPath, [main, ...command], {
    cwd,
    env: {
      PATH: process.env['PATH'],
      NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'],
      PORT: port,
      WRIT_DRAIN: '0',
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...user,
  });
  running.add(child);
  const stdout: string[] = [];
  const stderr: string[] = [];
  const ended = once(child, 'close').then(([code, signal]: (number | string)[]) => code ?? signal ?? 'gone');
  const serving = Promise.withResolvers<void>();
  createInterface({ input: child.stdout }).on('line', (line) => {
    stdout.push(line);
    if (line.includes('"server.ready"')) serving.resolve();
  });
  createInterface({ input: child.stderr }).on('line', (line) => stderr.push(line));
  void ended.then(() => running.delete(child));
  void ended.then((code) => serving.reject(new Error(`ended with ${code}: ${stderr.join('\n')}`)));
  // A test that does not call `ready` gets no unhandled rejection.
  serving.promise.catch(() => {});

  return {
    child,
    url: `http://127.0.0.1:${port}`,
    stdout,
    stderr,
    ready: () => serving.promise,
    end(signal = 'SIGTERM') {
      child.kill(signal);
      return ended;
    },
    ended: () => ended,
  };
}

/** The id and the secret that a first start printed. */
export function printedRoot({ stdout }: ServerProcess): { clientId: string; clientSecret: string } {
  const value = (name: string): string =>
    stdout.map((line) => new RegExp(`^ +${name} +(\\S+)$`).exec(line)?.[1]).find((found) => found !== undefined) ?? '';
  return { clientId: value('clientId'), clientSecret: value('clientSecret') };
}

/** Asks a server for a token with `client_secret_basic`. */
export async function tokenFrom(
  url: string,
  { clientId, clientSecret }: { clientId: string; clientSecret: string },
): Promise<{ status: number; token: string }> {
  const reply = await fetch(`${url}/oauth/token`, {
    method: 'POST',
    headers: { Authorization: `Basic ${btoa(`${clientId}:${clientSecret}`)}` },
    body: new URLSearchParams({ grant_type: 'client_credentials' }),
  });
  const { access_token: token = '' } = (await reply.json()) as { access_token?: string };
  return { status: reply.status, token };
}
