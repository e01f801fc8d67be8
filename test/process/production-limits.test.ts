import assert from 'node:assert/strict';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { IncomingMessage, Server } from 'node:http';
import { before, describe, test } from 'node:test';
import { HTTP_LIMITS } from '../../src/http/http-server.ts';
import { GUESS_LIMITS } from '../../src/oauth/refusals/guess-limiter.ts';
import { registerAccount } from '../support/accounts.ts';
import { assertion, clientKey, lastRefusal, registerWithKeys, tokenByAssertion } from '../support/assertions.ts';
import { assertRefused, makeCompany } from '../support/companies.ts';
import { embedded } from '../support/databases.ts';
import { rawRequest } from '../support/raw-request.ts';
import { useTestApp } from '../support/test-app.ts';

/** A message on the channel `http.server.request.start`, as Node.js documents it. */
interface Start {
  readonly server: Server;
  readonly request: IncomingMessage;
}

function isStart(message: unknown): message is Start {
  return typeof message === 'object' && message !== null && 'server' in message && 'request' in message;
}

/** Other tests set shorter times and smaller numbers. These tests use the times and numbers of production. */
describe('the limits of a server in production', () => {
  const app = useTestApp(embedded);

  test('have these times, in milliseconds, and these numbers', () => {
    assert.deepEqual(HTTP_LIMITS, {
      headersTimeout: 10_000,
      requestTimeout: 20_000,
      keepAliveTimeout: 65_000,
      stallTimeout: 30_000,
      headerCount: 100,
      connections: {
        inFlight: 4,
        waiting: 512,
        waitingInAll: 8192,
        waitingWhenCrowded: 16,
        unreadBytes: 67_108_864,
      },
    });
    assert.deepEqual(GUESS_LIMITS, {
      pair: { burst: 20, interval: 3000 },
      source: { burst: 200, interval: 50 },
      everyone: { burst: 5000, interval: 2 },
      kept: 20_000,
    });
  });

  test('B-14 are set at the HTTP server', async () => {
    let server: Server | undefined;
    const seen = (message: unknown): void => {
      if (isStart(message) && message.request.url === '/health/live') ({ server } = message);
    };
    subscribe('http.server.request.start', seen);
    await app.request('/health/live');
    unsubscribe('http.server.request.start', seen);
    assert.ok(server !== undefined);
    const { headersTimeout, requestTimeout, keepAliveTimeout, timeout } = server;
    assert.deepEqual([headersTimeout, requestTimeout, keepAliveTimeout, timeout], [10_000, 20_000, 65_000, 30_000]);
  });

  test('allow 100 headers, of 16 KiB together', async () => {
    const get = async (headers: Record<string, string>): Promise<number> =>
      (await rawRequest(`${app.url}/health/live`, { headers })).status;
    const numbered = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, n) => [`X-${n}`, 'x']));
    // The request also has the headers Host and Connection.
    assert.equal(await get(numbered(98)), 200);
    assert.equal(await get(numbered(99)), 431);
    assert.equal(await get({ 'X-Long': 'x'.repeat(15 * 1024) }), 200);
    assert.equal(await get({ 'X-Long': 'x'.repeat(17 * 1024) }), 431);
  });

  test('allow bodies of 32 KiB where clients authenticate, and of 256 KiB at the management API', async () => {
    const client = await registerAccount(app);
    const form = (length: number): URLSearchParams => {
      const start = 'grant_type=client_credentials&pad=';
      return new URLSearchParams(start + 'x'.repeat(length - start.length));
    };
    const token = async (length: number): Promise<number> => {
      const body = form(length);
      assert.equal(body.toString().length, length);
      const headers = { Authorization: `Basic ${btoa(`${client.clientId}:${client.clientSecret}`)}` };
      return (await app.request('/oauth/token', { method: 'POST', headers, body })).status;
    };
    assert.equal(await token(32_768), 200);
    assert.equal(await token(32_769), 413);
    const register = (length: number) => {
      const start = JSON.stringify({ name: 'Padded' }).slice(0, -1);
      return app.request('/api/service-accounts', {
        method: 'POST',
        headers: { Authorization: `Bearer ${bearer}`, 'Content-Type': 'application/json' },
        body: `${start}${' '.repeat(length - start.length - 1)}}`,
      });
    };
    const bearer = await app.rootToken();
    assert.equal((await register(262_144)).status, 201);
    assertRefused(app, await register(262_145), 413, 'too_large');
  });

  test('allow assertions of 16,384 characters', async () => {
    const key = clientKey('ES256');
    const { clientId } = await registerWithKeys(app, 'Long', [key]);
    const padded = (pad: number): string => assertion(key, clientId, app.issuer, { pad: 'x'.repeat(pad) });
    // Three bytes are four characters of base64url.
    const room = Math.floor(((16_384 - padded(0).length) * 3) / 4) - 4;
    const fits = padded(room);
    assert.ok(fits.length <= 16_384 && fits.length > 16_370, String(fits.length));
    assert.equal((await tokenByAssertion(app, fits)).status, 200);
    const long = padded(room + 12);
    assert.ok(long.length > 16_384 && long.length < 16_400, String(long.length));
    assert.equal((await tokenByAssertion(app, long)).status, 401);
    assert.match(JSON.stringify(lastRefusal(app)), /assertion_malformed|16384/);
  });

  describe('for an account and its groups', () => {
    before(() => makeCompany(app, 'limited'));
    const COMPANY = '/api/companies/limited';

    test('allow 4096 bytes of metadata, and pages of 1000 accounts', async () => {
      const metadata = (bytes: number): object => {
        const members = Object.fromEntries(['a', 'b', 'c', 'd', 'e'].map((name) => [name, '']));
        let left = bytes - JSON.stringify(members).length;
        for (const name of Object.keys(members)) {
          members[name] = 'x'.repeat(Math.min(left, 1024));
          left -= members[name].length;
        }
        assert.equal(JSON.stringify(members).length, bytes);
        return members;
      };
      const register = (input: object) => app.api('POST', '/api/service-accounts', { name: 'Metadata', ...input });
      assert.equal((await register({ slug: 'm-1', metadata: metadata(4096) })).status, 201);
      assertRefused(app, await register({ slug: 'm-2', metadata: metadata(4097) }), 422, 'invalid_body');
      assert.equal((await app.api('GET', '/api/service-accounts?limit=1000')).status, 200);
      assertRefused(app, await app.api('GET', '/api/service-accounts?limit=1001'), 400, 'invalid_query');
    });

    test('allow an account 100 groups, and a group 1000 members', async () => {
      const names = (count: number, what: string) => Array.from({ length: count }, (_, n) => `${what}-${n}`);
      for (const groupId of names(101, 'group')) {
        const { status, text } = await app.api('POST', `${COMPANY}/groups`, { groupId, name: groupId });
        assert.equal(status, 201, text);
      }
      const accounts = `${COMPANY}/service-accounts`;
      const { json } = await app.api('POST', accounts, { name: 'Joins', groups: names(100, 'group') });
      const one = `${accounts}/${json.clientId}`;
      assertRefused(app, await app.api('PATCH', one, { groups: names(101, 'group') }), 422, 'invalid_body');
      const tooMany = { name: 'Too many', groups: names(101, 'group') };
      assertRefused(app, await app.api('POST', accounts, tooMany), 422, 'invalid_body');
      // The limit holds for every request by which an account joins a group.
      const groups = `${COMPANY}/groups`;
      for (const joining of [
        await app.api('PUT', `${groups}/group-100/members/${json.clientId}`),
        await app.api('POST', `${groups}/group-100/members`, { members: [json.clientId] }),
        await app.api('PATCH', `${groups}/group-100`, { members: [json.clientId] }),
        await app.api('POST', groups, { name: 'New', members: [json.clientId] }),
      ]) {
        assertRefused(app, joining, 422, 'limit_reached');
        assert.match(joining.json.detail, /An account is in at most 100 groups/);
      }
      await app.knex.raw(
        `insert into service_accounts (client_id, company_id, slug, name, state, created_at, updated_at)
         select 'sa_' || n, 'limited', 'many-' || n, 'Many', 'enabled', now(), now() from generate_series(1, 1001) as n`,
      );
      const members = (count: number) => Array.from({ length: count }, (_, n) => `sa_${n + 1}`);
      const group = `${COMPANY}/groups/group-100`;
      assertRefused(app, await app.api('PATCH', group, { members: members(1001) }), 422, 'invalid_body');
      assert.equal((await app.api('PATCH', group, { members: members(1000) })).status, 200);
      const oneMore = await app.api('PUT', `${group}/members/sa_1001`);
      assertRefused(app, oneMore, 422, 'limit_reached');
    });
  });
});
