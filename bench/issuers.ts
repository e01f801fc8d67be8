/**
 * Measures a node that trusts many issuers: how much memory and how many connections their keys take, how often an
 * issuer is asked for keys that it has not, and which requests fail while all issuers are away. `--help` lists the options.
 */
import { generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { type AddressInfo, BlockList, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { selfSignedCertificate } from '../test/support/self-signed-certificate.ts';
import type { CompanyId } from '../src/domain/ids.ts';
import type { IssuerTrust } from '../src/domain/federation/trusted-issuer.ts';
import { createIssuerKeys, KEY_TIMES } from '../src/foreign-keys/create-issuer-keys.ts';
import { createFetchJson, FETCH_LIMITS } from '../src/foreign-keys/fetch-json.ts';
import { residentBytes } from './process-usage.ts';
import { ALL_CORES, rootToken, startWrit } from './subjects.ts';

const { values: chosen } = parseArgs({
  options: {
    kids: { type: 'string', default: '60' },
    outage: { type: 'string', default: '60' },
    help: { type: 'boolean', default: false },
  },
});
/** The most issuers that one owner may trust, and the owners of the keys that are measured without a server. */
const ISSUERS = 100;
const OWNERS = 10;
/** The issuers of the server that is measured: root has one more, for other measurements. */
const OF_ROOT = 80;
/** The most rules of one account. */
const RULES = 20;
const SUBJECT = 'job:bench';
const TRUST: Omit<IssuerTrust, 'company' | 'issuer'> = {
  audience: undefined,
  keys: { kind: 'discovery' },
  algorithms: ['ES256'],
  maxTokenAge: 3600,
  replay: 'reusable',
};

if (chosen.help) {
  say('--kids 60 (seconds of tokens with unknown kids)  --outage 60 (seconds without any issuer)');
} else {
  await bench();
}

async function bench(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'writ-issuers-'));
  const { key: certificateKey, cert } = selfSignedCertificate('localhost');
  const ca = join(folder, 'ca.pem');
  writeFileSync(ca, cert);
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const jwks = { keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'one', alg: 'ES256' }] };

  let asked = 0;
  let away = false;
  const open = new Set<Socket>();
  let mostOpen = 0;
  const tls = { key: certificateKey.export({ type: 'pkcs8', format: 'pem' }), cert };
  const issuers = createServer(tls, ({ url = '', socket }, response) => {
    asked += 1;
    if (away) {
      socket.destroy();
      return;
    }
    const issuer = `${home}/${/^\/([\w-]+)\//.exec(url)?.[1] ?? ''}`;
    response.end(JSON.stringify(url.endsWith('/keys') ? jwks : { issuer, jwks_uri: `${issuer}/keys` }));
  });
  issuers.on('connection', (socket) => {
    open.add(socket);
    mostOpen = Math.max(mostOpen, open.size);
    socket.on('close', () => open.delete(socket)).on('error', () => socket.destroy());
  });
  issuers.listen(0, '127.0.0.1');
  await once(issuers, 'listening');
  const home = `https://localhost:${(issuers.address() as AddressInfo).port}`;

  await measureKeys(home, cert, () => mostOpen);
  mostOpen = 0;
  const writ = await startWrit(
    'Writ on PGlite',
    'ES256',
    `pglite:${join(folder, 'data')}`,
    join(folder, 'keys'),
    ALL_CORES,
    { NODE_EXTRA_CA_CERTS: ca, WRIT_ISSUER_NETWORKS: '127.0.0.0/8,::1' },
  );
  try {
    const headers = { Authorization: `Bearer ${await rootToken(writ.issuer)}`, 'Content-Type': 'application/json' };
    const post = async (path: string, body: object): Promise<Record<string, unknown>> => {
      const reply = await fetch(`${writ.issuer}${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
      if (!reply.ok) throw new Error(`${path}: ${reply.status} ${await reply.text()}`);
      return (await reply.json()) as Record<string, unknown>;
    };
    const accounts: string[] = [];
    for (let first = 0; first < OF_ROOT; first += RULES) {
      const names = Array.from({ length: Math.min(RULES, OF_ROOT - first) }, (_, index) => `${home}/${first + index}`);
      for (const issuer of names) await post('/api/trusted-issuers', { issuer, name: issuer, algorithms: ['ES256'] });
      const credentials = names.map((issuer) => ({ type: 'federated', issuer, subject: SUBJECT }));
      const made = await post('/api/service-accounts', { name: `Jobs ${first}`, permissions: ['deploy'], credentials });
      accounts.push(String(made['clientId']));
    }

    const token = (number: number, kid: string): string => {
      const now = Math.floor(Date.now() / 1000);
      const claims = {
        iss: `${home}/${number}`,
        sub: SUBJECT,
        aud: writ.issuer,
        jti: randomUUID(),
        iat: now,
        exp: now + 240,
      };
      const input = [{ alg: 'ES256', kid }, claims]
        .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
        .join('.');
      const signature = sign('sha256', Buffer.from(input), { key: privateKey, dsaEncoding: 'ieee-p1363' });
      return `${input}.${signature.toString('base64url')}`;
    };
    const send = async (number: number, kid = 'one'): Promise<number> => {
      const body = new URLSearchParams({
        grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
        client_id: accounts[Math.floor(number / RULES)] ?? '',
        assertion: token(number, kid),
      });
      const reply = await fetch(writ.url, { method: 'POST', body });
      await reply.arrayBuffer();
      return reply.status;
    };
    /** Sends requests on some connections for as long as there is more to send, and counts the answers by status. */
    const load = async (
      connections: number,
      more: (sent: number) => boolean,
      request: (count: number) => Promise<number>,
    ): Promise<string> => {
      const counts = new Map<number, number>();
      let sent = 0;
      const work = async (): Promise<void> => {
        while (more(sent)) {
          sent += 1;
          const status = await request(sent - 1);
          counts.set(status, (counts.get(status) ?? 0) + 1);
        }
      };
      await Promise.all(Array.from({ length: connections }, work));
      return [...counts].map(([status, count]) => `${count} × ${status}`).join(', ');
    };
    const lasting = (seconds: number): (() => boolean) => {
      const end = performance.now() + seconds * 1000;
      return () => performance.now() < end;
    };
    const memory = (): string => `${(residentBytes(writ.pid) / 1e6).toFixed(0)} MB`;

    say(`${OF_ROOT} trusted issuers, ${accounts.length} accounts, resident ${memory()}`);
    const first = await load(
      64,
      (sent) => sent < OF_ROOT,
      (count) => send(count),
    );
    say(`a token of each, 64 at once: ${first}; at most ${mostOpen} connections, resident ${memory()}`);

    asked = 0;
    const unknown = await load(16, lasting(Number(chosen.kids)), () => send(0, randomUUID()));
    say(`unknown kids of one issuer for ${chosen.kids} s: ${unknown}; ${asked / 2} fetches of its keys`);

    away = true;
    const during = await load(8, lasting(Number(chosen.outage)), (count) => send(count % OF_ROOT));
    say(`all issuers away for ${chosen.outage} s: ${during}; resident ${memory()}, ${open.size} connections`);
  } finally {
    await writ.stop();
    issuers.closeAllConnections();
    issuers.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Measures the keys of many owners. A company's issuers are public ones, so here the fetch may go to this machine. */
async function measureKeys(home: string, ca: string, mostOpen: () => number): Promise<void> {
  const fetchHere = createFetchJson({ ...FETCH_LIMITS, ca });
  let fetches = 0;
  const source = createIssuerKeys({
    fetchJson(address, reach) {
      fetches += 1;
      return fetchHere(address, { ...reach, names: 'network', mayReach: () => true });
    },
    clock: () => new Date(),
    networks: new BlockList(),
    times: KEY_TIMES,
    onTrouble: (issuer, trouble) => say(`${issuer}: ${trouble}`),
  });
  const before = process.memoryUsage().rss;
  let found = 0;
  /** Asks for the keys of a part of the issuers of one owner, one after the other. */
  const work = async (company: CompanyId, numbers: readonly number[]): Promise<void> => {
    for (const number of numbers) {
      const keys = await source.keysFor({ ...TRUST, company, issuer: `${home}/${company}-${number}` }, 'one');
      found += keys.length;
    }
  };
  const tens = Array.from({ length: ISSUERS / 10 }, (_, ten) =>
    Array.from({ length: 10 }, (__, one) => ten * 10 + one),
  );
  const owners = Array.from({ length: OWNERS }, (_, owner) => `company-${owner}` as CompanyId);
  await Promise.all(owners.flatMap((owner) => tens.map((numbers) => work(owner, numbers))));
  const grown = (process.memoryUsage().rss - before) / 1e6;
  say(
    `keys of ${found} issuers of ${OWNERS} owners, 100 asked for at once: ${fetches} documents, at most ${mostOpen()} connections, ${grown.toFixed(0)} MB more`,
  );
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
