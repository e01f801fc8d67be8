import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { decodeProtectedHeader } from 'jose';
import { ROOT } from '../support/config.ts';
import { embeddedAndNewest, onEachDatabase, postgres18, type TestDatabase } from '../support/databases.ts';
import { eventually } from '../support/eventually.ts';
import { startTestApp, type TestApp } from '../support/test-app.ts';
import { testClock } from '../support/test-clock.ts';

const ISSUER = 'https://keys.example';
/** Milliseconds until a published key signs: as long as a verifier may cache the JWKS, and a minute. */
const LEAD = 360_000;

const algs = async (app: TestApp): Promise<string[]> =>
  (await app.request('/.well-known/jwks.json')).json.keys.map(({ alg }: { alg: string }) => alg);

const signedWith = async (app: TestApp, client: typeof ROOT, resource?: string): Promise<string | undefined> => {
  const { json, text } = await app.token(client, resource === undefined ? {} : { resource });
  assert.ok(json.access_token, text);
  return decodeProtectedHeader(json.access_token).alg;
};

async function makeServer(app: TestApp, name: string, signingAlg: string | undefined): Promise<string> {
  const identifier = `https://${name}.example`;
  const body = { identifier, name, permissions: [{ name }], ...(signingAlg !== undefined && { signingAlg }) };
  const { status, text, headers } = await app.api('POST', '/api/resource-servers', body);
  assert.equal(status, 201, text);
  return String(headers.get('location'));
}

async function makeClient(app: TestApp, permission: string): Promise<typeof ROOT> {
  const { json } = await app.api('POST', '/api/service-accounts', { name: permission, permissions: [permission] });
  return json;
}

test('an algorithm that several requests name at once on two nodes gets one signing key', async () => {
  const database = await postgres18.create();
  const nodes = [
    await startTestApp(database, { WRIT_ISSUER: ISSUER }),
    await startTestApp(database, { WRIT_ISSUER: ISSUER }),
  ];
  for (const alg of ['PS256', 'EdDSA']) {
    const made = nodes.flatMap((node, index) =>
      ['a', 'b'].map((name) => makeServer(node, `${name}${index}-${alg.toLowerCase()}`, alg)),
    );
    await Promise.all(made);
  }
  const kept: { alg: string }[] = (await nodes[0]?.knex('signing_keys').select('alg')) ?? [];
  assert.deepEqual(kept.map(({ alg }) => alg).toSorted(), ['ES256', 'EdDSA', 'PS256', 'RS256']);
  for (const node of nodes) {
    await eventually(5000, async () => (await algs(node)).length === 4);
    assert.deepEqual(await algs(node), ['ES256', 'PS256', 'EdDSA', 'RS256']);
    await node.close();
  }
  await database.drop();
});

