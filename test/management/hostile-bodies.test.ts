import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { embedded } from '../support/databases.ts';
import { rawRequest } from '../support/raw-request.ts';
import { exchange } from '../support/raw-socket.ts';
import { useTestApp } from '../support/test-app.ts';

describe('a hostile body at the management API', () => {
  const app = useTestApp(embedded);

  async function send(body: string): Promise<{ status: number; code: string; errors: unknown[]; size: number }> {
    const { status, text } = await rawRequest(`${app.url}/api/service-accounts`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${await app.rootToken()}`, 'Content-Type': 'application/json' },
      body,
    });
    const { code, errors = [] } = JSON.parse(text);
    return { status, code, errors, size: text.length };
  }

  test('C-11 with too many levels, members or bytes is refused with a short answer and bounded memory', async () => {
    const levels = (count: number): string => '['.repeat(count) + ']'.repeat(count);
    const many = (item: (index: number) => string, count: number): string =>
      Array.from({ length: count }, (_, index) => item(index)).join(',');
    const cases: [string, string, number, string][] = [
      ['10,000 levels', '['.repeat(10_000) + ']'.repeat(10_000), 400, 'invalid_body'],
      ['100,000 levels that never end', '['.repeat(100_000), 400, 'invalid_body'],
      ['100,000 levels of objects', '{"a":'.repeat(40_000), 400, 'invalid_body'],
      [
        'levels in a key',
        `{"name":"x","publicKey":${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}}`,
        400,
        'invalid_body',
      ],
      ['5,000 levels of arrays in metadata', `{"name":"x","metadata":{"a":${levels(5000)}}}`, 400, 'invalid_body'],
      ['1,900 levels in metadata', `{"name":"x","metadata":{"a":${levels(1900)}}}`, 400, 'invalid_body'],
      ['one level more than allowed', `{"name":"x","metadata":{"a":${levels(31)}}}`, 400, 'invalid_body'],
      ['20,000 members', `{${many((index) => `"m${index}":1`, 20_000)}}`, 400, 'invalid_body'],
      ['1e308 as a name', '{"name":1e308}', 400, 'invalid_body'],
      ['1e999 as a name', '{"name":1e999}', 400, 'invalid_body'],
      ['a name of 200 KB', JSON.stringify({ name: 'x'.repeat(200_000) }), 422, 'invalid_body'],
      [
        '100,000 numbers for permissions',
        `{"name":"x","permissions":[${many(() => '1', 100_000)}]}`,
        400,
        'invalid_body',
      ],
      ['60,000 permissions', `{"name":"x","permissions":[${many(() => '"a"', 60_000)}]}`, 422, 'invalid_body'],
      ['more than 256 KB', JSON.stringify({ name: 'x'.repeat(300_000) }), 413, 'too_large'],
    ];
    const before = process.memoryUsage.rss();
    for (const [name, body, status, code] of cases) {
      const reply = await send(body);
      assert.equal(reply.status, status, name);
      assert.equal(reply.code, code, name);
      assert.ok(reply.errors.length <= 20, name);
      assert.ok(reply.size < 10_000, `${name}: ${reply.size}`);
    }
    assert.ok(process.memoryUsage.rss() - before < 200e6);
    assert.equal((await send('{"name":"still here"}')).status, 201);
  });

  test('is accepted with few levels, or with brackets inside a text', async () => {
    const name = '[{'.repeat(50);
    const { status } = await send(JSON.stringify({ name, metadata: { text: `\\"${name}` } }));
    assert.equal(status, 201);
    const deep = await send(`{"name":{"a":${'['.repeat(20)}${']'.repeat(20)}}}`);
    assert.equal(deep.status, 400);
    assert.equal((deep.errors[0] as { pointer: string }).pointer, '/name');
  });

  test('with text that the database cannot store is refused with a pointer to the text', async () => {
    for (const odd of ['\u0000', '\uD800', ' ', '']) {
      const credentials = [{ type: 'public_key', publicKey: 'x', assertionAudiences: [odd] }];
      const reply = await send(JSON.stringify({ name: 'x', credentials }));
      assert.equal(reply.status, 422, JSON.stringify(odd));
      assert.equal((reply.errors[0] as { pointer: string }).pointer, '/credentials/0/assertionAudiences/0');
    }
    const reply = await send('{"name":"x","credentials":[{"type":"password"}]}');
    assert.deepEqual(reply.errors, [
      {
        pointer: '/credentials/0/type',
        message: 'must be one of client_secret, public_key, federated, certificate, api_key',
      },
    ]);
  });

  test('that breaks off is logged as a refusal with 400, not as an error', async () => {
    const head = (path: string, type: string, authorization: string): string =>
      [
        `POST ${path} HTTP/1.1`,
        'Host: x',
        `Authorization: ${authorization}`,
        `Content-Type: ${type}`,
        'Content-Length: 50',
        '',
        '{"na',
      ].join('\r\n');
    for (const [path, type, event] of [
      ['/api/service-accounts', 'application/json', 'management.refused'],
      ['/oauth/token', 'application/x-www-form-urlencoded', 'token.refused'],
    ] as const) {
      const before = app.log().length;
      await exchange(app.url, [head(path, type, `Bearer ${await app.rootToken()}`)], 200);
      await new Promise((later) => setTimeout(later, 100));
      const lines = app.log().slice(before);
      assert.deepEqual(
        lines.map((line) => [line['event'], line['status'], line['level']]),
        [[event, 400, 'info']],
      );
    }
  });

  test('that arrives slowly is refused if its caller is disabled meanwhile', async () => {
    const { json: slow } = await app.api('POST', '/api/service-accounts', {
      name: 'Slow',
      permissions: ['writ.serviceaccounts.manage'],
    });
    const { json } = await app.token(slow);
    const body = JSON.stringify({ name: 'Too late' });
    const head = [
      'POST /api/service-accounts HTTP/1.1',
      'Host: x',
      `Authorization: Bearer ${json.access_token}`,
      'Content-Type: application/json',
      `Content-Length: ${body.length}`,
      'Connection: close',
      '',
      '',
    ].join('\r\n');
    async function* slowly(): AsyncGenerator<string> {
      yield head + body.slice(0, 5);
      await app.api('PATCH', `/api/service-accounts/${slow.clientId}`, { state: 'disabled' });
      yield body.slice(5);
    }
    const { text } = await exchange(app.url, slowly());
    assert.match(text, /^HTTP\/1\.1 401 /);
    assert.equal(await app.knex('service_accounts').where({ name: 'Too late' }).first(), undefined);
  });

  test('with two members of one name in an object, at any depth, is refused', async () => {
    for (const body of [
      '{"name":"x","name":"y"}',
      '{"name":"x","n\\u0061me":"y"}',
      '{"name":"x","metadata":{"a":1,"b":2,"a":3}}',
      '{"name":"x","permissions":[{"permission":"a","resource":"b","permission":"c"}]}',
      '{"name":"x","credentials":[{"type":"client_secret","name":"a","type":"api_key"}]}',
      '{"name":"x","credentials":[{"type":"public_key","publicKey":{"kty":"EC","x":"1","x":"1"}}]}',
    ]) {
      const reply = await send(body);
      assert.deepEqual([reply.status, reply.code], [400, 'invalid_body'], body);
      const line = app.log().findLast(({ event }) => event === 'management.refused');
      assert.match(String(line?.['detail']), /two members of one name/);
    }
    assert.equal(await app.knex('service_accounts').where({ name: 'x' }).first(), undefined);
    const { json } = await app.api('POST', '/api/service-accounts', { name: 'Once' });
    const { status } = await app.request(`/api/service-accounts/${json.clientId}`, {
      method: 'PATCH',
      headers: { Authorization: `Bearer ${await app.rootToken()}`, 'Content-Type': 'application/merge-patch+json' },
      body: '{"description":"a","description":"b"}',
    });
    assert.equal(status, 400);
    // The same name in two objects is allowed.
    assert.equal((await send('{"name":"Twice","metadata":{"name":"a"}}')).status, 201);
  });

  test('N-14 with the address of a JWKS is refused: there is no such member', async () => {
    for (const member of ['jwksUri', 'jwks_uri', 'jwks']) {
      const reply = await send(JSON.stringify({ name: 'x', [member]: `${app.url}/.well-known/jwks.json` }));
      assert.equal(reply.status, 400);
      assert.deepEqual(reply.errors, [{ pointer: `/${member}`, message: 'is not a member that is known here' }]);
    }
  });

  test('G-17 with control characters is logged in one line without these characters', async () => {
    const odd = 'a\r\nInjected: x\u2028\u001B[31m';
    const before = app.log().length;
    await send(JSON.stringify({ name: odd }));
    await send(JSON.stringify({ name: 'x', [odd]: 1 }));
    await send(JSON.stringify({ name: 'x', permissions: [odd] }));
    await app.api('GET', `/api/service-accounts/${encodeURIComponent(odd)}`);
    const refusals = app.log().slice(before);
    assert.deepEqual(
      refusals.map(({ event, status }) => [event, status]),
      [
        ['management.refused', 422],
        ['management.refused', 400],
        ['management.refused', 422],
        ['management.refused', 404],
      ],
    );
    // oxlint-disable-next-line no-control-regex -- it is what must not be there
    for (const line of refusals) assert.doesNotMatch(JSON.stringify(line), /[\u0000-\u001F\u2028]|\\u001b|\\r/);
  });
});
