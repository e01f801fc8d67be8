import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Reply } from '../support/api-contract.ts';
import { type RegisteredAccount, registerAccount } from '../support/accounts.ts';
import { clientKey } from '../support/assertions.ts';
import { apiToken, makeCaller, makeCompany } from '../support/companies.ts';
import { ROOT } from '../support/config.ts';
import { embeddedAndNewest, onEachDatabase, postgres18, type TestDatabase } from '../support/databases.ts';
import { statusOf, untilListed } from '../support/status-lists.ts';
import { startTestApp, type TestApp } from '../support/test-app.ts';
import { testClock } from '../support/test-clock.ts';
import { written } from '../support/written.ts';

const PAUSE = 50;
const IN_ACME = '/api/companies/acme/service-accounts';

/** Seconds from now until a time in an answer. */
const from = (now: Date, time: string): number => Math.round((new Date(time).getTime() - now.getTime()) / 1000);

onEachDatabase(
  'the maximum age of credentials',
  (kind) => {
    let database: TestDatabase;
    let app: TestApp;
    const clock = testClock();
    before(async () => {
      database = await kind.create();
      app = await startTestApp(
        database,
        { WRIT_EXPIRY_WARNING: '60', WRIT_TOKEN_TTL: '86400' },
        { clock, activityPause: PAUSE },
      );
      await makeCompany(app, 'acme');
    });
    after(async () => {
      await app.close();
      await database.drop();
    });

    const add = (path: string, body: object): Promise<Reply> => app.api('POST', `${path}/credentials`, body);

    const account = (name: string, body: object = {}, path?: string): Promise<RegisteredAccount> =>
      registerAccount(app, { name, ...body }, path);

    test('of a company is the default expiry of its credentials, and a later expiry is refused', async () => {
      await app.api('PATCH', '/api/companies/acme', { secretMaxAge: 'P30D', keyMaxAge: 0 });
      clock.stop();
      const { path } = await account('Limited', {}, IN_ACME);
      const { json } = await app.api('GET', `${path}/credentials`);
      assert.equal(from(clock(), json[0].expiresAt), 30 * 86_400);
      const shorter = await add(path, { type: 'client_secret', expiresIn: 60 });
      assert.equal(from(clock(), shorter.json.expiresAt), 60);
      const longer = await add(path, { type: 'client_secret', expiresIn: 'P31D' });
      assert.deepEqual([longer.status, longer.json.errors[0].pointer], [422, '/expiresIn']);
      const changed = await app.api('PATCH', `${path}/credentials/${json[0].credentialId}`, { expiresIn: 'P31D' });
      assert.deepEqual([changed.status, changed.json.errors[0].pointer], [422, '/expiresIn']);
      const forEver = await app.api('PATCH', `${path}/credentials/${shorter.json.credentialId}`, { expiresIn: null });
      assert.equal(from(clock(), forEver.json.expiresAt), 30 * 86_400);
      clock.go();
      const key = { type: 'public_key', publicKey: clientKey('ES256').jwk };
      const forbidden = await add(path, key);
      assert.deepEqual([forbidden.status, forbidden.json.errors[0].pointer], [422, '/type']);
      const registered = await app.api('POST', IN_ACME, {
        name: 'With a key',
        credentials: [{ type: 'client_secret' }, key],
      });
      assert.deepEqual([registered.status, registered.json.errors[0].pointer], [422, '/credentials/1/type']);
      // The policy of the company does not hold elsewhere.
      const elsewhere = await account('Elsewhere');
      assert.equal((await add(elsewhere.path, key)).json.expiresAt, null);
    });

    test('shortens existing credentials when a company sets it, counted from the change', async () => {
      await makeCompany(app, 'later');
      const path = '/api/companies/later/service-accounts';
      const { path: one, ...client } = await account('Before', {}, path);
      const soon = await add(one, { type: 'client_secret', expiresIn: 30 });
      clock.stop();
      const { json } = await app.api('PATCH', '/api/companies/later', { secretMaxAge: 100 });
      assert.deepEqual([json.secretMaxAge, json.keyMaxAge], [100, null]);
      const [first, second] = (await app.api('GET', `${one}/credentials`)).json;
      assert.equal(from(clock(), first.expiresAt), 100);
      clock.go();
      assert.equal(second.expiresAt, soon.json.expiresAt);
      const { json: events } = await app.api('GET', '/api/companies/later/audit-events?action=company.changed');
      assert.deepEqual(events[0].details, {
        secretMaxAge: { from: null, to: 100 },
        credentialsLimited: 1,
      });
      assert.equal((await app.token(client)).status, 200);
      clock.forward(101_000);
      assert.equal((await app.token(client)).status, 401);
      assert.equal(app.log().findLast((line) => line['event'] === 'token.refused')?.['reason'], 'credential_expired');
      assert.equal((await app.api('PATCH', '/api/companies/later', { secretMaxAge: null })).json.secretMaxAge, null);
    });

    test('a credential with extend gets its lifetime again with each use, and expires without uses', async () => {
      const { path, clientId } = await account('Extended', { credentials: [] });
      const endless = await add(path, { type: 'client_secret', extend: true });
      assert.deepEqual([endless.status, endless.json.errors[0].pointer], [422, '/extend']);
      const { json } = await add(path, { type: 'client_secret', expiresIn: 200, extend: true });
      const client = { clientId, clientSecret: String(json.clientSecret) };
      for (let use = 0; use < 3; use += 1) {
        clock.forward(150_000);
        const reply = await app.token(client);
        assert.equal(reply.status, 200);
        // The client gets no warning: each use extends the credential.
        assert.equal(reply.json.credential_expires_at, undefined);
        await written(PAUSE, app);
      }
      const { json: shown } = await app.api('GET', `${path}/credentials/${json.credentialId}`);
      assert.ok(from(clock(), shown.expiresAt) > 190 && shown.extend, shown.expiresAt);
      clock.forward(201_000);
      assert.equal((await app.token(client)).status, 401);
      // A refused request is no use, and does not extend the credential.
      await written(PAUSE, app);
      assert.equal((await app.token(client)).status, 401);
    });

    test('an expiry is told to the client shortly before it, and counted in the metrics', async () => {
      const { path, clientId, clientSecret } = await account('Warned');
      const { json } = await add(path, { type: 'client_secret', expiresIn: 400 });
      const client = { clientId, clientSecret: String(json.clientSecret) };
      assert.equal((await app.token(client)).json.credential_expires_at, undefined);
      const expiring = async (): Promise<number> => {
        const text = await app.metrics();
        return Number(/^writ_credentials_expiring\{type="client_secret"\} (\d+)$/m.exec(text)?.[1] ?? 0);
      };
      const counted = await expiring();
      clock.forward(345_000);
      const warned = await app.token(client);
      assert.equal(warned.json.credential_expires_at, Math.floor(new Date(json.expiresAt).getTime() / 1000));
      assert.equal(await expiring(), counted + 1);
      assert.equal((await app.token({ clientId, clientSecret })).json.credential_expires_at, undefined);
      // A credential with a successor always carries the warning, even if its end is far away.
      const [first] = (await app.api('GET', `${path}/credentials`)).json;
      await app.api('POST', `${path}/credentials/${first.credentialId}/rotate`, { overlap: 'P7D' });
      assert.equal(typeof (await app.token({ clientId, clientSecret })).json.credential_expires_at, 'number');
    });

    test('E-13 an account rotates its own credential without any permission', async () => {
      const { path, ...client } = await account('Rotates itself', {}, '/api/service-accounts');
      const bearer = await apiToken(app, client);
      const { status, json } = await app.api('POST', '/api/self/rotate', { overlap: 3600 }, bearer);
      assert.equal(status, 201);
      const next = { clientId: client.clientId, clientSecret: String(json.clientSecret) };
      assert.deepEqual([(await app.token(client)).status, (await app.token(next)).status], [200, 200]);
      const again = await app.api('POST', '/api/self/rotate', undefined, bearer);
      assert.deepEqual([again.status, again.json.code], [409, 'already_rotated']);
      const third = await app.api('POST', '/api/self/rotate', undefined, await apiToken(app, next));
      assert.equal(third.status, 201);
      const { json: events } = await app.api(
        'GET',
        `/api/audit-events?action=credential.rotated&actor=${client.clientId}`,
      );
      assert.equal(events.length, 2);
      // The successors are deleted with the first credential: a thief of the first may have rotated it.
      const live = statusOf((await app.token(next)).json.access_token);
      const credentials = (await app.api('GET', `${path}/credentials`)).json;
      assert.equal(credentials.length, 3);
      assert.equal((await app.api('DELETE', `${path}/credentials/${credentials[0].credentialId}`)).status, 204);
      assert.deepEqual((await app.api('GET', `${path}/credentials`)).json, []);
      assert.equal((await app.token(next)).status, 401);
      await untilListed(app, live, true);
    });

    test('E-02 an account that rotates its own credential gets no wider permissions and no longer lifetime', async () => {
      const { path, clientId } = await account('Narrow', {
        permissions: ['orders:read', 'orders:write'],
        credentials: [],
      });
      clock.stop();
      const narrow = await add(path, { type: 'client_secret', permissions: ['orders:read'], expiresIn: 500 });
      const bearer = await apiToken(app, { clientId, clientSecret: narrow.json.clientSecret });
      const { json } = await app.api('POST', '/api/self/rotate', undefined, bearer);
      assert.deepEqual([json.permissions, from(clock(), json.expiresAt)], [['orders:read'], 500]);
      clock.go();
      const token = await app.token({ clientId, clientSecret: json.clientSecret });
      assert.equal(token.json.scope, 'orders:read');
      // The policy of the company became stricter after the credential was issued.
      await makeCompany(app, 'strict');
      const inside = await account(
        'Inside',
        { credentials: [{ type: 'client_secret', expiresIn: 1000 }] },
        '/api/companies/strict/service-accounts',
      );
      const { json: made } = await app.api('GET', `${inside.path}/credentials`);
      const { clientSecret } = (await app.api('POST', `${inside.path}/credentials`, { type: 'client_secret' })).json;
      await app.api('PATCH', '/api/companies/strict', { secretMaxAge: 50 });
      assert.equal(made.length, 1);
      const own = await apiToken(app, { clientId: inside.clientId, clientSecret });
      clock.stop();
      const rotated = await app.api('POST', '/api/self/rotate', undefined, own);
      assert.equal(from(clock(), rotated.json.expiresAt), 50);
      clock.go();
      const shown = await app.api(
        'GET',
        `${inside.path}/credentials/${rotated.json.successor ?? rotated.json.credentialId}`,
      );
      assert.equal(shown.status, 200);
    });

    test('B-26 the rotation of a disabled credential does not enable it', async () => {
      const { path, ...client } = await account('Disabled, then rotated');
      const [first] = (await app.api('GET', `${path}/credentials`)).json;
      await app.api('PATCH', `${path}/credentials/${first.credentialId}`, { state: 'disabled' });
      assert.equal((await app.token(client)).status, 401);
      const { json } = await app.api('POST', `${path}/credentials/${first.credentialId}/rotate`, { overlap: 3600 });
      assert.equal((await app.token(client)).status, 401);
      assert.equal((await app.token({ ...client, clientSecret: json.clientSecret })).status, 200);
    });
  },
  embeddedAndNewest,
);

