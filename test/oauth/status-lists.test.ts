import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose';
import { type RegisteredAccount, registerAccount } from '../support/accounts.ts';
import { assertion, clientKey, registerWithKeys, tokenByAssertion } from '../support/assertions.ts';
import { makeCompany } from '../support/companies.ts';
import { onEachDatabase, postgres18, type TestDatabase } from '../support/databases.ts';
import { eventually } from '../support/eventually.ts';
import { quietSurroundings } from '../support/config.ts';
import { bitOf, isRevokedBy, startLists, statusOf, untilListed } from '../support/status-lists.ts';
import { rawRequest } from '../support/raw-request.ts';
import { startTestApp, type TestApp, useTestApp } from '../support/test-app.ts';
import type { StatusLists } from '../../src/oauth/status-lists.ts';

const ISSUER = 'https://id.example';

onEachDatabase('status lists', (kind) => {
  const app = useTestApp(kind, { WRIT_ISSUER: ISSUER });

  const account = (name: string, path?: string): Promise<RegisteredAccount> => registerAccount(app, { name }, path);

  async function tokenStatus(caller: { clientId: string; clientSecret: string }) {
    const { json, text } = await app.token(caller);
    assert.ok(json.access_token, text);
    return statusOf(json.access_token);
  }

  test('are signed by a key of the JWKS, and may be cached, revalidated and compressed', async () => {
    const status = await tokenStatus(await account('Listed'));
    assert.equal(status.uri, `${ISSUER}/oauth/status-lists/0`);
    await untilListed(app, status, false);
    const reply = await app.request('/oauth/status-lists/0');
    assert.equal(reply.headers.get('content-type'), 'application/statuslist+jwt');
    const keys = createRemoteJWKSet(new URL(`${app.url}/.well-known/jwks.json`));
    const { payload } = await jwtVerify(reply.text, keys, { typ: 'statuslist+jwt', subject: status.uri });
    assert.equal(payload['ttl'], 5);
    assert.equal((payload.exp ?? 0) - (payload.iat ?? 0), 3600);
    assert.equal(reply.headers.get('cache-control'), 'public, max-age=5');
    assert.equal(reply.headers.get('access-control-allow-origin'), '*');
    assert.equal(reply.headers.get('vary'), 'Accept-Encoding');
    const again = await rawRequest(`${app.url}/oauth/status-lists/0`, {
      headers: { 'If-None-Match': reply.headers.get('etag') ?? '' },
    });
    assert.deepEqual([again.status, again.text], [304, '']);
    const plain = await app.request('/oauth/status-lists/0', { headers: { 'Accept-Encoding': 'identity' } });
    assert.equal(plain.headers.get('content-encoding'), null);
    assert.equal(plain.text, reply.text);
    assert.equal(reply.headers.get('content-encoding'), 'gzip');
  });

  test('are listed by the aggregation endpoint, and other list numbers are answered with 404', async () => {
    const metadata = await app.request('/.well-known/oauth-authorization-server');
    assert.equal(metadata.json.status_list_aggregation_endpoint, `${ISSUER}/oauth/status-lists`);
    const { json, headers } = await app.request('/oauth/status-lists');
    assert.deepEqual(json, { status_lists: [`${ISSUER}/oauth/status-lists/0`] });
    assert.equal(headers.get('access-control-allow-origin'), '*');
    for (const path of [
      '/oauth/status-lists/1',
      '/oauth/status-lists/999999999',
      '/oauth/status-lists/00',
      '/oauth/status-lists/x',
    ]) {
      assert.equal((await app.request(path)).status, 404, path);
    }
    const post = await app.request('/oauth/status-lists/0', { method: 'POST' });
    assert.deepEqual([post.status, post.headers.get('allow')], [405, 'GET, HEAD']);
  });

  test('have one entry for each credential, which all tokens of the credential share', async () => {
    const key = clientKey('ES256');
    const both = await registerWithKeys(app, 'Both kinds', [key], { secret: true });
    const [first, second] = [await tokenStatus(both), await tokenStatus(both)];
    assert.deepEqual(first, second);
    const { json } = await tokenByAssertion(app, assertion(key, both.clientId, ISSUER));
    assert.notEqual(statusOf(json.access_token).idx, first.idx);
  });

  test('show the tokens of a disabled or deleted credential as revoked, and not the tokens of another', async () => {
    const { path, ...first } = await account('Two secrets');
    const { json } = await app.api('POST', `${path}/credentials`, { type: 'client_secret' });
    const second = { clientId: first.clientId, clientSecret: String(json.clientSecret) };
    const [one, two] = [await tokenStatus(first), await tokenStatus(second)];
    const credential = `${path}/credentials/${json.credentialId}`;
    assert.equal((await app.api('PATCH', credential, { state: 'disabled' })).status, 200);
    await untilListed(app, two, true);
    assert.equal(await isRevokedBy(app, one), false);
    assert.equal((await app.api('PATCH', credential, { state: 'enabled' })).status, 200);
    const renewed = await tokenStatus(second);
    assert.notDeepEqual(renewed, two);
    assert.equal((await app.api('DELETE', credential)).status, 204);
    await untilListed(app, renewed, true);
    assert.deepEqual([await isRevokedBy(app, one), await isRevokedBy(app, two)], [false, true]);
  });

  test('show the tokens of a disabled or deleted account as revoked for good', async () => {
    const { path, ...caller } = await account('On and off');
    const before = await tokenStatus(caller);
    await app.api('PATCH', path, { name: 'Renamed' });
    assert.deepEqual(await tokenStatus(caller), before);
    await app.api('PATCH', path, { state: 'disabled' });
    await untilListed(app, before, true);
    await app.api('PATCH', path, { state: 'enabled' });
    const then = await tokenStatus(caller);
    assert.notDeepEqual(then, before);
    await app.api('DELETE', path);
    await untilListed(app, then, true);
    assert.equal(await isRevokedBy(app, before), true);
  });

  test('show the tokens of a disabled or deleted company as revoked, and no others', async () => {
    await makeCompany(app, 'ending');
    const inside = await account('Inside', '/api/companies/ending/service-accounts');
    const off = await account('Off', '/api/companies/ending/service-accounts');
    const outside = await account('Outside');
    const offBefore = await tokenStatus(off);
    await app.api('PATCH', off.path, { state: 'disabled' });
    const [before, other] = [await tokenStatus(inside), await tokenStatus(outside)];
    await app.api('PATCH', '/api/companies/ending', { state: 'disabled' });
    await untilListed(app, before, true);
    await app.api('PATCH', '/api/companies/ending', { state: 'enabled' });
    const then = await tokenStatus(inside);
    assert.notDeepEqual(then, before);
    // The account that is itself disabled has not got a new entry.
    const { rows } = await app.knex.raw('select list from status_entries where client_id = ? and revoked_at is null', [
      off.clientId,
    ]);
    assert.deepEqual(rows, []);
    assert.equal((await app.api('DELETE', '/api/companies/ending?cascade=true')).status, 204);
    await untilListed(app, then, true);
    assert.deepEqual([await isRevokedBy(app, other), await isRevokedBy(app, offBefore)], [false, true]);
  });
});

