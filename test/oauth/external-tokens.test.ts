import assert from 'node:assert/strict';
import crypto, { createHmac } from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import { before, describe, mock, test } from 'node:test';
import { CompactEncrypt, decodeJwt } from 'jose';
import type { Reply } from '../support/api-contract.ts';
import { claimsFor, type ClientAlg, clientKey, jws, lastRefusal, signature } from '../support/assertions.ts';
import { openCanary } from '../support/canary.ts';
import { embedded, embeddedAndNewest, onEachDatabase, postgres18, type TestDatabase } from '../support/databases.ts';
import { eventually } from '../support/eventually.ts';
import { startFaultProxy } from '../support/fault-proxy.ts';
import { startTestApp, type TestApp, useTestApp } from '../support/test-app.ts';

const CI = 'https://ci.example';
const SUBJECT = 'job:one';
const ISSUER = 'https://id.example';
const ALGS = ['RS256', 'PS256', 'ES256', 'EdDSA'] as const;

const keys = {
  RS256: clientKey('RS256', 'rs'),
  PS256: clientKey('PS256', 'ps'),
  ES256: clientKey('ES256', 'es'),
  EdDSA: clientKey('EdDSA', 'ed'),
};
const key = keys.ES256;
const other = clientKey('ES256');

/** The claims of a token that fits the rule of the account; undefined leaves a claim out. */
function claims(changes: Readonly<Record<string, unknown>> = {}, audience = ISSUER): object {
  return claimsFor(SUBJECT, audience, { iss: CI, ...changes });
}

/** Trusts an issuer, and registers an account with a rule for one subject of it. @returns the id of the account */
async function trusting(app: TestApp, trust: object = {}, name = 'Job'): Promise<string> {
  const jwks = { keys: Object.values(keys).map(({ jwk }) => jwk) };
  const trusted = await app.api('POST', '/api/trusted-issuers', {
    issuer: CI,
    name: 'CI',
    algorithms: ALGS,
    jwks,
    ...trust,
  });
  assert.equal(trusted.status, 201, trusted.text);
  const issuer = 'issuer' in trust ? trust.issuer : CI;
  const made = await app.api('POST', '/api/service-accounts', {
    name,
    permissions: ['deploy'],
    credentials: [{ type: 'federated', issuer, subject: SUBJECT }],
  });
  assert.equal(made.status, 201, made.text);
  return made.json.clientId;
}

/** The three ways in which an external token comes, with the answer to one that is refused. */
const WAYS: Readonly<
  Record<string, { parameters: (token: string) => Record<string, string>; refused: readonly [number, string] }>
> = {
  'client assertion': {
    parameters: (token) => ({
      grant_type: 'client_credentials',
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: token,
    }),
    refused: [401, 'invalid_client'],
  },
  exchange: {
    parameters: (token) => ({
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      subject_token: token,
      subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
    }),
    refused: [400, 'invalid_request'],
  },
  'JWT bearer': {
    parameters: (token) => ({ grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion: token }),
    refused: [400, 'invalid_grant'],
  },
};

function send(app: TestApp, clientId: string, token: string, way = 'JWT bearer'): Promise<Reply> {
  const body = new URLSearchParams({ client_id: clientId, ...WAYS[way]?.parameters(token) });
  return app.request('/oauth/token', { method: 'POST', body });
}

