/**
 * Runs the code of the pages in docs/verify, against a server that this program starts. Each program must accept the
 * token of a client, and refuse a token for another API, of another type, without the permission, a forged one and,
 * where it can know, a revoked one. A missing tool is named and its programs are skipped.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { freePort } from '../support/free-port.ts';
import { bitOf, statusOf } from '../support/status-lists.ts';
import { type Command, output } from './peer.ts';
import { type Client, startPeerServer } from './peer-server.ts';
import { runPages } from './run-pages.ts';
import type { VerifierPeer } from './verifier-peer.ts';
import { VERIFIER_PEERS } from './verifier-peers.ts';

const OTHER = 'https://other.example.com';
const PERMISSIONS = ['orders:read', 'orders:write'];
const server = await startPeerServer();

// Three APIs have the same permissions: a token for one of them differs in its audience only.
const declared = PERMISSIONS.map((name) => ({ name }));
const apis: Record<string, string> = { 'api://default': '/api/resource-servers/default' };
await server.api('PATCH', '/api/resource-servers/default', { permissions: declared });
for (const identifier of ['https://orders.example.com', OTHER]) {
  const made = await server.api('POST', '/api/resource-servers', {
    identifier,
    name: identifier,
    permissions: declared,
  });
  apis[identifier] = `/api/resource-servers/${String(made['resourceServerId'])}`;
}

// The API behind the proxies.
const api = createServer((_, response) => response.end(PERMISSIONS.join(' '))).listen(0, '127.0.0.1');
await new Promise((resolve) => api.on('listening', resolve));
const { port } = api.address() as AddressInfo;

try {
  await runPages(VERIFIER_PEERS, server, async (peer, command, cwd) => {
    const account = await register();
    const { own, ofOtherType } = await bothTypes(account, peer);
    const verify = verifier(command, cwd);

    const accepted = await verify(own);
    if (accepted !== PERMISSIONS.join(' ')) return `did not accept a good token: ${accepted}`;
    if (peer.checksType === false && (await verify(ofOtherType)) !== accepted) return 'checks the type of the token';
    const refused = {
      'the token of the root account': server.rootToken,
      'a token for another API': await server.token(account, { resource: OTHER }),
      ...(peer.checksType !== false && { 'a token of another type': ofOtherType }),
      ...(peer.scope !== undefined && {
        'a token without the permission': await server.token(account, { ...target(peer), scope: 'orders:write' }),
      }),
      ...(peer.tolerance === undefined && { 'a token that has ended': await ended(account, peer) }),
      ...forged(own),
    };
    for (const [what, token] of Object.entries(refused)) {
      const answer = await verify(token);
      if (!answer.startsWith('refused')) return `did not refuse ${what}: ${answer}`;
    }

    await server.api('PATCH', `/api/service-accounts/${account.clientId}`, { state: 'disabled' });
    await untilRevoked(own);
    const afterwards = await verify(own);
    return afterwards.startsWith('refused') === peer.seesRevocation ? undefined : `revoked token: ${afterwards}`;
  });
} finally {
  api.close();
  await server.close();
}

function register(): Promise<Client> {
  return server.api('POST', '/api/service-accounts', {
    name: `Peer ${performance.now()}`,
    audience: 'api://default',
    permissions: Object.keys(apis).flatMap((resource) => PERMISSIONS.map((permission) => ({ permission, resource }))),
  });
}

function target({ audience = 'api://default' }: VerifierPeer): { resource: string } {
  return { resource: audience };
}

/** Gets a token of the type that the program takes, and one of the other type. The APIs then have the first type. */
async function bothTypes(client: Client, peer: VerifierPeer): Promise<{ own: string; ofOtherType: string }> {
  const ofType = async (tokenType: string): Promise<string> => {
    for (const path of Object.values(apis)) await server.api('PATCH', path, { tokenType });
    return server.token(client, target(peer));
  };
  const tokenType = peer.tokenType ?? 'at+jwt';
  const ofOtherType = await ofType(tokenType === 'JWT' ? 'at+jwt' : 'JWT');
  return { own: await ofType(tokenType), ofOtherType };
}

/** Gets a token that ended a moment ago. */
async function ended(client: Client, peer: VerifierPeer): Promise<string> {
  const path = apis[target(peer).resource] ?? '';
  await server.api('PATCH', path, { tokenTtl: 1 });
  const token = await server.token(client, target(peer));
  await server.api('PATCH', path, { tokenTtl: null });
  await setTimeout(2100);
  return token;
}

/** Makes tokens of which a part is not the server's. */
function forged(token: string): Record<string, string> {
  const [header = '', payload = '', signature = ''] = token.split('.');
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as object;
  const more = Buffer.from(JSON.stringify({ ...claims, more: true })).toString('base64url');
  const none = Buffer.from(JSON.stringify({ alg: 'none', typ: 'at+jwt' })).toString('base64url');
  return {
    'a token with another signature': `${header}.${payload}.${signature.slice(0, -4)}AAAA`,
    'a token with other claims': `${header}.${more}.${signature}`,
    'a token without a signature': `${none}.${payload}.`,
  };
}

/** Runs a program for a token. @returns what it printed, or `refused` with its output when it ended with 1 */
function verifier(command: Command, cwd: string): (token: string) => Promise<string> {
  return async (token) => {
    const environment = { API: `127.0.0.1:${port}`, PORT: String(await freePort()), TOKEN: token };
    const { status, stdout, stderr } = await output(command, { cwd, env: { ...process.env, ...environment } });
    if (status === 0) return stdout.trim();
    return `${status === 1 ? 'refused' : `ended with ${status}`} ${stdout} ${stderr}`;
  };
}

async function untilRevoked(token: string): Promise<void> {
  const { uri, idx } = statusOf(token);
  for (let tries = 0; tries < 100; tries += 1) {
    if (bitOf(await fetch(uri).then((reply) => reply.text()), idx) === 1) return;
    await setTimeout(50);
  }
  throw new Error('the status list never had the bit of the token');
}
