import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../support/free-port.ts';
import { printedRoot, startServerProcess } from '../support/server-process.ts';

export interface Client {
  readonly clientId: string;
  readonly clientSecret: string;
}

/** A server that the programs in other languages are tried against. */
export interface PeerServer {
  readonly issuer: string;
  /** A folder for the programs; it is deleted at the end. */
  readonly folder: string;
  /** The access token of the root account, for the management API. */
  readonly rootToken: string;
  /** Calls the management API as root. @throws Error when the call is refused */
  api(method: string, path: string, body?: unknown): Promise<Client & Record<string, unknown>>;
  /** Gets a token by secret. @throws Error when the server refuses it */
  token(client: Client, parameters?: Record<string, string>): Promise<string>;
  close(): Promise<void>;
}

/** @param settings beside the port */
export async function startPeerServer(
  settings: (folder: string) => Record<string, string> = () => ({}),
): Promise<PeerServer> {
  const folder = mkdtempSync(join(tmpdir(), 'writ-peers-'));
  mkdirSync(join(folder, 'server'));
  const port = await freePort();
  const issuer = `http://localhost:${port}`;
  const server = await startServerProcess(join(folder, 'server'), { PORT: String(port), ...settings(folder) });
  await server.ready();
  // The first start has printed its account before it answers.
  await fetch(`${issuer}/health/ready`);

  async function answered<T>(what: string, reply: Response): Promise<T> {
    const text = await reply.text();
    if (!reply.ok) throw new Error(`${what}: ${reply.status} ${text}`);
    return (text === '' ? {} : JSON.parse(text)) as T;
  }

  const token: PeerServer['token'] = async ({ clientId, clientSecret }, parameters = {}) => {
    const reply = await fetch(`${issuer}/oauth/token`, {
      method: 'POST',
      headers: { Authorization: `Basic ${btoa(`${clientId}:${clientSecret}`)}` },
      body: new URLSearchParams({ grant_type: 'client_credentials', ...parameters }),
    });
    return (await answered<{ access_token: string }>('a token', reply)).access_token;
  };
  const rootToken = await token(printedRoot(server));

  return {
    issuer,
    folder,
    rootToken,
    token,
    api: async (method, path, body) =>
      answered(
        `${method} ${path}`,
        await fetch(`${issuer}${path}`, {
          method,
          headers: { Authorization: `Bearer ${rootToken}`, 'Content-Type': 'application/json' },
          ...(body !== undefined && { body: JSON.stringify(body) }),
        }),
      ),
    async close() {
      await server.end();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