describe('a forged or malformed external token, in each of the three ways', () => {
  const app = useTestApp(embedded, { WRIT_ISSUER: ISSUER });
  let clientId: string;
  before(async () => {
    clientId = await trusting(app);
  });

  /** Asserts that no way gives a token for it, and that the activity has the reason. */
  async function refused(token: string, reason: string, note = token.slice(0, 60)): Promise<void> {
    const texts: string[] = [];
    for (const [way, { refused: answer }] of Object.entries(WAYS)) {
      const { status, json } = await send(app, clientId, token, way);
      assert.deepEqual([status, json.error], answer, `${way}: ${note}`);
      // A text that nobody can read is not known to come from another issuer.
      const unreadable = reason === 'external_malformed' && way === 'client assertion' ? ['assertion_malformed'] : [];
      const reasons: unknown[] = [reason, ...unreadable];
      assert.ok(reasons.includes(lastRefusal(app)['reason']), `${way}: ${note} ${String(lastRefusal(app)['reason'])}`);
      texts.push(json.error_description);
    }
    const fixed = ['client authentication failed', 'subject_token is not valid', 'assertion is not valid'];
    // Before the signature is verified, nobody is told anything.
    if (!TOLD.has(reason)) assert.deepEqual(texts, fixed, note);
  }
  const TOLD = new Set(['external_type', 'external_time', 'external_audience', 'external_jti', 'external_replay']);

  async function accepted(token: string, note = token.slice(0, 60)): Promise<void> {
    for (const way of Object.keys(WAYS)) {
      const { status, json, text } = await send(app, clientId, token, way);
      assert.equal(status, 200, `${way}: ${note} ${text}`);
      assert.equal(decodeJwt(json.access_token).sub, clientId);
    }
  }

  test('is none of those that the issuer signs with each of its keys', async () => {
    for (const alg of ALGS) {
      const { jwk } = keys[alg];
      await accepted(jws(keys[alg], { alg, kid: jwk['kid'] }, claims()), alg);
    }
    await accepted(jws(key, { alg: 'ES256' }, claims()), 'without kid');
  });

  test('A-01 says alg none in any spelling, with every signature', async () => {
    const encode = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url');
    for (const alg of ['none', 'None', 'NONE', 'nOnE', 'none ', '', undefined]) {
      const input = `${encode({ alg })}.${encode(claims())}`;
      for (const token of [input, `${input}.`, `${input}.${signature(key, input)}`]) {
        await refused(token, 'external_malformed', `${alg} ${token.length}`);
      }
    }
  });

  test('A-02 is an HMAC keyed with a public key of the issuer', async () => {
    const { publicKey, jwk } = keys.RS256;
    const pem = publicKey.export({ type: 'spki', format: 'pem' });
    for (const secret of [pem, pem.trim(), JSON.stringify(jwk), String(jwk['n'])]) {
      for (const bits of [256, 384, 512]) {
        const input = [{ alg: `HS${bits}`, kid: 'rs' }, claims()]
          .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
          .join('.');
        const mac = createHmac(`sha${bits}`, secret).update(input).digest('base64url');
        await refused(`${input}.${mac}`, 'external_malformed', `HS${bits}`);
      }
    }
  });

  test('A-03 names another algorithm than that of the key', async () => {
    for (const alg of ALGS) {
      for (const named of [...ALGS, 'RS512', 'ES384', 'ES256K', 'RS1', 'EdDSA ']) {
        if (named === alg) continue;
        const token = jws(keys[alg], { alg: named, kid: keys[alg].jwk['kid'] }, claims());
        const known = [...ALGS, 'RS384', 'RS512', 'ES384'].includes(named);
        const reason = (ALGS as readonly string[]).includes(named)
          ? 'external_signature'
          : known
            ? 'external_issuer'
            : 'external_malformed';
        await refused(token, reason, `${alg} as ${named}`);
      }
    }
    // A key that says its algorithm signs with no other: here RSA-PSS, of which the key could make PKCS #1 v1.5.
    const ps = { ...keys.PS256, alg: 'RS256' as ClientAlg };
    await refused(jws(ps, { alg: 'RS256', kid: 'ps' }, claims()), 'external_signature');
  });

  test('A-04 has an ECDSA signature that is zero, in DER, or of another length', async () => {
    const good = jws(key, { alg: 'ES256', kid: 'es' }, claims());
    const [header, payload, encoded = ''] = good.split('.');
    const raw = Buffer.from(encoded, 'base64url');
    const integer = (bytes: Buffer): Buffer => Buffer.concat([Buffer.from([0x02, bytes.length + 1, 0]), bytes]);
    const sequence = Buffer.concat([integer(raw.subarray(0, 32)), integer(raw.subarray(32))]);
    for (const odd of [
      Buffer.alloc(64),
      Buffer.concat([raw.subarray(0, 32), Buffer.alloc(32)]),
      Buffer.concat([Buffer.alloc(32), raw.subarray(32)]),
      Buffer.concat([Buffer.from([0x30, sequence.length]), sequence]),
      raw.subarray(0, 63),
      Buffer.concat([raw, Buffer.from([0])]),
    ]) {
      await refused(`${header}.${payload}.${odd.toString('base64url')}`, 'external_signature', odd.toString('hex'));
    }
    await accepted(good);
  });

  test('A-05 has a kid that is a path, SQL, very long, of another issuer, or no text', async () => {
    for (const kid of ['../../dev/null', "' OR 1=1--", 'x'.repeat(10_000), 'of-another', '__proto__', 'a\0b', '⚿']) {
      await refused(jws(key, { alg: 'ES256', kid }, claims()), 'external_key_unknown', kid.slice(0, 40));
    }
    for (const kid of [7, {}, ['es'], null, '', true]) {
      await refused(jws(key, { alg: 'ES256', kid }, claims()), 'external_malformed', String(kid));
    }
    await refused(jws(key, { alg: 'ES256', kid: 'rs' }, claims()), 'external_signature', 'kid of another key');
  });

  test('A-06 brings a key or its address, and nothing is fetched', async () => {
    const canary = await openCanary();
    const address = `http://${canary.address}/keys`;
    for (const header of [{ jwk: other.jwk }, { jku: address }, { x5u: address }, { x5c: ['MIIB'] }]) {
      for (const kid of [undefined, 'es']) {
        const token = jws(other, { alg: 'ES256', kid, ...header }, claims());
        await refused(token, 'external_signature', JSON.stringify(header));
      }
    }
    // The claims name the canary, too.
    const iss = `https://${canary.address}`;
    await refused(jws(other, { alg: 'ES256' }, claims({ iss, jku: address })), 'external_issuer');
    assert.equal(canary.visits(), 0);
    canary.close();
  });

  test('A-07 has crit or b64 in its header', async () => {
    for (const header of [
      { crit: ['exp'], exp: 1 },
      { crit: [] },
      { crit: 'alg' },
      { crit: ['b64'], b64: false },
      { crit: ['b64'], b64: true },
      { b64: false },
    ]) {
      const token = jws(key, { alg: 'ES256', kid: 'es', ...header }, claims());
      await refused(token, 'external_malformed', JSON.stringify(header));
    }
  });

  test('A-08 is a JWE, a nested JWT, JSON, or not three segments', async () => {
    const good = jws(key, { alg: 'ES256', kid: 'es' }, claims());
    const nested = await new CompactEncrypt(Buffer.from(good))
      .setProtectedHeader({ alg: 'RSA-OAEP-256', enc: 'A256GCM', cty: 'JWT' })
      .encrypt(keys.RS256.publicKey);
    const [header, payload, sign] = good.split('.');
    const json = { payload, signatures: [{ protected: header, signature: sign }] };
    const inner = jws(key, { alg: 'ES256', kid: 'es', cty: 'JWT' }, `"${good}"`);
    for (const token of [
      nested,
      `${good}.${good}`,
      `${header}.${payload}`,
      '..',
      'a.b',
      '{}',
      JSON.stringify(json),
      inner,
    ]) {
      await refused(token, 'external_malformed');
    }
  });

  test('A-09 is long, deep, ambiguous, or oddly encoded', async () => {
    const header = '{"alg":"ES256","kid":"es"}';
    const text = JSON.stringify(claims());
    const [first = '', second = '', third = ''] = jws(key, header, text).split('.');
    const deep = `${'['.repeat(5000)}${']'.repeat(5000)}`;
    const invalid = Buffer.concat([Buffer.from(text.slice(0, -1)), Buffer.from(',"x":"\xff"}', 'latin1')]);
    const input = `${first}.${invalid.toString('base64url')}`;
    const cases: Record<string, string> = {
      'a long header': jws(key, { alg: 'ES256', x: 'y'.repeat(20_000) }, text),
      'deep claims': jws(key, header, text.replace(/}$/, `,"a":${deep}}`)),
      'a name twice': jws(key, header, text.replace('{', '{"sub":"job:other",')),
      'a name twice, escaped': jws(key, header, text.replace('{', String.raw`{"\u0073ub":"job:other",`)),
      'a header name twice': jws(key, '{"alg":"none","alg":"ES256"}', text),
      'a byte order mark': jws(key, header, `\uFEFF${text}`),
      'invalid UTF-8': `${input}.${signature(key, input)}`,
      padding: `${first}=.${second}.${third}`,
      'a line end': `${first.slice(0, 4)}\n${first.slice(4)}.${second}.${third}`,
      'claims that are no object': jws(key, header, '[]'),
      'no JSON': jws(key, header, '{'),
    };
    for (const [name, token] of Object.entries(cases)) await refused(token, 'external_malformed', name);
  });

  test('A-16 is for another audience, for two, or for none', async () => {
    const to = (aud: unknown): string => jws(key, { alg: 'ES256', kid: 'es' }, claims({ aud }));
    const near = [
      `${ISSUER}/oauth/token`,
      `${ISSUER}//`,
      ISSUER.toUpperCase(),
      `${ISSUER}:443`,
      'https://github.com/acme',
    ];
    for (const aud of [...near, [ISSUER, 'x'], [], [[ISSUER]], '', null, undefined, {}, 7, `${clientId}x`]) {
      await refused(to(aud), 'external_audience', JSON.stringify(aud));
    }
    for (const aud of [ISSUER, `${ISSUER}/`, [ISSUER], clientId, [clientId]]) await accepted(to(aud), String(aud));
  });

  test('A-17 has another iss or sub, or none, or is sent for another account', async () => {
    const from = (changes: Record<string, unknown>): string => jws(key, { alg: 'ES256', kid: 'es' }, claims(changes));
    for (const iss of ['https://ci.example/', 'https://CI.example', 'https://ci.example.evil.example']) {
      await refused(from({ iss }), 'external_issuer', iss);
    }
    for (const sub of [undefined, '', 'job:One', ['job:one'], { a: 'job:one' }, 'job:one ', null]) {
      await refused(from({ sub }), 'external_claims', JSON.stringify(sub));
    }
    const { json } = await app.api('POST', '/api/service-accounts', { name: 'Other', permissions: [] });
    for (const [way, { refused: answer }] of Object.entries(WAYS)) {
      const reply = await send(app, json.clientId, from({}), way);
      assert.deepEqual([reply.status, reply.json.error], answer);
      assert.equal(lastRefusal(app)['reason'], 'external_issuer');
    }
  });

  test('A-18 has a time that is no number, or far from the clock', async () => {
    const now = Math.floor(Date.now() / 1000);
    const at = (changes: Record<string, unknown>): string => jws(key, { alg: 'ES256', kid: 'es' }, claims(changes));
    for (const [name, values] of Object.entries({
      exp: [undefined, null, '9999999999', [now + 60], {}, now - 3600, -1, 0],
      iat: [undefined, null, String(now), [now], now + 3600, now - 7200, 0],
      nbf: [null, String(now), now + 3600, []],
    })) {
      for (const value of values) {
        await refused(at({ [name]: value }), 'external_time', `${name} ${JSON.stringify(value)}`);
      }
    }
    const infinite = jws(
      key,
      { alg: 'ES256', kid: 'es' },
      JSON.stringify(claims()).replace(/"exp":\d+/, '"exp":1e999'),
    );
    await refused(infinite, 'external_time', 'infinity');
    await accepted(at({ exp: now + 60.5, iat: now - 0.5, nbf: now - 0.5 }), 'fractions');
  });

  test('A-19 is another kind of JWT, or a token of this server', async () => {
    for (const typ of ['dpop+jwt', 'secevent+jwt', 'statuslist+jwt', 'logout+jwt', '', 7, null, ['JWT'], 'JWT x']) {
      await refused(jws(key, { alg: 'ES256', kid: 'es', typ }, claims()), 'external_type', JSON.stringify(typ));
    }
    for (const typ of ['JWT', 'jwt', 'application/jwt', 'at+jwt', 'application/at+jwt']) {
      await accepted(jws(key, { alg: 'ES256', kid: 'es', typ }, claims()), typ);
    }
    const { json } = await app.api('POST', '/api/service-accounts', { name: 'Own', permissions: [] });
    const { json: own } = await app.token(json);
    await refused(own.access_token, 'external_issuer', 'a token of this server');
    // Nobody may trust this server as an issuer of others.
    const trusted = await app.api('POST', '/api/trusted-issuers', { issuer: ISSUER, name: 'Self' });
    assert.equal(trusted.status, 422);
  });

  test('C-10 makes a bounded number of verifications, whatever it names', async () => {
    const crowd = Array.from({ length: 100 }, (_, index) => clientKey('ES256', `k${index % 10}`));
    const id = await trusting(
      app,
      { issuer: 'https://crowd.example', jwks: { keys: crowd.map(({ jwk }) => jwk) } },
      'Crowd',
    );
    const verifications = mock.method(crypto, 'verify');
    syncBuiltinESMExports();
    try {
      for (const header of [{}, { kid: 'k1' }, { kid: 'unheard-of' }]) {
        verifications.mock.resetCalls();
        const token = jws(other, { alg: 'ES256', ...header }, claims({ iss: 'https://crowd.example' }));
        assert.equal((await send(app, id, token)).status, 400);
        const count = verifications.mock.callCount();
        assert.ok(count >= 1 && count <= 5, `${JSON.stringify(header)} ${count}`);
      }
    } finally {
      verifications.mock.restore();
      syncBuiltinESMExports();
    }
  });
});