describe('the maximum age of credentials on a server', () => {
  let database: TestDatabase;
  const clock = testClock();
  before(async () => {
    database = await postgres18.create();
  });
  after(() => database.drop());

  test('comes from the settings, shortens existing credentials, and never ends the last credential of root', async () => {
    const open = await startTestApp(database, {}, { clock });
    const admin = await makeCaller(open, '/api/service-accounts', ['writ.serviceaccounts.view']);
    await makeCompany(open, 'loose');
    await open.api('PATCH', '/api/companies/loose', { secretMaxAge: 5000 });
    await open.close();

    clock.stop();
    const app = await startTestApp(database, { WRIT_SECRET_MAX_AGE: '100', WRIT_KEY_MAX_AGE: '0' }, { clock });
    const { json } = await app.api('GET', `/api/service-accounts/${admin.clientId}/credentials`);
    assert.equal(from(clock(), json[0].expiresAt), 100);
    clock.go();
    const { json: events } = await app.api('GET', '/api/audit-events?action=credential_policy.applied');
    assert.deepEqual(events[0].details, { secretMaxAge: 100, keyMaxAge: 0, credentialsLimited: 2 });
    // A company can only be stricter.
    const loose = await app.api('POST', '/api/companies/loose/service-accounts', {
      name: 'x',
      credentials: [{ type: 'client_secret', expiresIn: 101 }],
    });
    assert.deepEqual([loose.status, loose.json.errors[0].pointer], [422, '/credentials/0/expiresIn']);

    clock.forward(101_000);
    assert.equal((await app.token(admin)).status, 401);
    assert.equal((await app.token(ROOT)).status, 200);
    // The first credential of root ends as soon as root has another one.
    const path = `/api/service-accounts/${ROOT.clientId}`;
    const second = await app.api('POST', `${path}/credentials`, { type: 'client_secret' });
    assert.equal((await app.token(ROOT)).status, 401);
    const next = { clientId: ROOT.clientId, clientSecret: String(second.json.clientSecret) };
    assert.equal((await app.token(next)).status, 200);
    clock.forward(101_000);
    assert.deepEqual([(await app.token(next)).status, (await app.token(ROOT)).status], [200, 401]);
    // An expiry that a caller has set ends even the last credential of root.
    const bearer = await apiToken(app, next);
    const changed = await app.api(
      'PATCH',
      `${path}/credentials/${second.json.credentialId}`,
      { expiresIn: 10 },
      bearer,
    );
    assert.equal(changed.status, 200);
    clock.forward(11_000);
    assert.equal((await app.token(next)).status, 401);
    await app.close();
  });
});