onEachDatabase(
  'the JWKS',
  (kind) => {
    test("lists the server's own key first, then a key for each algorithm that a resource server names, then RS256", async () => {
      const database = await kind.create();
      const app = await startTestApp(database);
      assert.deepEqual(await algs(app), ['ES256', 'RS256']);
      await makeServer(app, 'edwards', 'EdDSA');
      assert.deepEqual(await algs(app), ['ES256', 'EdDSA', 'RS256']);
      assert.equal(await signedWith(app, await makeClient(app, 'edwards')), 'EdDSA');
      const plain = await makeServer(app, 'plain', undefined);
      await app.api('PATCH', plain, { signingAlg: 'PS256' });
      assert.deepEqual(await algs(app), ['ES256', 'PS256', 'EdDSA', 'RS256']);
      await makeServer(app, 'common', 'RS256');
      assert.deepEqual(await algs(app), ['ES256', 'PS256', 'EdDSA', 'RS256']);
      const { json } = await app.api('GET', '/api/audit-events?action=signing_key.created');
      assert.deepEqual(json.map(({ details }: { details: { alg: string } }) => details.alg).toSorted(), [
        'ES256',
        'EdDSA',
        'PS256',
        'RS256',
      ]);
      await app.close();
      await database.drop();
    });

    test('keeps a key that no resource server names until the last token of the key has expired', async () => {
      const database = await kind.create();
      const environment = { WRIT_TOKEN_MAX_TTL: '3600' };
      let app = await startTestApp(database, environment);
      const path = await makeServer(app, 'edwards', 'EdDSA');
      const client = await makeClient(app, 'edwards');
      const { json } = await app.token(client);
      await app.api('PATCH', path, { signingAlg: null });
      assert.equal(await signedWith(app, client), 'ES256');
      assert.deepEqual(await algs(app), ['ES256', 'RS256', 'EdDSA']);
      const info = { headers: { Authorization: `Bearer ${json.access_token}` } };
      assert.equal((await app.request('/tokeninfo', info)).status, 200);
      // The longest lifetime, an hour for verifiers that are behind, 900 seconds of staleness and a second later.
      await app.knex.raw(
        `update signing_keys set retired_at = retired_at - interval '8101 seconds' where alg = 'EdDSA'`,
      );
      await app.close();
      app = await startTestApp(database, environment);
      assert.deepEqual(await algs(app), ['ES256', 'RS256']);
      // The key comes back when a resource server names its algorithm again.
      const again = await app.api('PATCH', path, { signingAlg: 'EdDSA' });
      assert.equal(again.status, 200, again.text);
      assert.deepEqual(await algs(app), ['ES256', 'EdDSA', 'RS256']);
      assert.equal(await signedWith(app, client), 'EdDSA');
      await app.close();
      await database.drop();
    });
  },
  embeddedAndNewest,
);

describe('signing keys in production', () => {
  const production = { NODE_ENV: 'production', WRIT_ISSUER: ISSUER };
  const clock = testClock();
  let database: TestDatabase;
  let one: TestApp;
  let two: TestApp;
  before(async () => {
    database = await postgres18.create();
    [one, two] = await Promise.all([
      startTestApp(database, production, { clock }),
      startTestApp(database, production, { clock }),
    ]);
  });
  after(async () => {
    await Promise.all([one.close(), two.close()]);
    await database.drop();
  });

  test('F-01 a key signs on a node only after every node has published it for longer than a JWKS may be cached', async () => {
    await makeServer(one, 'edwards', 'EdDSA');
    const client = await makeClient(one, 'edwards');
    for (const app of [one, two]) {
      await eventually(5000, async () => (await algs(app)).includes('EdDSA'));
      assert.equal(await signedWith(app, client), 'ES256');
    }
    clock.forward(LEAD - 1000);
    for (const app of [one, two]) assert.equal(await signedWith(app, client), 'ES256');
    clock.forward(1000);
    for (const app of [one, two]) await eventually(10_000, async () => (await signedWith(app, client)) === 'EdDSA');
    const { json } = await one.token(client);
    const info = { headers: { Authorization: `Bearer ${json.access_token}` } };
    assert.equal((await two.request('/tokeninfo', info)).status, 200);
  });

  test('F-01 a server with another signing algorithm signs with the old key until the new key is published long enough', async () => {
    const three = await startTestApp(database, { ...production, WRIT_SIGNING_ALG: 'PS256' }, { clock });
    assert.deepEqual((await algs(three)).slice(0, 1), ['PS256']);
    assert.equal(await signedWith(three, ROOT), 'ES256');
    // The other nodes publish the new key, too.
    await eventually(5000, async () => (await algs(one)).includes('PS256'));
    clock.forward(LEAD);
    await eventually(10_000, async () => (await signedWith(three, ROOT)) === 'PS256');
    await three.close();
  });

  test('G-12 a node whose clock is a day behind signs with the existing key', async () => {
    const late = await startTestApp(database, production, { clock: () => new Date(Date.now() - 86_400_000) });
    assert.equal(await signedWith(late, ROOT), 'ES256');
    await late.close();
  });

  test('F-03 two nodes that name an algorithm at once generate one key', async () => {
    await Promise.all([one.renewRootToken(), two.renewRootToken()]);
    await Promise.all([makeServer(one, 'left', 'PS256'), makeServer(two, 'right', 'PS256')]);
    const rows = await one.knex('signing_keys').where({ alg: 'PS256' });
    assert.equal(rows.length, 1);
  });
});
