/** Asks one server for tokens as fast as possible on a number of connections, and prints the results as JSON. */
import { createPrivateKey, randomUUID, sign } from 'node:crypto';
import { createHistogram } from 'node:perf_hooks';
import { stringify } from 'node:querystring';
import autocannon from 'autocannon';
import { seededId, seededSecret } from './seeded.ts';
import { type BenchClient, EXTERNAL_SUBJECT } from './subjects.ts';

export type Method = 'secret' | 'key' | 'external';

/** The argument of `load.ts`, as JSON. */
export interface Load {
  readonly url: string;
  readonly issuer: string;
  readonly client: BenchClient;
  readonly method: Method;
  /** Whether each request has a DPoP proof. */
  readonly dpop: boolean;
  readonly connections: number;
  readonly tokens: number;
  /** How many seeded accounts ask by secret, one after another; 0: the client asks. */
  readonly seeded?: number;
}

/** The results of `load.ts`. Times are in milliseconds, and the rate is in tokens a second. */
export interface Seen {
  readonly failures: number;
  readonly rate: number;
  readonly p50: number;
  readonly p99: number;
}

const { url, issuer, client, method, dpop, connections, tokens, seeded = 0 }: Load = JSON.parse(process.argv[2] ?? '');
const key = createPrivateKey({ key: client.privateJwk, format: 'jwk' });
const header = encode({ alg: 'ES256', kid: client.publicJwk.kid });
const { kty, crv, x, y } = client.publicJwk;
const proofHeader = encode({ typ: 'dpop+jwt', alg: 'ES256', jwk: { kty, crv, x, y } });

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

/** The body of a request with an assertion of the client, or with a token of another issuer in its place. */
function bodyWithAssertion(): string {
  const now = Math.floor(Date.now() / 1000);
  const { keyClientId, externalIssuer } = client;
  const said =
    method === 'key' ? { iss: keyClientId, sub: keyClientId } : { iss: externalIssuer, sub: EXTERNAL_SUBJECT };
  return stringify({
    grant_type: 'client_credentials',
    client_id: keyClientId,
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: signed(header, { ...said, aud: issuer, jti: randomUUID(), iat: now, exp: now + 240 }),
  });
}

/** A DPoP proof for one request (RFC 9449 §4.2), by the key of the client. */
function proof(): string {
  return signed(proofHeader, { jti: randomUUID(), htm: 'POST', htu: url, iat: Math.floor(Date.now() / 1000) });
}

function signed(start: string, claims: object): string {
  const input = `${start}.${encode(claims)}`;
  return `${input}.${sign('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
}

// The assertions and the proofs are signed before the measurement: signing would keep this process as busy as the
// server.
const each = { length: tokens + connections };
const bodies = method === 'secret' ? [] : Array.from(each, bodyWithAssertion);
const proofs = dpop ? Array.from(each, proof) : [];
const form = 'grant_type=client_credentials';
let asked = Math.floor(Math.random() * seeded);

/** The header of the next seeded account. */
function nextSeeded(): { Authorization: string } {
  const clientId = seededId(1 + (asked++ % seeded));
  return { Authorization: `Basic ${Buffer.from(`${clientId}:${seededSecret(clientId)}`).toString('base64')}` };
}

const latency = createHistogram();
let failures = 0;
let ended = 0;
const started = performance.now();
const options: autocannon.Options = {
  url,
  connections,
  amount: tokens,
  method: 'POST',
  headers: {
    'Content-Type': 'application/x-www-form-urlencoded',
    ...(method === 'secret' && {
      Authorization: `Basic ${Buffer.from(`${client.clientId}:${client.clientSecret}`).toString('base64')}`,
    }),
  },
  ...(method === 'secret' && !dpop && seeded === 0
    ? { body: form }
    : {
        requests: [
          {
            setupRequest: (request) => ({
              ...request,
              body: method === 'secret' ? form : (bodies.pop() ?? ''),
              headers: {
                ...request.headers,
                ...(dpop && { DPoP: proofs.pop() ?? '' }),
                ...(seeded > 0 && nextSeeded()),
              },
            }),
          },
        ],
      }),
};
await new Promise<void>((resolve, reject) => {
  const run = autocannon(options, (error: unknown) => (error === null ? resolve() : reject(error)));
  run.on('response', (_client, status, _bytes, milliseconds) => {
    if (status !== 200) failures += 1;
    // The end is taken from the last answer: a run itself only ends on a full second.
    ended = performance.now();
    latency.record(Math.max(1, Math.round(milliseconds * 1000)));
  });
});
const seen: Seen = {
  failures,
  rate: tokens / ((ended - started) / 1000),
  p50: latency.percentile(50) / 1000,
  p99: latency.percentile(99) / 1000,
};
process.stdout.write(JSON.stringify(seen));