describe('status lists of two nodes', () => {
  let database: TestDatabase;
  let one: TestApp;
  let two: TestApp;
  before(async () => {
    database = await postgres18.create();
    one = await startTestApp(database, { WRIT_ISSUER: ISSUER });
    two = await startTestApp(database, { WRIT_ISSUER: ISSUER });
  });
  after(async () => {
    await Promise.all([one.close(), two.close()]);
    await database.drop();
  });

  test('show a revocation on the other node within two seconds, and to a polling verifier within ten', async () => {
    const { json } = await one.api('POST', '/api/service-accounts', { name: 'Polled' });
    const token = String((await two.token(json)).json.access_token);
    const status = statusOf(token);
    // A verifier that asks the second node every five seconds, as the `ttl` of the list says.
    let listed = (await two.request('/oauth/status-lists/0')).text;
    let asked = performance.now();
    const refused = async (): Promise<boolean> => {
      const { ttl } = decodeJwt<{ ttl: number }>(listed);
      if (performance.now() - asked > ttl * 1000) {
        asked = performance.now();
        listed = (await two.request('/oauth/status-lists/0')).text;
      }
      return bitOf(listed, status.idx) === 1;
    };
    assert.equal(await refused(), false);
    const revoked = performance.now();
    assert.equal((await one.api('PATCH', `/api/service-accounts/${json.clientId}`, { state: 'disabled' })).status, 200);
    await untilListed(two, status, true, 2000);
    while (!(await refused())) {
      assert.ok(performance.now() - revoked < 10_000, 'the verifier still accepts the token after ten seconds');
      await setTimeout(100);
    }
  });
});

describe('a status list that another node begins', () => {
  let database: TestDatabase;
  let app: TestApp;
  before(async () => {
    database = await postgres18.create();
    app = await startTestApp(database, { WRIT_ISSUER: ISSUER });
  });
  after(async () => {
    await app.close();
    await database.drop();
  });

  test('is served soon after the first request for it, and listed with the others', async () => {
    const path = '/oauth/status-lists/1';
    const { json } = await app.api('POST', '/api/service-accounts', { name: 'Of the second list' });
    await app.knex('status_entries').where({ client_id: json.clientId }).update({ list: 1 });
    const missed = await app.request(path);
    assert.deepEqual([missed.status, missed.headers.get('cache-control')], [404, 'no-store']);
    await eventually(3000, async () => (await app.request(path)).status === 200);
    const { json: all } = await app.request('/oauth/status-lists');
    assert.deepEqual(all, { status_lists: [`${ISSUER}/oauth/status-lists/0`, `${ISSUER}${path}`] });
    const status = statusOf((await app.token(json)).json.access_token);
    assert.equal(status.uri, `${ISSUER}${path}`);
    await app.api('PATCH', `/api/service-accounts/${json.clientId}`, { state: 'disabled' });
    await untilListed(app, status, true);
  });
});

describe('a status list of a million credentials', () => {
  const PLACES = 1_048_576;

  async function published(share: number): Promise<{ lists: StatusLists; revoked: Set<number> }> {
    const revoked = new Set<number>();
    while (revoked.size < Math.round(1_000_000 * share)) revoked.add(randomInt(PLACES));
    const { clock } = quietSurroundings();
    const lists = await startLists({
      store: { revoked: () => Promise.resolve({ lists: 1, revoked: new Map([[0, Uint32Array.from(revoked)]]) }) },
      clock,
      onFailure: (error) => assert.fail(String(error)),
    });
    while (lists.published === undefined) await setTimeout(5);
    return { lists, revoked };
  }

  for (const [share, most] of [
    [0.001, 8192],
    [0.01, 30 * 1024],
  ] as const) {
    test(`takes at most ${most} bytes on the wire with ${share * 100} % of them revoked, and has the right bits`, async () => {
      const { lists, revoked } = await published(share);
      const list = lists.published?.[0];
      assert.ok(list !== undefined && list.gzipped.length <= most, `${list?.gzipped.length} bytes`);
      const jwt = list.jwt.toString();
      for (const idx of [...revoked].slice(0, 50)) {
        assert.equal(bitOf(jwt, idx), 1);
        const other = randomInt(PLACES);
        assert.equal(bitOf(jwt, other), revoked.has(other) ? 1 : 0);
      }
      await lists.close();
    });
  }
});
