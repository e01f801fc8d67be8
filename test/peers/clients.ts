/**
 * Runs the code of the pages in docs/clients, against a server that this program starts. Each program gets a token by
 * secret or by key, and keeps it. A missing tool is named and its programs are skipped.
 */
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { decodeJwt } from 'jose';
import { CLIENT_PEERS } from './client-peers.ts';
import { output } from './peer.ts';
import { startPeerServer } from './peer-server.ts';
import { runPages } from './run-pages.ts';

const server = await startPeerServer();
const keys = {
  EC: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  RSA: generateKeyPairSync('rsa', { modulusLength: 3072 }),
};
interface Pair {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}
const pem = ({ privateKey }: Pair): string => privateKey.export({ type: 'pkcs8', format: 'pem' });
const publicPem = ({ publicKey }: Pair): string => publicKey.export({ type: 'spki', format: 'pem' });
for (const [name, text] of Object.entries({
  EC: pem(keys.EC),
  'EC pair': pem(keys.EC) + publicPem(keys.EC),
  RSA: pem(keys.RSA),
})) {
  writeFileSync(join(server.folder, `${name}.pem`), text);
}
const account = await server.api('POST', '/api/service-accounts', {
  name: 'Peer',
  permissions: ['orders:read', 'orders:write'],
  credentials: [
    { type: 'client_secret' },
    ...Object.values(keys).map((pair) => ({ type: 'public_key', publicKey: publicPem(pair) })),
  ],
});

// An API that notes the tokens of its callers.
let seen: string[] = [];
const api = createServer((request, response) => {
  seen.push(request.headers.authorization?.replace('Bearer ', '') ?? 'no token');
  response.end('\n');
}).listen(0, '127.0.0.1');
await new Promise((resolve) => api.on('listening', resolve));

try {
  await runPages(CLIENT_PEERS, server, async (peer, command, cwd) => {
    seen = [];
    const env = {
      PATH: process.env['PATH'],
      HOME: process.env['HOME'],
      CLIENT_ID: account.clientId,
      API: `http://127.0.0.1:${(api.address() as AddressInfo).port}/orders`,
      ...(peer.key ? { KEY_FILE: join(server.folder, `${peer.key}.pem`) } : { CLIENT_SECRET: account.clientSecret }),
    };
    // Prometheus scrapes until it is ended; ten seconds are enough for two scrapes.
    const shell = ['timeout', '--signal=TERM', peer.endless ? '10' : '120', ...command] as const;
    const { status, stdout, stderr } = await output([...shell], { cwd, env });
    const tokens = [...stdout.split('\n').filter((line) => line.startsWith('eyJ')), ...seen];
    const printed = peer.quiet && /eyJ/.test(stdout + stderr) ? 'printed a token' : undefined;
    const problem = printed ?? (await problemOf(tokens, peer.once ? 1 : 2));
    const failed = problem ?? (status === 0 || peer.endless ? undefined : `ended with ${status}`);
    return failed && `${failed}\n${stdout}\n${stderr}`;
  });
} finally {
  api.close();
  await server.close();
}

/** Finds out whether tokens are one good token of the account. */
async function problemOf(tokens: readonly string[], least: number): Promise<string | undefined> {
  const [first = ''] = tokens;
  if (tokens.length < least) return `got ${tokens.length} tokens`;
  if (tokens.some((token) => token !== first)) return 'did not keep its token';
  const { status } = await fetch(`${server.issuer}/tokeninfo?resource=api://default`, {
    headers: { Authorization: `Bearer ${first}` },
  });
  if (status !== 200) return `has a token that does not work: ${status}`;
  return decodeJwt(first).sub === account.clientId ? undefined : 'has the token of another account';
}
