import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import fc from 'fast-check';
import { decodeJwt } from 'jose';
import { HTTP_LIMITS } from '../../src/http/http-server.ts';
import { assertion, clientKey, lastRefusal, registerWithKeys, type TestAccount } from '../support/assertions.ts';
import { ROOT } from '../support/config.ts';
import { embedded, type TestDatabase } from '../support/databases.ts';
import { rawRequest, type RawReply } from '../support/raw-request.ts';
import { exchange } from '../support/raw-socket.ts';
import { startTestApp, type TestApp } from '../support/test-app.ts';

const FORM = 'application/x-www-form-urlencoded';
const basic = (id: string, secret: string): string => `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`;
const ROOT_BASIC = basic(ROOT.clientId, ROOT.clientSecret);

describe('the token endpoint over HTTP', () => {
  const key = clientKey('ES256');
  let database: TestDatabase;
  let app: TestApp;
  let account: TestAccount;
  before(async () => {
    database = await embedded.create();
    app = await startTestApp(
      database,
      { WRIT_TRUSTED_PROXIES: '127.0.0.2' },
      { httpLimits: { ...HTTP_LIMITS, headersTimeout: 700, requestTimeout: 1000, keepAliveTimeout: 5000 } },
    );
    account = await registerWithKeys(app, 'Both', [key], { secret: true });
  });
  after(async () => {
    await app.close();
    await database.drop();
  });

  async function post(
    body: string,
    headers: Record<string, string | string[]> = {},
    { method = 'POST', path = '/oauth/token' } = {},
  ): Promise<RawReply & { json: Record<string, string> }> {
    const reply = await rawRequest(app.url + path, {
      method,
      headers: { 'Content-Type': FORM, 'Content-Length': String(Buffer.byteLength(body)), ...headers },
      body,
    });
    const json = reply.text === '' ? {} : JSON.parse(reply.text);
    return { ...reply, json };
  }

  async function refused(
    reply: Promise<RawReply & { json: Record<string, string> }>,
    status: number,
    error: string,
    note = '',
  ) {
    const { status: actual, json, headers } = await reply;
    assert.equal(actual, status, `${note} ${JSON.stringify(json)}`);
    assert.equal(json['error'], error, note);
    assert.equal(json['message'], json['error_description'], note);
    assert.equal(json['request_id'], headers['x-request-id'], note);
    assert.equal(headers['cache-control'], 'no-store', note);
    assert.match(String(headers['content-type']), /^application\/json/, note);
  }

  const GRANT = 'grant_type=client_credentials';
  const authorization = ROOT_BASIC;
  const POST_AUTH = `client_id=${ROOT.clientId}&client_secret=${ROOT.clientSecret}`;
  const byAssertion = (): string =>
    `client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer&client_assertion=${assertion(key, account.clientId, app.issuer)}`;

  test('B-01 N-8 A-30 refuses a request with more than one client authentication method', async () => {
    const wrong = basic(ROOT.clientId, 'wrong');
    const cases: [string, Record<string, string>][] = [
      [`${GRANT}&${POST_AUTH}`, { authorization }],
      [`${GRANT}&${POST_AUTH}`, { authorization: wrong }],
      [`${GRANT}&client_id=${ROOT.clientId}&client_secret=wrong`, { authorization }],
      [`${GRANT}&${byAssertion()}`, { authorization }],
      [`${GRANT}&client_assertion=garbage`, { authorization }],
      [`${GRANT}&client_assertion_type=x&client_assertion=a.b.c`, { authorization }],
      [`${GRANT}&${POST_AUTH}&${byAssertion()}`, {}],
      [`${GRANT}&${POST_AUTH}&client_assertion=garbage`, {}],
      [`${GRANT}&${POST_AUTH}&${byAssertion()}`, { authorization }],
    ];
    for (const [body, headers] of cases) await refused(post(body, headers), 400, 'invalid_request', body);
  });

  test('B-01 takes jwt-bearer as the only client_assertion_type', async () => {
    const type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
    const send = (given: Record<string, string>) => {
      const value = assertion(key, account.clientId, app.issuer);
      return post(
        new URLSearchParams({ grant_type: 'client_credentials', client_assertion: value, ...given }).toString(),
      );
    };
    for (const other of ['', 'x', ` ${type}`, `${type}x`, type.toUpperCase(), type.replace('jwt', 'saml2')]) {
      const reply = send({ client_assertion_type: other });
      await refused(reply, 400, 'invalid_request', other);
      assert.match(String((await reply).json['error_description']), /client_assertion_type must be urn:/);
    }
    await refused(send({}), 400, 'invalid_request');
    assert.equal((await send({ client_assertion_type: type })).status, 200);
  });

  test('B-02 B-05 refuses OAuth parameters in the query, and logs no value of the query', async () => {
    for (const query of [
      '?client_secret=CANARY-1234',
      '?grant_type=client_credentials',
      `?${POST_AUTH}`,
      '?scope=a',
      '?x=y&scope=',
      '?client%5Fsecret=CANARY-1234',
      '?api-version=1&client_assertion=CANARY-1234',
      '?token=CANARY-1234',
      '?subject_token=CANARY-1234&x',
      '?resource',
      '?audience=a',
    ]) {
      await refused(
        post(query.includes('grant') ? '' : GRANT, { authorization }, { path: `/oauth/token${query}` }),
        400,
        'invalid_request',
        query,
      );
    }
    const { json } = await post(GRANT, { authorization }, { path: '/oauth/token?a=1&scope=x&client_secret=y&scope=z' });
    assert.equal(json['error_description'], 'parameters must be in the body, not in the query: scope, client_secret');
    assert.doesNotMatch(JSON.stringify(app.log()), /CANARY-1234/);
  });

  test('B-02 ignores foreign query parameters and a final slash, at every endpoint', async () => {
    for (const path of [
      '/oauth/token',
      '/oauth/token/',
      '/oauth/token?api-version=1',
      '/oauth/token/?x=y&=&%',
      '/oauth/token?',
      '/oauth/token?scopes=a&SCOPE=b&x.scope=c',
      '//oauth/token/',
      '/api/m2m/oauth/token/',
      '/api/m2m/oauth/token?tenant=x',
    ]) {
      assert.equal((await post(GRANT, { authorization }, { path })).status, 200, path);
    }
    for (const path of ['/oauth/introspect/', '/oauth/revoke/?x=y', '/oauth/introspect?api-version=1']) {
      assert.equal((await post('token=x', { authorization }, { path })).status, 200, path);
    }
    for (const path of [
      '/.well-known/jwks.json/',
      '/oauth/status-lists/',
      '/.well-known/oauth-authorization-server/',
    ]) {
      assert.equal((await rawRequest(`${app.url}${path}`)).status, 200, path);
    }
    const noted = await post(GRANT, { authorization: basic('x', 'y') }, { path: '/oauth/token?pw=CANARY-5678' });
    assert.equal(noted.status, 401);
    assert.doesNotMatch(JSON.stringify(app.log()), /CANARY-5678/);
  });

  test('B-12 answers every other path below /oauth with 404 in the form of an OAuth error', async () => {
    for (const path of [
      '/oauth',
      '/oauth/',
      '/oauth/tokens',
      '/oauth/token//',
      '/oauth/token/x',
      '/oauth/status-lists/x',
      '/oauth/Token',
      '/oauth/%74oken',
      '/oauth/..%2ftoken',
      '/oauth/userinfo?client_secret=CANARY-9012',
    ]) {
      for (const method of ['GET', 'POST', 'PUT', 'OPTIONS']) {
        await refused(post('', {}, { method, path }), 404, 'invalid_request', `${method} ${path}`);
      }
    }
    assert.doesNotMatch(JSON.stringify(app.log()), /CANARY-9012/);
    for (const path of ['/oauthx', '/oauth2/token']) {
      const { status, json } = await post('', {}, { path });
      assert.deepEqual([status, json['code']], [404, 'not_found']);
    }
  });

  test('B-03 takes a secret in the body, and answers a wrong secret as with every other method', async () => {
    assert.equal((await post(`${GRANT}&${POST_AUTH}`)).status, 200);
    await refused(post(`${GRANT}&client_id=${ROOT.clientId}&client_secret=wrong`), 401, 'invalid_client');
    assert.equal(lastRefusal(app)['reason'], 'secret_wrong');
    await refused(post(`${GRANT}&client_secret=wrong`), 400, 'invalid_request');
    await refused(post(`${GRANT}&client_id=${ROOT.clientId}`), 401, 'invalid_client');
    assert.equal(lastRefusal(app)['reason'], 'no_client_authentication');
    await refused(post(GRANT), 401, 'invalid_client');
  });

  test('B-04 refuses every parameter that comes twice, known or unknown', async () => {
    for (const name of [
      'grant_type',
      'scope',
      'resource',
      'audience',
      'client_id',
      'client_assertion',
      'unknown',
      'a b',
      '__proto__',
    ]) {
      const encoded = encodeURIComponent(name);
      await refused(post(`${GRANT}&${encoded}=x&${encoded}=x`, { authorization }), 400, 'invalid_request', name);
      await refused(post(`${GRANT}&${encoded}=&${encoded}=x`, { authorization }), 400, 'invalid_request', name);
    }
    await refused(post(`grant_type=&${GRANT}`, { authorization }), 400, 'invalid_request');
    const many = Array.from({ length: 3000 }, (_, index) => `p${index}=1`).join('&');
    await refused(post(`${GRANT}&${many}&p2999=1`, { authorization }), 400, 'invalid_request');
  });

  test('B-04 ignores unknown parameters and parameters without a value', async () => {
    for (const extra of [
      'scope[]=b',
      'a.b=c',
      'SCOPE=b',
      'scope=',
      'x',
      '=y',
      'constructor=1',
      '__proto__=1',
      'hasOwnProperty=1',
    ]) {
      assert.equal((await post(`${GRANT}&${extra}`, { authorization })).status, 200, extra);
    }
  });

  test('B-06 refuses every content type except a form for a client_credentials request', async () => {
    for (const type of [
      'multipart/form-data; boundary=x',
      'text/plain',
      '',
      `${FORM}x`,
      `${FORM}, application/json`,
      `text/html, ${FORM}`,
      `text/html; ${FORM}`,
      'application/x-www-form-urlencoded2',
      ';',
    ]) {
      await refused(post(GRANT, { authorization, 'Content-Type': type }), 415, 'invalid_request', type);
    }
    const json = { authorization, 'Content-Type': 'application/json' };
    await refused(post(GRANT, json), 400, 'invalid_request');
    await refused(post('{"grant_type":"client_credentials"}', json), 415, 'invalid_request');
    await refused(post(GRANT, { authorization, 'Content-Type': [FORM, 'application/json'] }), 400, 'invalid_request');
  });

  test('B-06 refuses a compressed body', async () => {
    for (const encoding of ['gzip', 'br', 'deflate', 'x']) {
      await refused(post(GRANT, { authorization, 'Content-Encoding': encoding }), 415, 'invalid_request', encoding);
    }
  });

  test('B-06 takes a form with any parameters of its content type', async () => {
    const long = Array.from({ length: 200 }, (_, index) => `p${index}=1`).join('; ');
    for (const type of [
      `${FORM};charset=UTF-8`,
      `${FORM}; charset="utf-8"`,
      FORM.toUpperCase(),
      `${FORM}; charset=ISO-8859-1`,
      `${FORM} ; Charset=us-ascii`,
      `${FORM}; charset=utf-16le; boundary=x`,
      `${FORM};`,
      `${FORM}; charset`,
      `${FORM}; charset="bo;gus`,
      `${FORM}; ${long}`,
    ]) {
      assert.equal((await post(GRANT, { authorization, 'Content-Type': type })).status, 200, type);
    }
  });

  test('B-06 reads a token exchange in JSON with a foreign charset, and answers 400 because it is incomplete', async () => {
    const exchange = '{"grant_type":"urn:ietf:params:oauth:grant-type:token-exchange"}';
    await refused(post(exchange, { 'Content-Type': 'application/json; charset=ISO-8859-1' }), 400, 'invalid_request');
  });

  test('B-07 reads Basic credentials as clients write them, raw and form-encoded', async () => {
    const { clientId, clientSecret } = account;
    const encoded = (text: string): string => encodeURIComponent(text).replaceAll('_', '%5F').replaceAll('-', '%2D');
    for (const value of [
      basic(clientId, clientSecret),
      basic(encoded(clientId), encoded(clientSecret)),
      basic(clientId, clientSecret).replace('Basic', 'basic'),
      basic(clientId, clientSecret).replaceAll('=', ''),
    ]) {
      assert.equal((await post(GRANT, { authorization: value })).status, 200, value);
    }
  });

  const raw = (text: string | Buffer): string => `Basic ${Buffer.from(text).toString('base64')}`;

  test('B-07 refuses malformed Basic credentials', async () => {
    const { clientId, clientSecret } = account;
    for (const value of [
      raw(clientId),
      raw(`${clientId}:`),
      raw(':'),
      raw(''),
      raw(`${clientId}:${clientSecret}%`),
      raw(`${clientId}:%ZZ`),
      raw(`${clientId}:${clientSecret}%00`),
      raw(`${clientId}:${clientSecret}\0`),
      raw(Buffer.from([0xc0, 0x80, 0x3a, 0x61])),
      raw(`${clientId}:${clientSecret}%C0%80`),
      'Basic',
      'Basic ',
      'Basic !!!',
      `Basic\t${raw('a:b').slice(6)}`,
      `Basic  ${raw('a:b').slice(6)}`,
      `${basic(clientId, clientSecret)} x`,
      `Bearer ${raw('a:b').slice(6)}`,
      `Digest username="${clientId}"`,
    ]) {
      const { status, json } = await post(GRANT, { authorization: value });
      assert.ok(status === 400 || status === 401, `${value} ${status}`);
      assert.ok(json['error'] === 'invalid_request' || json['error'] === 'invalid_client');
    }
    const long = await post(GRANT, { authorization: raw(`${clientId}:${'x'.repeat(6000)}`) });
    assert.equal(long.status, 401);
    const plus = await post(GRANT, { authorization: raw(`${clientId}:${clientSecret}+`) });
    assert.equal(plus.status, 401);
  });

  test('B-07 gives the uniform refusal for Basic credentials with a line break, and logs them as mistyped', async () => {
    const { clientId, clientSecret } = account;
    for (const value of [
      raw(`${clientId}:${clientSecret}\n`),
      raw(`${clientId}:${clientSecret}%0A`),
      raw(`${clientId}\n:x`),
    ]) {
      await refused(post(GRANT, { authorization: value }), 401, 'invalid_client', value);
      assert.equal(lastRefusal(app)['reason'], 'secret_mistyped');
    }
  });

  test('B-07 answers any other Basic credentials with 400 or 401', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(fc.string({ unit: 'binary', maxLength: 200 }), fc.string({ maxLength: 100 })),
        fc.string({ unit: 'binary', maxLength: 100 }),
        async (id, secret) => {
          const { status } = await post(GRANT, { authorization: basic(id, secret) });
          assert.ok(status === 400 || status === 401, `${status}`);
        },
      ),
      { numRuns: 150 },
    );
  });

  test('B-04 B-05 answers any form with 200, 400 or 401', async () => {
    const name = fc.oneof(
      fc.constantFrom('grant_type', 'scope', 'resource', 'audience', 'client_id', 'client_secret', 'client_assertion'),
      fc.string({ unit: 'binary', maxLength: 20 }),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(name, fc.string({ unit: 'binary', maxLength: 60 })), { maxLength: 8 }),
        fc.boolean(),
        async (pairs, encoded) => {
          const body = encoded
            ? new URLSearchParams(pairs.map(([one, two]) => [one.toWellFormed(), two.toWellFormed()])).toString()
            : pairs
                .map(([one, two]) => `${one}=${two}`)
                .join('&')
                .toWellFormed();
          const { status, json } = await post(body, { authorization });
          assert.ok(status === 400 || status === 401 || status === 200, `${status} ${body}`);
          assert.ok(status === 200 || typeof json['error'] === 'string');
        },
      ),
      { numRuns: 200 },
    );
  });

  test('B-08 N-9 refuses two Authorization headers, and two credentials in one header', async () => {
    const lines = (headers: string[]): string =>
      [
        `POST /oauth/token HTTP/1.1`,
        'Host: x',
        `Content-Type: ${FORM}`,
        `Content-Length: ${GRANT.length}`,
        'Connection: close',
        ...headers,
        '',
        GRANT,
      ].join('\r\n');
    for (const headers of [
      [`Authorization: ${ROOT_BASIC}`, `Authorization: ${ROOT_BASIC}`],
      [`Authorization: ${ROOT_BASIC}`, `authorization: ${basic('a', 'b')}`],
      [`AUTHORIZATION: ${basic('a', 'b')}`, `Authorization: ${ROOT_BASIC}`],
      [`Authorization: ${ROOT_BASIC}, ${ROOT_BASIC}`],
      [`Authorization: ${ROOT_BASIC}, Bearer x`],
    ]) {
      const { text } = await exchange(app.url, [lines(headers)]);
      assert.match(text, /^HTTP\/1\.1 400 /, headers.join(' '));
      assert.match(text, /"error":"invalid_request"/);
    }
    assert.match((await exchange(app.url, [lines([`Authorization: ${ROOT_BASIC}`])])).text, /^HTTP\/1\.1 200 /);
  });

  test('B-09 answers unsupported_grant_type to every other grant type of an authenticated client', async () => {
    for (const grant of [
      'password',
      'implicit',
      'authorization_code',
      'refresh_token',
      'urn:ietf:params:oauth:grant-type:device_code',
      'Client_Credentials',
      'client_credentials ',
      '__proto__',
    ]) {
      await refused(
        post(`grant_type=${encodeURIComponent(grant)}`, { authorization }),
        400,
        'unsupported_grant_type',
        grant,
      );
      // An unauthenticated client learns nothing about the grant type.
      await refused(
        post(`grant_type=${encodeURIComponent(grant)}`, { authorization: basic('sa_nobody', 'x') }),
        401,
        'invalid_client',
        grant,
      );
    }
    await refused(post('', { authorization }), 400, 'invalid_request');
  });

  test('B-10 refuses a scope that is not held, also a very long one', async () => {
    for (const scope of [
      '*',
      'not-held',
      'x'.repeat(30_000),
      Array.from({ length: 4000 }, (_, index) => `s${index}`).join(' '),
    ]) {
      await refused(
        post(`${GRANT}&scope=${encodeURIComponent(scope)}`, { authorization }),
        400,
        'invalid_scope',
        scope.slice(0, 20),
      );
    }
  });

  const view = 'writ.serviceaccounts.view';

  test('B-10 refuses a scope with an invalid character, and names the scope-token', async () => {
    for (const [scope, named] of [
      ['a\tb', 'a?b'],
      ['\t', '?'],
      ['a"b', 'a?b'],
      ['a\\b', 'a?b'],
      ['é', '?'],
      ['a\0b', 'a?b'],
      [`${view}\n`, `${view}?`],
      [`${view} x\u00a0y z`, 'x?y'],
      [`${view}\u2003`, `${view}?`],
      ['é'.repeat(5000), `${'?'.repeat(100)}...`],
    ] as const) {
      const reply = post(`${GRANT}&scope=${encodeURIComponent(scope)}`, { authorization });
      await refused(reply, 400, 'invalid_scope', JSON.stringify(scope));
      const { error_description: description } = (await reply).json;
      assert.equal(description, `'${named}' has a character that no scope-token may have`, JSON.stringify(scope));
    }
    // An unauthenticated client learns nothing about the scope.
    await refused(post(`${GRANT}&scope=%22`, { authorization: basic('sa_nobody', 'x') }), 401, 'invalid_client');
  });

  test('B-10 ignores further blanks and repetitions in a scope', async () => {
    for (const scope of [` ${view}`, `${view} `, `   ${view}   ${view} `, `${view}  writ.companies.view`]) {
      const { status, json } = await post(`${GRANT}&scope=${scope.replaceAll(' ', '+')}`, { authorization });
      assert.equal(status, 200, JSON.stringify(json));
      assert.deepEqual(new Set(json['scope']?.split(' ')), new Set(scope.split(' ').filter((one) => one !== '')));
    }
    const all = (await post(GRANT, { authorization })).json['scope'];
    for (const scope of ['', '+', '%20+%20']) {
      assert.equal((await post(`${GRANT}&scope=${scope}`, { authorization })).json['scope'], all, scope);
    }
    await refused(post(`${GRANT}&scope=a++b+`, { authorization }), 400, 'invalid_scope');
    const twice = 'writ.serviceaccounts.view writ.serviceaccounts.view';
    const { json } = await post(`${GRANT}&scope=${encodeURIComponent(twice)}`, { authorization });
    assert.equal(json['scope'], 'writ.serviceaccounts.view');
  });

  test('B-10 issues a token with exactly the requested scope if all of it is held, and refuses every other scope', async () => {
    const held = ['writ.permissions.grant', 'writ.serviceaccounts.manage', 'writ.serviceaccounts.view'];
    const token = fc.oneof(fc.constantFrom(...held), fc.stringMatching(/^[\x21\x23-\x5B\x5D-\x7E]{1,10}$/));
    await fc.assert(
      fc.asyncProperty(fc.array(token, { minLength: 1, maxLength: 6 }), async (tokens) => {
        const { status, json } = await post(`${GRANT}&scope=${encodeURIComponent(tokens.join(' '))}`, {
          authorization,
        });
        if (tokens.every((one) => held.includes(one))) {
          assert.equal(status, 200);
          assert.equal(json['scope'], held.filter((one) => tokens.includes(one)).join(' '));
        } else {
          assert.equal(status, 400);
          assert.equal(json['error'], 'invalid_scope');
        }
      }),
      { numRuns: 100 },
    );
  });

  test('B-11 refuses an unknown resource or audience with invalid_target', async () => {
    for (const resource of [
      'api://company/api',
      'https://api.example#x',
      'javascript:alert(1)',
      app.issuer,
      `${app.issuer}/api/x`,
      `${app.issuer}/api#`,
      `${app.issuer}/API`,
      'x'.repeat(5000),
      '[]',
      'null',
    ]) {
      for (const name of ['resource', 'audience']) {
        await refused(
          post(`${GRANT}&${name}=${encodeURIComponent(resource)}`, { authorization }),
          400,
          'invalid_target',
          resource.slice(0, 40),
        );
      }
    }
  });

  test('B-12 N-13 answers every method except POST with 405', async () => {
    for (const method of ['GET', 'HEAD', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE']) {
      const { status, headers, text } = await rawRequest(`${app.url}/oauth/token`, {
        method,
        headers: { 'X-HTTP-Method-Override': 'POST', Authorization: ROOT_BASIC },
      });
      assert.equal(status, 405, method);
      assert.equal(headers['allow'], 'POST');
      if (method !== 'HEAD') assert.equal(JSON.parse(text).error, 'invalid_request');
    }
    const override = await rawRequest(`${app.url}/oauth/token`, {
      method: 'GET',
      headers: { 'X-HTTP-Method': 'POST' },
    });
    assert.equal(override.status, 405);
  });

  test('B-13 N-13 refuses oversized, incomplete and malformed requests, and closes the connection', async () => {
    const head = (headers: string[]): string =>
      [
        'POST /oauth/token HTTP/1.1',
        'Host: x',
        `Authorization: ${ROOT_BASIC}`,
        `Content-Type: ${FORM}`,
        ...headers,
        '',
        '',
      ].join('\r\n');
    const before = process.memoryUsage.rss();
    function* endless(): Generator<string> {
      yield head(['Transfer-Encoding: chunked']);
      for (let index = 0; index < 200; index += 1) yield `10000\r\n${'x'.repeat(65_536)}\r\n`;
    }
    const cases: [string, Iterable<string>, number][] = [
      ['57 KB', [head([`Content-Length: ${57 * 1024}`]), 'x'.repeat(57 * 1024)], 413],
      ['10 MB said', [head([`Content-Length: ${10 * 1024 * 1024}`])], 413],
      ['an endless body', endless(), 413],
      ['less than it says', [head([`Content-Length: 100`]), 'x'], 408],
      ['no end of the headers', ['POST /oauth/token HTTP/1.1\r\nHost: x\r\n'], 408],
      ['200 headers', [head(Array.from({ length: 200 }, (_, index) => `X-${index}: 1`))], 431],
      ['5000 headers', [head(Array.from({ length: 4000 }, () => 'a: '))], 431],
      ['100 KB header line', [head([`X: ${'x'.repeat(100_000)}`])], 431],
      ['no HTTP', ['\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'], 400],
      ['two lengths', [head(['Content-Length: 1', 'Content-Length: 2']), 'x'], 400],
      ['length and chunks', [head(['Content-Length: 1', 'Transfer-Encoding: chunked']), '0\r\n\r\n'], 400],
      ['a bare line feed', [`POST /oauth/token HTTP/1.1\nHost: x\n\n`], 400],
      ['an odd expectation', [head(['Expect: miracles', 'Content-Length: 0'])], 417],
    ];
    for (const [name, parts, status] of cases) {
      const { text, closed } = await exchange(app.url, parts, 4000);
      assert.match(text, new RegExp(`^HTTP/1\\.1 ${status} `), `${name}: ${text.slice(0, 200)}`);
      assert.ok(closed, name);
      const body = JSON.parse(text.slice(text.indexOf('\r\n\r\n') + 4));
      assert.equal(body.error, 'invalid_request', name);
      assert.match(text, new RegExp(`X-Request-Id: ${body.request_id}`, 'i'), name);
    }
    assert.ok(process.memoryUsage.rss() - before < 150e6);
    assert.equal((await post(GRANT, { authorization })).status, 200);
  });

  test('B-16 ignores forwarding headers from an address that is not a trusted proxy', async () => {
    const sources: string[] = [];
    for (const forwarded of ['1.2.3.4', '1.2.3.4, 5.6.7.8', 'evil', '']) {
      await post(GRANT, {
        authorization: basic('x', 'y'),
        'X-Forwarded-For': forwarded,
        'X-Real-IP': '9.9.9.9',
        Forwarded: 'for=9.9.9.9',
      });
      sources.push(String(lastRefusal(app)['source']));
    }
    assert.deepEqual(sources, ['127.0.0.1', '127.0.0.1', '127.0.0.1', '127.0.0.1']);
  });

  test('B-18 B-20 answers with a fixed set of headers, without a banner', async () => {
    const { headers: ok } = await post(GRANT, { authorization });
    assert.deepEqual(Object.keys(ok).toSorted(), [
      'cache-control',
      'connection',
      'content-length',
      'content-type',
      'date',
      'pragma',
      'x-content-type-options',
      'x-request-id',
    ]);
    const { headers: refusal } = await post(GRANT);
    assert.deepEqual(Object.keys(refusal).toSorted(), [
      'cache-control',
      'connection',
      'content-length',
      'content-type',
      'date',
      'pragma',
      'www-authenticate',
      'x-content-type-options',
      'x-request-id',
    ]);
  });

  test('B-19 N-6 answers the same with and without an Origin', async () => {
    for (const [id, secret] of [
      [ROOT.clientId, ROOT.clientSecret],
      [ROOT.clientId, 'wrong'],
      ['sa_nobody', 'wrong'],
    ] as const) {
      const shapes = await Promise.all(
        [{}, { Origin: 'https://evil.example' }, { Origin: 'null' }].map(async (origin) => {
          const { status, headers } = await post(GRANT, { authorization: basic(id, secret), ...origin });
          return JSON.stringify([status, Object.keys(headers).toSorted()]);
        }),
      );
      assert.equal(new Set(shapes).size, 1);
      assert.doesNotMatch(String(shapes[0]), /access-control/);
    }
  });

  test('B-22 N-7 answers JSON for every Accept header, and reflects no script', async () => {
    const script = '<script>alert(1)</script>';
    const encoded = encodeURIComponent(script);
    for (const body of [
      `grant_type=${encoded}`,
      `${GRANT}&scope=${encoded}`,
      `${GRANT}&resource=${encoded}`,
      `${GRANT}&client_id=${encoded}`,
      `${GRANT}&client_assertion=${encoded}`,
    ]) {
      for (const headers of [{ authorization }, {}] as Record<string, string>[]) {
        const { headers: answered, text } = await post(body, { ...headers, Accept: 'text/html,application/xhtml+xml' });
        assert.match(String(answered['content-type']), /^application\/json/);
        assert.doesNotMatch(text, /<script>alert\(1\)<\/script>(?![^"]*")/);
      }
    }
  });

  test('B-23 answers each of 300 pipelined requests with the token of its own client', async () => {
    const accounts = await Promise.all(
      ['One', 'Two', 'Three'].map((name) => registerWithKeys(app, `Piped ${name}`, [], { secret: true })),
    );
    const requests = Array.from({ length: 300 }, (_, index) => {
      const { clientId, clientSecret } = accounts[index % 3] ?? account;
      const last = index === 299 ? 'Connection: close\r\n' : '';
      return `POST /oauth/token HTTP/1.1\r\nHost: x\r\nX-Request-Id: piped-${index}\r\nAuthorization: ${basic(clientId, clientSecret)}\r\nContent-Type: ${FORM}\r\nContent-Length: ${GRANT.length}\r\n${last}\r\n${GRANT}`;
    });
    const { text } = await exchange(app.url, [requests.join('')], 20_000);
    const answers = [...text.matchAll(/X-Request-Id: piped-(\d+)\r\n[^{]*(\{[^}]*\})/gi)];
    assert.equal(answers.length, 300);
    for (const [, index, body] of answers) {
      const { sub } = decodeJwt(JSON.parse(String(body)).access_token);
      assert.equal(sub, accounts[Number(index) % 3]?.clientId);
    }
  });

  test('G-17 writes one log line for each refusal, also with line breaks in its values', async () => {
    const odd = 'a\r\nInjected: x\u2028\u2029\u001b[31m"\\';
    const before = app.log().length;
    await post(`grant_type=${encodeURIComponent(odd)}&scope=${encodeURIComponent(odd)}`, {
      authorization: basic(odd, odd),
    });
    await post(GRANT, { authorization: basic('sa_x', odd), 'X-Request-Id': 'a b' });
    await post(`${GRANT}&client_id=${encodeURIComponent(odd)}&client_secret=x`);
    const lines = app.log().slice(before);
    assert.equal(lines.length, 3);
    for (const line of lines) {
      assert.equal(line['event'], 'token.refused');
      assert.match(String(line['requestId']), /^[\w-]{36}$/);
    }
  });

  test('keeps a valid request id of the caller, and replaces an invalid one', async () => {
    const own = await post(GRANT, { authorization, 'X-Request-Id': 'trace:1/2=3' });
    assert.equal(own.headers['x-request-id'], 'trace:1/2=3');
    for (const id of ['', 'a b', 'x'.repeat(129), 'é', '"']) {
      const { headers } = await post(GRANT, { authorization, 'X-Request-Id': id });
      assert.match(String(headers['x-request-id']), /^[0-9a-f-]{36}$/);
    }
  });
});
