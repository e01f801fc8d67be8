import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { GUESS_LIMITS } from '../../src/oauth/refusals/guess-limiter.ts';
import type { Reply } from '../support/api-contract.ts';
import { clientKey, jws } from '../support/assertions.ts';
import { ROOT } from '../support/config.ts';
import { postgres18 } from '../support/databases.ts';
import { useTestApp } from '../support/test-app.ts';

const { source } = GUESS_LIMITS;
const CLIENT_KEY = 'a-client-key-of-the-tests-0123456789';

describe('failed authentications at the management API', () => {
  let now = 0;
  const guessing = { limits: GUESS_LIMITS, now: () => now };
  const app = useTestApp(
    postgres18,
    { WRIT_TRUSTED_PROXIES: '127.0.0.1', WRIT_CLIENT_KEYS: CLIENT_KEY },
    { guessing, activityPause: 3_600_000 },
  );
  // An hour passes: all earlier failures are forgiven.
  beforeEach(() => {
    now += 3_600_000;
  });

  function call(from: string, bearer: string | undefined, headers: Record<string, string> = {}): Promise<Reply> {
    return app.request('/api/self', {
      headers: {
        'X-Forwarded-For': from,
        'X-Request-Id': 'the-same',
        'Client-key': CLIENT_KEY,
        ...(bearer !== undefined && { Authorization: `Bearer ${bearer}` }),
        ...headers,
      },
    });
  }

  const rootToken = async (): Promise<string> => (await app.token(ROOT)).json.access_token;

  /** Everything by which a caller can tell two answers apart. */
  const seen = ({ status, text, headers }: Reply): unknown => [
    status,
    text,
    [...headers].filter(([name]) => name !== 'date').toSorted(),
  ];

  test('are answered with 429 and Retry-After beyond a limit, and logged with one line a minute', async () => {
    const from = '198.51.100.1';
    for (let index = 0; index < source.burst; index += 1) assert.equal((await call(from, 'rubbish')).status, 401);
    const lines = app.log().length;
    for (let index = 0; index < 50; index += 1) {
      const { status, headers, json } = await call(from, 'rubbish');
      assert.equal(status, 429);
      assert.equal(headers.get('retry-after'), '1');
      assert.equal(headers.get('content-type'), 'application/problem+json');
      assert.deepEqual([json.code, json.status, json.requestId], ['too_many_requests', 429, 'the-same']);
    }
    const added = app.log().slice(lines);
    assert.deepEqual(
      added.map(({ event, face, source: prefix, requestId }) => [event, face, prefix, requestId]),
      [['guessing.limited', 'management', from, 'the-same']],
    );
    // One more failure passes after the interval. Another source is not limited.
    now += source.interval;
    assert.deepEqual([(await call(from, 'rubbish')).status, (await call(from, 'rubbish')).status], [401, 429]);
    assert.equal((await call('198.51.100.2', 'rubbish')).status, 401);
    now += 60_000;
    for (let index = 0; index <= source.burst; index += 1) await call(from, 'rubbish');
    assert.equal(app.log().filter(({ event }) => event === 'guessing.limited').length, 2);
  });

  test('are all counted and answered alike, and never keep out a caller with a valid token', async () => {
    const from = '198.51.100.3';
    const good = await rootToken();
    const [header = '', payload = '', signature = ''] = good.split('.');
    const { kid } = JSON.parse(Buffer.from(header, 'base64url').toString());
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString());
    const authorization = { Authorization: `Bearer ${good}`, 'Client-key': CLIENT_KEY };
    const made = await app.request('/api/service-accounts', {
      method: 'POST',
      headers: { ...authorization, 'Content-Type': 'application/json' },
      body: JSON.stringify({ name: 'Dead soon' }),
    });
    const dead = (await app.token(made.json, { resource: `${app.issuer}/api` })).json.access_token;
    const elsewhere = (await app.token(made.json)).json.access_token;
    await app.request(`/api/service-accounts/${made.json.clientId}`, { method: 'DELETE', headers: authorization });
    const ways: Record<string, () => Promise<Reply>> = {
      rubbish: () => call(from, 'rubbish'),
      nothing: () => call(from, undefined),
      'another scheme': () => call(from, undefined, { Authorization: `Basic ${btoa('a:b')}` }),
      'a changed signature': () => call(from, `${header}.${payload}.${signature.slice(0, -4)}AAAA`),
      'a forged one': () => call(from, jws(clientKey('ES256'), { alg: 'ES256', typ: 'at+jwt', kid }, claims)),
      'a dead one': () => call(from, dead),
      'one for another API': () => call(from, elsewhere),
      'a wrong Client-key': () => call(from, good, { 'Client-key': 'wrong' }),
      'a wrong Client-key at a public document': () =>
        app.request('/api/version', {
          headers: { 'X-Forwarded-For': from, 'X-Request-Id': 'the-same', 'Client-key': 'wrong' },
        }),
    };
    for (const [name, way] of Object.entries(ways)) assert.equal((await way()).status, 401, name);
    const names = Object.keys(ways);
    for (let index = names.length; index < source.burst; index += 1) {
      assert.equal((await ways[names[index % names.length] ?? '']?.())?.status, 401);
    }
    const answers = new Set<string>();
    for (const [name, way] of Object.entries(ways)) {
      const reply = await way();
      assert.equal(reply.status, 429, name);
      answers.add(JSON.stringify(seen(reply)));
      // A caller with a valid token is served by every call.
      assert.equal((await call(from, good)).status, 200, name);
    }
    assert.equal(answers.size, 1);
    // The failures do not count at the token endpoint.
    const token = await app.request('/oauth/token', {
      method: 'POST',
      headers: { 'X-Forwarded-For': from, Authorization: `Basic ${btoa('sa_unknown_here:x')}` },
      body: new URLSearchParams({ grant_type: 'client_credentials' }),
    });
    assert.equal(token.status, 401);
  });

  test('are described with 429 for every operation that takes a token', async () => {
    const { json } = await app.request('/api/openapi.json', { headers: { 'Client-key': CLIENT_KEY } });
    for (const [path, operations] of Object.entries<Record<string, { security: unknown[]; responses: object }>>(
      json.paths,
    )) {
      for (const [method, { security, responses }] of Object.entries(operations)) {
        assert.equal('429' in responses, security.length > 0, `${method} ${path}`);
      }
    }
    assert.ok(json.components.schemas.Problem.properties.code.enum.includes('too_many_requests'));
  });
});