const start = (database: TestDatabase): Promise<TestApp> => startTestApp(database, { WRIT_ISSUER: ISSUER });
const ONCE = { replay: 'once' };

onEachDatabase(
  'an external token of an issuer whose tokens are good for one request',
  (kind) => {
    const many = kind.embedded ? 1 : 3;

    test('A-10 is refused the second time, on other nodes, after a restart, and in another way', async () => {
      const database = await kind.create();
      const first = await start(database);
      const nodes = [first, ...(await Promise.all(Array.from({ length: many - 1 }, () => start(database))))];
      const clientId = await trusting(first, ONCE);
      const token = jws(key, { alg: 'ES256', kid: 'es' }, claims());
      assert.equal((await send(first, clientId, token)).status, 200);
      for (const node of nodes) {
        for (const way of Object.keys(WAYS)) {
          const { json } = await send(node, clientId, token, way);
          assert.match(json.error_description, /used already/);
          assert.equal(lastRefusal(node)['reason'], 'external_replay');
        }
      }
      await Promise.all(nodes.map((node) => node.close()));
      const again = await start(database);
      assert.equal((await send(again, clientId, token)).status, 400);
      await again.close();
      await database.drop();
    });

    test('A-11 gets one token when it is sent 64 times at once, over all nodes, also when its signature is malleated', async () => {
      const database = await kind.create();
      const first = await start(database);
      const nodes = [first, ...(await Promise.all(Array.from({ length: many - 1 }, () => start(database))))];
      const clientId = await trusting(first, ONCE);
      for (let round = 0; round < 5; round += 1) {
        const token = jws(key, { alg: 'ES256', kid: 'es' }, claims());
        const twin = malleated(token);
        const replies = await Promise.all(
          Array.from({ length: 64 }, (_, index) =>
            send(nodes[index % many] ?? first, clientId, index % 2 === 0 ? token : twin),
          ),
        );
        const statuses = Object.groupBy(replies, ({ status }) => status);
        assert.deepEqual([statuses[200]?.length, statuses[400]?.length], [1, 63], `round ${round}`);
      }
      await Promise.all(nodes.map((node) => node.close()));
      await database.drop();
    });

    test('A-12 A-13 A-15 has a jti of its issuer alone, which is a text and is forgotten in time', async () => {
      const database = await kind.create();
      const app = await start(database);
      const clientId = await trusting(app, ONCE);
      const second = await trusting(app, { ...ONCE, issuer: 'https://other.example' }, 'Second');
      const from = (iss: string, jti: unknown): string => jws(key, { alg: 'ES256', kid: 'es' }, claims({ iss, jti }));
      const both = [from(CI, 'same'), from('https://other.example', 'same')] as const;
      assert.equal((await send(app, clientId, both[0])).status, 200);
      assert.equal((await send(app, second, both[1])).status, 200);
      assert.equal((await send(app, second, both[1])).status, 400);
      for (const jti of [undefined, '', 7, ['a'], {}, null, 'x'.repeat(1025)]) {
        const reply = await send(app, clientId, from(CI, jti));
        assert.deepEqual([reply.status, lastRefusal(app)['reason']], [400, 'external_jti'], String(jti));
      }
      for (const jti of ['a\0b', '⚿ é \u2028', 'x'.repeat(1024), '\ud800']) {
        assert.equal((await send(app, clientId, from(CI, jti))).status, 200, jti.slice(0, 20));
        assert.equal((await send(app, clientId, from(CI, jti))).status, 400, jti.slice(0, 20));
      }
      const far = claims({ exp: Math.floor(Date.now() / 1000) + 10 * 365 * 86_400 });
      assert.equal((await send(app, clientId, jws(key, { alg: 'ES256', kid: 'es' }, far))).status, 200);
      const last = await app.knex('assertion_replays').orderBy('expires_at', 'desc').first('expires_at');
      assert.ok(last.expires_at.getTime() - Date.now() < 26 * 3_600_000, String(last.expires_at));
      await app.close();
      await database.drop();
    });
  },
  embeddedAndNewest,
);

