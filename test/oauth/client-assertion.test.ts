import assert from 'node:assert/strict';
import { createHmac, randomUUID } from 'node:crypto';
import { describe, test } from 'node:test';
import { decodeJwt } from 'jose';
import * as oauth from 'oauth4webapi';
import {
  assertion,
  claimsFor,
  type ClientAlg,
  clientKey,
  type ClientKey,
  jws,
  lastRefusal,
  registerWithKeys,
  signature,
  tokenByAssertion,
} from '../support/assertions.ts';
import { openCanary } from '../support/canary.ts';
import { embedded } from '../support/databases.ts';
import { rawRequest } from '../support/raw-request.ts';
import { startTestApp, useTestApp } from '../support/test-app.ts';

const UNIFORM = {
  error: 'invalid_client',
  error_description: 'client authentication failed',
  message: 'client authentication failed',
};

describe('private_key_jwt', () => {
  const app = useTestApp(embedded);
  const key = clientKey('ES256');

  async function account(keys: readonly ClientKey[] = [key], options = {}) {
    return registerWithKeys(app, `Account ${randomUUID()}`, keys, options);
  }

  /** Asserts the uniform refusal: its reason is only in the log. */
  async function refused(value: string, reason: string, note = ''): Promise<void> {
    const { status, headers, json } = await tokenByAssertion(app, value);
    assert.equal(status, 401, note);
    assert.equal(headers.get('www-authenticate'), 'Basic realm="writ"', note);
    const { request_id: id, ...rest } = json;
    assert.deepEqual(rest, UNIFORM, note);
    assert.equal(lastRefusal(app)['reason'], reason, note);
    assert.equal(lastRefusal(app)['requestId'], id, note);
  }

  /** Asserts a refusal that explains the fault to the client, which holds the key. */
  async function explained(value: string, reason: string, description: RegExp, note = ''): Promise<void> {
    const { status, json } = await tokenByAssertion(app, value);
    assert.equal(status, 401, note);
    assert.equal(json.error, 'invalid_client', note);
    assert.match(json.error_description, description, note);
    assert.match(json.error_description, /^[\x20\x21\x23-\x5B\x5D-\x7E]+$/, note);
    assert.equal(lastRefusal(app)['reason'], reason, note);
  }

  for (const alg of ['RS256', 'PS256', 'ES256', 'EdDSA', 'Ed25519'] as const) {
    test(`N-28 issues a token for an assertion signed with ${alg}`, async () => {
      const own = clientKey(alg);
      const { clientId } = await account([own]);
      const { status, json, text } = await tokenByAssertion(app, assertion(own, clientId, app.issuer));
      assert.equal(status, 200, text);
      assert.equal(decodeJwt(json.access_token).sub, clientId);
    });
  }

  test('N-28 takes EdDSA and Ed25519 as the algorithm of an Ed25519 key, however the key was registered', async () => {
    for (const registered of [undefined, 'EdDSA', 'Ed25519']) {
      const own = clientKey('EdDSA');
      const jwk = { ...own.jwk, ...(registered !== undefined && { alg: registered }) };
      const { clientId } = await account([{ ...own, jwk }]);
      for (const alg of ['EdDSA', 'Ed25519'] as const) {
        const { status } = await tokenByAssertion(app, assertion({ ...own, alg }, clientId, app.issuer));
        assert.equal(status, 200, `${registered} ${alg}`);
      }
    }
  });

  test('works with oauth4webapi as the client', async () => {
    const pair = await oauth.generateKeyPair('ES256', { extractable: true });
    const jwk = await crypto.subtle.exportKey('jwk', pair.publicKey);
    const { clientId } = await account([{ ...key, jwk: { kty: jwk.kty, crv: jwk.crv, x: jwk.x, y: jwk.y } }]);
    const server: oauth.AuthorizationServer = { issuer: app.issuer, token_endpoint: `${app.issuer}/oauth/token` };
    const client = { client_id: clientId };
    const response = await oauth.clientCredentialsGrantRequest(
      server,
      client,
      oauth.PrivateKeyJwt(pair.privateKey),
      {},
      { [oauth.allowInsecureRequests]: true },
    );
    const { scope } = await oauth.processClientCredentialsResponse(server, client, response);
    assert.equal(scope, 'a');
  });

  test('authenticates an account by each of its keys and by its secret', async () => {
    const keys = [clientKey('ES256', 'one'), clientKey('ES256', 'two'), clientKey('RS256')];
    const { clientId, clientSecret } = await account(keys, { secret: true });
    for (const own of keys) {
      const kid = own.jwk['kid'];
      const value = assertion(own, clientId, app.issuer, {}, kid === undefined ? {} : { kid });
      assert.equal((await tokenByAssertion(app, value)).status, 200);
    }
    assert.equal((await app.token({ clientId, clientSecret })).status, 200);
  });

  test('A-01 refuses alg none in every spelling and with every signature', async () => {
    const { clientId } = await account();
    for (const alg of ['none', 'None', 'NONE', 'nOnE', 'none ', '']) {
      const input = `${btoa(JSON.stringify({ alg }))}.${btoa(JSON.stringify(claimsFor(clientId, app.issuer)))}`
        .replaceAll('=', '')
        .replaceAll('+', '-')
        .replaceAll('/', '_');
      for (const value of [input, `${input}.`, `${input}.${signature(key, input)}`]) {
        await refused(value, 'assertion_malformed', alg);
      }
    }
  });

  test('A-02 refuses an HMAC keyed with the public key in any form', async () => {
    const own = clientKey('RS256');
    const { clientId } = await account([own]);
    const pem = own.publicKey.export({ type: 'spki', format: 'pem' });
    const keys = [pem, pem.trim(), ` ${pem}`, `${pem}\n`, JSON.stringify(own.jwk), String(own.jwk['n'])];
    for (const [index, hmacKey] of keys.entries()) {
      for (const bits of [256, 384, 512]) {
        const input = [{ alg: `HS${bits}` }, claimsFor(clientId, app.issuer)]
          .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
          .join('.');
        const mac = createHmac(`sha${bits}`, hmacKey).update(input).digest('base64url');
        await refused(`${input}.${mac}`, 'assertion_malformed', `${index} ${bits}`);
      }
    }
  });

  test('A-03 refuses every algorithm except that of the key', async () => {
    const algs: ClientAlg[] = ['RS256', 'PS256', 'ES256', 'EdDSA'];
    for (const alg of algs) {
      const own = clientKey(alg);
      const { clientId } = await account([own]);
      for (const other of [...algs, 'RS512', 'ES384']) {
        if (other === alg) continue;
        // The right key signs with an algorithm that it can use, and the header names another algorithm.
        const able = own.privateKey.asymmetricKeyType === 'rsa' && other === 'PS256' ? 'PS256' : alg;
        const value = jws({ ...own, alg: able }, { alg: other }, claimsFor(clientId, app.issuer));
        const reason = algs.includes(other as ClientAlg) ? 'assertion_key_unknown' : 'assertion_malformed';
        await refused(value, reason, `${alg} ${other}`);
      }
    }
  });

  test('A-04 refuses malformed ECDSA signatures, and treats a malleated signature as a replay', async () => {
    const { clientId } = await account();
    const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
    const good = assertion(key, clientId, app.issuer);
    const [header, payload, encoded] = good.split('.');
    const raw = Buffer.from(String(encoded), 'base64url');
    const r = raw.subarray(0, 32);
    const s = BigInt(`0x${raw.subarray(32).toString('hex')}`);
    const integer = (bytes: Buffer): Buffer => Buffer.concat([Buffer.from([0x02, bytes.length + 1, 0]), bytes]);
    const sequence = Buffer.concat([integer(r), integer(raw.subarray(32))]);
    for (const odd of [
      Buffer.alloc(64),
      Buffer.concat([r, Buffer.alloc(32)]),
      Buffer.concat([Buffer.alloc(32), raw.subarray(32)]),
      Buffer.concat([Buffer.from([0x30, sequence.length]), sequence]),
      raw.subarray(0, 63),
      Buffer.concat([raw, Buffer.from([0])]),
    ]) {
      await refused(`${header}.${payload}.${odd.toString('base64url')}`, 'assertion_signature', odd.toString('hex'));
    }
    const malleated = Buffer.concat([r, Buffer.from((order - s).toString(16).padStart(64, '0'), 'hex')]);
    assert.equal((await tokenByAssertion(app, good)).status, 200);
    await explained(
      `${header}.${payload}.${malleated.toString('base64url')}`,
      'assertion_replay',
      /^jti has been used/,
    );
  });

  test('A-05 uses kid only to find a key of the account', async () => {
    const other = await account([clientKey('ES256', 'of-another')]);
    const { clientId } = await account([clientKey('ES256', 'one'), { ...key, jwk: { ...key.jwk, kid: 'two' } }]);
    for (const kid of ['../../dev/null', "' OR 1=1--", 'x'.repeat(10_000), 'of-another', '__proto__', 'a\0b', '⚿']) {
      await refused(assertion(key, clientId, app.issuer, {}, { kid }), 'assertion_key_unknown', kid);
    }
    for (const kid of [7, {}, ['two'], null, '', true]) {
      await refused(assertion(key, clientId, app.issuer, {}, { kid }), 'assertion_malformed', String(kid));
    }
    await refused(assertion(key, clientId, app.issuer), 'assertion_key_unknown', 'two keys fit and no kid names one');
    assert.equal((await tokenByAssertion(app, assertion(key, clientId, app.issuer, {}, { kid: 'two' }))).status, 200);
    assert.ok(other.clientId);
  });

  test('A-06 refuses a key that comes with the assertion, and fetches no key', async () => {
    const canary = await openCanary();
    const { clientId } = await account();
    const stranger = clientKey('ES256');
    for (const header of [
      { jwk: stranger.jwk },
      { jku: `http://${canary.address}/jwks` },
      { x5u: `http://${canary.address}/cert` },
      { x5c: ['MIIB'] },
    ]) {
      await refused(
        assertion(stranger, clientId, app.issuer, {}, header),
        'assertion_signature',
        JSON.stringify(header),
      );
    }
    assert.equal(canary.visits(), 0);
    canary.close();
  });

  test('A-07 refuses every header with crit or b64', async () => {
    const { clientId } = await account();
    for (const header of [
      { crit: ['exp'], exp: 1 },
      { crit: [] },
      { crit: ['alg'] },
      { crit: 'alg' },
      { crit: ['b64'], b64: false },
      { crit: ['b64'], b64: true },
      { b64: false },
      { crit: ['x', 'x'], x: 1 },
    ]) {
      await refused(assertion(key, clientId, app.issuer, {}, header), 'assertion_malformed', JSON.stringify(header));
    }
    const claims = JSON.stringify(claimsFor(clientId, app.issuer));
    await refused(jws(key, '{"alg":"ES256","crit":["a"],"crit":["b"]}', claims), 'assertion_malformed');
  });

  test('A-08 refuses JWEs and other texts that are not a JWS of three segments, as assertion_malformed', async () => {
    const { clientId } = await account();
    const good = assertion(key, clientId, app.issuer);
    const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    const jwe = [
      { alg: 'RSA-OAEP', enc: 'A256GCM' },
      { alg: 'dir', enc: 'A256GCM', zip: 'DEF' },
      { alg: 'PBES2-HS256+A128KW', enc: 'A256GCM', p2c: 2 ** 31, p2s: 'AA' },
    ].map((header) => `${part(header)}.AA.AA.${'A'.repeat(1000)}.AA`);
    for (const value of [
      ...jwe,
      `${good}.${good}`,
      good.slice(0, good.lastIndexOf('.')),
      '..',
      'a.b',
      '{}',
      part({ payload: 'x', signatures: [] }),
    ]) {
      await refused(value, 'assertion_malformed', value.slice(0, 40));
    }
  });

  test('A-09 refuses odd encodings and ambiguous JSON, as assertion_malformed', async () => {
    const { clientId } = await account();
    const claims = claimsFor(clientId, app.issuer);
    const text = JSON.stringify(claims);
    const header = '{"alg":"ES256"}';
    const good = jws(key, header, text);
    const [first = '', second = '', third = ''] = good.split('.');
    const cases: Record<string, string> = {
      'many dots': '.'.repeat(20_000),
      'a header that is long': jws(key, { alg: 'ES256', x: 'y'.repeat(20_000) }, text),
      'deep claims': jws(key, header, `{"sub":"${clientId}","a":${'['.repeat(5000)}${']'.repeat(5000)},"b":1,"b":2}`),
      '5,000 levels of arrays': jws(key, header, text.replace(/}$/, `,"a":${'['.repeat(5000)}${']'.repeat(5000)}}`)),
      '5,000 levels of objects in the header': jws(
        key,
        `{"alg":"ES256","a":${'{"a":'.repeat(1800)}1${'}'.repeat(1800)}}`,
        text,
      ),
      'one level more than allowed': jws(key, header, text.replace(/}$/, `,"a":${'['.repeat(32)}${']'.repeat(32)}}`)),
      'a name twice': jws(key, header, text.replace('{', '{"sub":"sa_other",')),
      'a name twice, escaped': jws(key, header, text.replace('{', String.raw`{"\u0073ub":"sa_other",`)),
      'a name twice, deep': jws(key, header, text.replace('{', '{"x":[{"y":1,"y":2}],')),
      'a header name twice': jws(key, '{"alg":"none","alg":"ES256"}', text),
      'a byte order mark': jws(key, header, `\uFEFF${text}`),
      'invalid UTF-8': (() => {
        const input = `${first}.${Buffer.concat([Buffer.from(text.slice(0, -1)), Buffer.from(',"x":"\xff\xfe"}', 'latin1')]).toString('base64url')}`;
        return `${input}.${signature(key, input)}`;
      })(),
      padding: `${first}=.${second}.${third}`,
      'white space': `${first}.${second}.${third} `,
      'a line end inside': `${first.slice(0, 4)}\n${first.slice(4)}.${second}.${third}`,
      'the alphabet of base64': `${first}.${second}.${third.replaceAll('-', '+').replaceAll('_', '/')}+`,
      'a header that is no object': jws(key, '["ES256"]', text),
      'claims that are no object': jws(key, header, `"${clientId}"`),
      'claims that are null': jws(key, header, 'null'),
      'no JSON': jws(key, header, '{'),
      'a null byte': jws(key, header, `${text}\0`),
    };
    for (const [name, value] of Object.entries(cases)) await refused(value, 'assertion_malformed', name);

    const tail = `${third.slice(0, -1)}${third.endsWith('A') ? 'B' : String.fromCharCode(third.charCodeAt(third.length - 1) + 1)}`;
    if (Buffer.from(tail, 'base64url').equals(Buffer.from(third, 'base64url'))) {
      await refused(`${first}.${second}.${tail}`, 'assertion_malformed', 'bits beyond the last byte');
    }
    assert.equal((await tokenByAssertion(app, good)).status, 200);
    const lone = jws(
      key,
      header,
      JSON.stringify(claimsFor(clientId, app.issuer)).replace(clientId, String.raw`\ud800`),
    );
    await explained(lone, 'assertion_issuer', /^iss is ''ud800', expected/);
  });

  test('A-13 explains a jti that is not a string of 1 to 128 characters', async () => {
    const { clientId } = await account();
    for (const jti of [undefined, '', 7, ['a'], {}, null, 'x'.repeat(129), 'x'.repeat(10_000), 'a\0b', '\ud800']) {
      const value = assertion(key, clientId, app.issuer, { jti });
      await explained(value, 'assertion_jti', /^jti is .*, expected a string of 1 to 128 characters$/, String(jti));
    }
    for (const jti of ['x', 'x'.repeat(128), '⚿ é \u2028']) {
      assert.equal((await tokenByAssertion(app, assertion(key, clientId, app.issuer, { jti }))).status, 200, jti);
    }
  });

  test('A-16 N-2 takes the issuer as the only audience, as a string or alone in an array', async () => {
    const { clientId } = await account();
    const { issuer } = app;
    for (const aud of [issuer, [issuer], `${issuer}/`, [`${issuer}/`]]) {
      assert.equal((await tokenByAssertion(app, assertion(key, clientId, issuer, { aud }))).status, 200);
    }
    for (const aud of [
      `${issuer}/oauth/token`,
      `${issuer}//`,
      `${issuer}/.`,
      `${issuer}?`,
      [issuer, `${issuer}/`],
      issuer.toUpperCase(),
      issuer.replace('localhost', 'LOCALHOST'),
      `${issuer}%2F`,
      [issuer, 'https://evil.example'],
      [issuer, issuer],
      ['https://evil.example'],
      [],
      undefined,
      7,
      {},
      null,
      '',
      'console-client-credentials',
    ]) {
      const value = assertion(key, clientId, issuer, { aud });
      await explained(value, 'assertion_audience', new RegExp(`^aud is .*, expected ${issuer}$`), JSON.stringify(aud));
    }
  });

  test('A-16 takes a final slash in aud only if the issuer has no path, also at the path of Mia’s clients', async () => {
    const { clientId } = await account();
    const value = assertion(key, clientId, `${app.issuer}/`);
    assert.equal((await tokenByAssertion(app, value, {}, '/api/m2m/oauth/token')).status, 200);
    const database = await embedded.create();
    const below = await startTestApp(database, { WRIT_ISSUER: 'https://id.example/writ' });
    try {
      const own = await registerWithKeys(below, 'Below', [key]);
      for (const [aud, status] of [
        ['https://id.example/writ', 200],
        ['https://id.example/writ/', 401],
        ['https://id.example/', 401],
        ['https://id.example', 401],
      ] as const) {
        assert.equal((await tokenByAssertion(below, assertion(key, own.clientId, aud))).status, status, aud);
        if (status === 401) assert.equal(lastRefusal(below)['reason'], 'assertion_audience');
      }
    } finally {
      await below.close();
      await database.drop();
    }
  });

  test('N-1 does not take the expected audience from headers of the request', async () => {
    const { clientId } = await account();
    for (const headers of [
      { Host: 'evil.example' },
      { 'X-Forwarded-Host': 'evil.example', 'X-Forwarded-Proto': 'https' },
    ] as Record<string, string>[]) {
      const body = new URLSearchParams({
        grant_type: 'client_credentials',
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
        client_assertion: assertion(key, clientId, 'https://evil.example/oauth/token'),
      }).toString();
      const { status } = await rawRequest(`${app.url}/oauth/token`, {
        method: 'POST',
        headers: {
          'Content-Type': 'application/x-www-form-urlencoded',
          'Content-Length': String(body.length),
          ...headers,
        },
        body,
      });
      assert.equal(status, 401);
      assert.equal(lastRefusal(app)['reason'], 'assertion_audience');
    }
  });

  test('A-17 requires iss, sub and client_id to be the same', async () => {
    const { clientId } = await account();
    const other = await account([clientKey('ES256')]);
    for (const iss of [undefined, '', other.clientId, [clientId], 7]) {
      await explained(
        assertion(key, clientId, app.issuer, { iss }),
        'assertion_issuer',
        /^iss is .*, expected the same as sub/,
        String(iss),
      );
    }
    for (const sub of [undefined, '', [clientId], 7, {}, 'a b', 'x'.repeat(100), '😀']) {
      await refused(assertion(key, clientId, app.issuer, { sub }), 'assertion_malformed', String(sub));
    }
    await refused(assertion(key, clientId, app.issuer, { sub: other.clientId }), 'assertion_signature');
    const mismatch = await tokenByAssertion(app, assertion(key, clientId, app.issuer), { client_id: other.clientId });
    assert.equal(mismatch.status, 400);
    assert.equal(mismatch.json.error, 'invalid_request');
    const match = await tokenByAssertion(app, assertion(key, clientId, app.issuer), { client_id: clientId });
    assert.equal(match.status, 200);
  });

  test('A-27 keeps two accounts with the same key apart', async () => {
    const [one, two, three] = [await account(), await account(), await account([clientKey('ES256')])];
    for (const { clientId } of [one, two]) {
      assert.equal((await tokenByAssertion(app, assertion(key, clientId, app.issuer))).status, 200);
    }
    // The signature is valid for both accounts: iss and sub must name the same one.
    const between = assertion(key, two.clientId, app.issuer, { iss: one.clientId });
    await explained(between, 'assertion_issuer', /iss is/);
    await refused(assertion(key, three.clientId, app.issuer), 'assertion_signature');
    await refused(assertion(key, three.clientId, app.issuer, { iss: one.clientId }), 'assertion_signature');
    // A jti that one account has used is still unused for the other account.
    const jti = randomUUID();
    for (const { clientId } of [one, two]) {
      assert.equal((await tokenByAssertion(app, assertion(key, clientId, app.issuer, { jti }))).status, 200);
    }
  });

  test('A-18 N-5 checks times by the clock of the server, with a tolerance of ten seconds', async () => {
    const { clientId } = await account();
    // Each assertion is made just before it is sent: the assertions before it may take long on a slow machine.
    type Changes = (now: number) => Record<string, unknown>;
    const moment = (): number => Math.floor(Date.now() / 1000);
    const accepted: Changes[] = [
      (now) => ({ exp: now - 5 }),
      (now) => ({ exp: now + 300 }),
      (now) => ({ exp: now + 305 }),
      (now) => ({ iat: now + 8 }),
      (now) => ({ nbf: now + 8 }),
      () => ({ iat: undefined }),
      (now) => ({ iat: now - 100_000 }),
      (now) => ({ iat: now + 0.5 }),
      (now) => ({ exp: now + 60.97 }),
      (now) => ({ exp: now - 5.25, iat: now - 60.125, nbf: now - 60.5 }),
      (now) => ({ exp: now + 299.999999 }),
      () => ({ nbf: -1.5, iat: -1e300 }),
    ];
    for (const changes of accepted) {
      const { status, text } = await tokenByAssertion(app, assertion(key, clientId, app.issuer, changes(moment())));
      assert.equal(status, 200, `${String(changes)} ${text}`);
    }
    const refusals: [Changes, string, RegExp][] = [
      [() => ({ exp: undefined }), 'assertion_expiry', /^exp is absent, expected a number of seconds since 1970$/],
      [() => ({ exp: '999' }), 'assertion_expiry', /^exp is '999', expected a number of seconds/],
      [(now) => ({ exp: `${now + 60.5}` }), 'assertion_expiry', /^exp is '\d+\.5', expected a number of seconds/],
      [() => ({ exp: null }), 'assertion_expiry', /^exp is null, expected a number of seconds/],
      [(now) => ({ exp: [now + 60] }), 'assertion_expiry', /^exp is \[\d+\], expected a number of seconds/],
      [() => ({ exp: -1 }), 'assertion_expiry', /^expired \d{10} seconds ago/],
      [() => ({ exp: 0 }), 'assertion_expiry', /^expired \d{10} seconds ago/],
      [() => ({ exp: -1e300 }), 'assertion_expiry', /^expired 1e\+300 seconds ago/],
      [(now) => ({ exp: now - 15.5 }), 'assertion_expiry', /^expired 1\d seconds ago by our clock \(\d+\)$/],
      [() => ({ exp: 1e300 }), 'assertion_lifetime', /^exp is 1e\+300 seconds ahead, at most 310/],
      [
        (now) => ({ exp: now + 330.97 }),
        'assertion_lifetime',
        /^exp is 3\d\d seconds ahead, at most 310 are accepted$/,
      ],
      [() => ({ iat: 1e300 }), 'assertion_issued_at', /^iat is 1e\+300 seconds ahead/],
      [(now) => ({ exp: now - 15 }), 'assertion_expiry', /^expired 1\d seconds ago by our clock \(\d+\)$/],
      [(now) => ({ exp: now + 320 }), 'assertion_lifetime', /^exp is 3\d\d seconds ahead, at most 310 are accepted$/],
      [(now) => ({ exp: now + 86_400 }), 'assertion_lifetime', /^exp is 86\d\d\d seconds ahead, at most 310/],
      [(now) => ({ iat: now + 61 }), 'assertion_issued_at', /^iat is (?:60|61) seconds ahead of our clock \(\d+\)$/],
      [() => ({ iat: 'now' }), 'assertion_issued_at', /^iat is 'now', expected a number of seconds$/],
      [(now) => ({ nbf: now + 61 }), 'assertion_not_before', /^nbf is (?:60|61) seconds ahead of our clock \(\d+\)$/],
      [() => ({ nbf: {} }), 'assertion_not_before', /^nbf is \{\}, expected a number of seconds$/],
    ];
    for (const [changes, reason, description] of refusals) {
      await explained(assertion(key, clientId, app.issuer, changes(moment())), reason, description, String(changes));
    }
  });

  test('A-10 A-18 remembers the jti of an assertion with a fractional exp for as long as the assertion is accepted', async () => {
    const { clientId } = await account();
    const jti = randomUUID();
    const exp = Math.floor(Date.now() / 1000) + 30.25;
    assert.equal((await tokenByAssertion(app, assertion(key, clientId, app.issuer, { jti, exp }))).status, 200);
    await explained(assertion(key, clientId, app.issuer, { jti, exp }), 'assertion_replay', /^jti has been used/);
    const { expires_at: until } = await app.knex('assertion_replays').where({ jti }).first();
    assert.equal(until.getTime() / 1000, Math.ceil(exp) + 10);
  });

  test('A-19 N-19 takes an assertion only if its typ is absent or names a JWT for client authentication', async () => {
    const { clientId } = await account();
    const own = await app.rootToken();
    assert.equal((await tokenByAssertion(app, own)).status, 401);
    for (const typ of [
      'at+jwt',
      'application/at+jwt',
      'AT+JWT',
      'dpop+jwt',
      'logout+jwt',
      'text/jwt',
      'application/application/jwt',
      'application/',
      ' JWT',
      'jwt2',
      '',
      7,
      null,
      ['JWT'],
    ]) {
      await explained(
        assertion(key, clientId, app.issuer, {}, { typ }),
        'assertion_type',
        /^typ is .*, expected JWT/,
        String(typ),
      );
    }
    for (const typ of [
      'JWT',
      'jwt',
      'Jwt',
      'application/jwt',
      'Application/JWT',
      'client-authentication+jwt',
      'Client-Authentication+JWT',
      'application/client-authentication+jwt',
      undefined,
    ]) {
      assert.equal((await tokenByAssertion(app, assertion(key, clientId, app.issuer, {}, { typ }))).status, 200);
    }
  });

  test('A-31 A-12 gives the uniform refusal for the claims of a stranger, and logs only a short line', async () => {
    const stranger = clientKey('ES256');
    await refused(assertion(stranger, `sa_${'x'.repeat(60)}`, app.issuer), 'account_unknown');
    await refused(assertion(stranger, 'sa_nobody', app.issuer, { sub: 'x'.repeat(8000) }), 'assertion_malformed');
    assert.ok(JSON.stringify(lastRefusal(app)).length < 500);
  });

  test('explains wrong claims only to a client that holds the key', async () => {
    const { clientId } = await account();
    const stranger = clientKey('ES256');
    for (const changes of [{ aud: 'x' }, { exp: 1 }, { iss: 'x' }, { jti: undefined }, { nbf: 9e9 }]) {
      await refused(assertion(stranger, clientId, app.issuer, changes), 'assertion_signature', JSON.stringify(changes));
    }
  });

  test('consumes an assertion once its signature is valid, also when the request is refused', async () => {
    const { clientId } = await account();
    const jti = randomUUID();
    await explained(assertion(key, clientId, app.issuer, { jti, aud: 'x' }), 'assertion_audience', /^aud is/);
    await explained(assertion(key, clientId, app.issuer, { jti }), 'assertion_replay', /^jti has been used already/);
    const scoped = assertion(key, clientId, app.issuer);
    const refusedScope = await tokenByAssertion(app, scoped, { scope: 'not-held' });
    assert.equal(refusedScope.json.error, 'invalid_scope');
    await explained(scoped, 'assertion_replay', /^jti has been used already/);
    // An assertion that a stranger signed consumes no jti.
    const kept = randomUUID();
    await refused(assertion(clientKey('ES256'), clientId, app.issuer, { jti: kept }), 'assertion_signature');
    assert.equal((await tokenByAssertion(app, assertion(key, clientId, app.issuer, { jti: kept }))).status, 200);
  });

  test('applies the assertion audiences and the maximum lifetime of a credential to that credential only', async () => {
    const own = clientKey('ES256');
    const { clientId } = await account([own], {
      assertionAudiences: ['https://old.example/token'],
      assertionMaxTtl: 3600,
    });
    const now = Math.floor(Date.now() / 1000);
    for (const changes of [{ aud: 'https://old.example/token', exp: now + 3600 }, { exp: now + 3600 }]) {
      assert.equal((await tokenByAssertion(app, assertion(own, clientId, app.issuer, changes))).status, 200);
    }
    await explained(assertion(own, clientId, app.issuer, { exp: now + 3700 }), 'assertion_lifetime', /at most 3610/);
    const { clientId: other } = await account();
    await explained(assertion(key, other, 'https://old.example/token'), 'assertion_audience', /^aud is/);
  });

  test("takes the assertions of Mia's clients only at the path of those clients", async () => {
    const own = clientKey('RS256', 'miactl');
    const { clientId } = await account([{ ...own, jwk: { ...own.jwk, alg: 'RSA256', use: 'sig' } }]);
    const now = Math.floor(Date.now() / 1000);
    const value = (changes = {}): string =>
      assertion(
        own,
        clientId,
        'console-client-credentials',
        { exp: now + 3600, ...changes },
        { kid: 'miactl', typ: 'JWT' },
      );
    const parameters = { client_id: clientId, token_endpoint_auth_method: 'private_key_jwt' };
    const { status, json, text } = await tokenByAssertion(app, value(), parameters, '/api/m2m/oauth/token');
    assert.equal(status, 200, text);
    assert.equal(json.expires_in, 900);
    assert.equal((await tokenByAssertion(app, value(), parameters)).status, 401);
    assert.equal(
      (await tokenByAssertion(app, value({ exp: now + 3700 }), parameters, '/api/m2m/oauth/token')).status,
      401,
    );
    const short = assertion(own, clientId, app.issuer, { exp: now + 3600 }, { kid: 'miactl' });
    assert.equal((await tokenByAssertion(app, short, parameters, '/api/m2m/oauth/token')).status, 401);
  });

  test('C-02 answers a wrong assertion the same to the byte for accounts with a secret, with a key, and for no account', async () => {
    const withSecret = await account([], { secret: true });
    const withKey = await account();
    const stranger = clientKey('ES256');
    const replies = await Promise.all(
      [withSecret.clientId, withKey.clientId, 'sa_nobody'].map((clientId) =>
        tokenByAssertion(app, assertion(stranger, clientId, app.issuer)),
      ),
    );
    const shapes = replies.map(({ status, headers, json }) => {
      const names = [...headers.keys()].toSorted();
      return JSON.stringify([status, names, headers.get('content-length'), { ...json, request_id: '' }]);
    });
    assert.equal(new Set(shapes).size, 1, shapes.join('\n'));
  });
});