/** The other signature of the same message: (r, n − s) verifies wherever (r, s) does. */
function malleated(token: string): string {
  const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
  const [header, payload, encoded = ''] = token.split('.');
  const raw = Buffer.from(encoded, 'base64url');
  const s = BigInt(`0x${raw.subarray(32).toString('hex')}`);
  const twin = Buffer.concat([raw.subarray(0, 32), Buffer.from((order - s).toString(16).padStart(64, '0'), 'hex')]);
  return `${header}.${payload}.${twin.toString('base64url')}`;
}

test('A-14 an external token whose use cannot be recorded gets 503, and a reusable one a token', async () => {
  const database = await postgres18.create();
  const proxy = await startFaultProxy(database.url);
  const app = await startTestApp({ ...database, url: proxy.url }, { WRIT_ISSUER: ISSUER });
  const clientId = await trusting(app, ONCE);
  const reusable = await trusting(app, { issuer: 'https://other.example' }, 'Reusable');
  const fresh = (iss = CI): string => jws(key, { alg: 'ES256', kid: 'es' }, claims({ iss }));
  assert.equal((await send(app, clientId, fresh())).status, 200);
  assert.equal((await send(app, reusable, fresh('https://other.example'))).status, 200);
  proxy.cut();
  for (const way of Object.keys(WAYS)) {
    const { status, json, headers } = await send(app, clientId, fresh(), way);
    assert.deepEqual([status, json.error], [503, 'temporarily_unavailable'], way);
    assert.ok(headers.get('retry-after'));
    assert.equal((await send(app, reusable, fresh('https://other.example'), way)).status, 200, way);
  }
  proxy.heal();
  const back = async (): Promise<boolean> => (await send(app, clientId, fresh())).status === 200;
  await eventually(20_000, back, 'external tokens were not accepted again in time');
  await app.close();
  await proxy.close();
  await database.drop();
});
