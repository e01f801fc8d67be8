import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { createLocalJWKSet, decodeProtectedHeader, type JSONWebKeySet, jwtVerify } from 'jose';
import { registerAccount, type RegisteredAccount } from '../support/accounts.ts';
import type { Reply } from '../support/api-contract.ts';
import { assertRefused, makeCaller } from '../support/companies.ts';
import { embeddedAndNewest, onEachDatabase, postgres18, type TestDatabase } from '../support/databases.ts';
import { eventually } from '../support/eventually.ts';
import { startTestApp, type TestApp, useTestApp } from '../support/test-app.ts';
import { testClock } from '../support/test-clock.ts';
import { type Verifier, verifiersOf } from '../support/verifiers.ts';

const DAY = 86_400_000;
/** Milliseconds for which a key is published before it signs, when somebody asks for it. */
const LEAD = 360_000;
const ISSUER = 'https://keys.example';
/** The least number of verifications in each minute of a rotation under load. */
const VERIFICATIONS = 96;

interface ListedKey {
  readonly kid: string;
  readonly alg: string;
  readonly state: string;
  readonly signsFrom: string;
  readonly retiredAt: string | null;
  readonly removedAt: string | null;
}

const keysOf = async (app: TestApp): Promise<ListedKey[]> => (await app.api('GET', '/api/signing-keys')).json;
const kids = async (app: TestApp): Promise<string[]> =>
  (await app.request('/.well-known/jwks.json')).json.keys.map(({ kid }: { kid: string }) => kid);
const rotate = (app: TestApp, body: object = {}): Promise<Reply> => app.api('POST', '/api/signing-keys/rotate', body);
/** The states of the keys of one algorithm, newest first. */
const statesOf = async (app: TestApp, alg = 'ES256'): Promise<string[]> =>
  (await keysOf(app)).filter((key) => key.alg === alg).map(({ state }) => state);

async function tokenOf(app: TestApp, client: RegisteredAccount): Promise<{ token: string; kid: string }> {
  const { status, json, text } = await app.token(client);
  assert.equal(status, 200, text);
  return { token: json.access_token, kid: String(decodeProtectedHeader(json.access_token).kid) };
}
const isActive = async (app: TestApp, token: string): Promise<boolean> =>
  (await app.request('/tokeninfo', { headers: { Authorization: `Bearer ${token}` } })).status === 200;

onEachDatabase(
  'the signing keys',
  (kind) => {
    const clock = testClock();
    const app = useTestApp(kind, { WRIT_TOKEN_MAX_TTL: '3600', WRIT_MAX_STALENESS: '0' }, { clock, janitorPause: 50 });
    let client: RegisteredAccount;
    before(async () => {
      client = await registerAccount(app);
    });

    test('are listed with their states and times, for root alone', async () => {
      const listed = await keysOf(app);
      assert.deepEqual(listed.map(({ alg, state }) => [alg, state]).toSorted(), [
        ['ES256', 'active'],
        ['RS256', 'active'],
      ]);
      assert.deepEqual([listed[0]?.retiredAt, listed[0]?.removedAt], [null, null]);
      const viewer = await makeCaller(app, '/api/service-accounts', ['writ.serviceaccounts.view']);
      for (const [method, path] of [
        ['GET', '/api/signing-keys'],
        ['POST', '/api/signing-keys/rotate'],
        ['DELETE', `/api/signing-keys/${listed[0]?.kid}`],
      ] as const) {
        assertRefused(app, await app.api(method, path, undefined, viewer.bearer), 403, 'insufficient_scope');
      }
    });

    test('sign at once on demand, and the answer says who refuses them meanwhile', async () => {
      const [waiting] = (await rotate(app, { alg: 'ES256' })).json.keys;
      const { json } = await rotate(app, { alg: 'ES256', immediate: true });
      assert.deepEqual([json.keys[0].kid, json.keys[0].state], [waiting.kid, 'active']);
      assert.match(json.breaks, /APIs that have kept the JWKS refuse/);
      await eventually(10_000, async () => (await tokenOf(app, client)).kid === waiting.kid);
      const all = await rotate(app, { immediate: true });
      assert.deepEqual(all.json.keys.map(({ alg }: ListedKey) => alg).toSorted(), ['ES256', 'RS256']);
      assertRefused(app, await rotate(app, { alg: 'PS256' }), 422, 'invalid_body');
      assertRefused(app, await rotate(app, { alg: 'HS256' }), 422, 'invalid_body');
    });

    test('F-02 are removed at once: their tokens die, and another key signs', async () => {
      const signing = (await keysOf(app)).find(({ alg, state }) => alg === 'ES256' && state === 'active');
      await eventually(10_000, async () => (await tokenOf(app, client)).kid === signing?.kid);
      const leaked = await tokenOf(app, client);
      const root = await app.renewRootToken();
      assert.equal(decodeProtectedHeader(root).kid, leaked.kid);
      assert.equal(await isActive(app, leaked.token), true);
      const removed = await app.api('DELETE', `/api/signing-keys/${leaked.kid}`);
      assert.equal(removed.status, 204, removed.text);
      await eventually(10_000, async () => !(await kids(app)).includes(leaked.kid));
      assert.equal(await isActive(app, leaked.token), false);
      const asked = await app.asClient('/oauth/introspect', client, { token: leaked.token });
      assert.deepEqual(asked.json, { active: false });
      // The token of the caller was signed with the same key.
      assertRefused(app, await app.api('GET', '/api/self', undefined, root), 401, 'unauthorized');
      await app.renewRootToken();
      const other = await tokenOf(app, client);
      assert.notEqual(other.kid, leaked.kid);
      assert.equal(await isActive(app, other.token), true);
      assertRefused(app, await app.api('DELETE', `/api/signing-keys/${leaked.kid}`), 404, 'not_found');
      const { json } = await app.api('GET', `/api/audit-events?target=${leaked.kid}&action=signing_key.removed`);
      assert.equal(json.length, 1);
      // The status lists are signed anew, too.
      const list = await app.request('/oauth/status-lists/0');
      await eventually(
        10_000,
        async () => {
          const { text } = await app.request('/oauth/status-lists/0');
          return decodeProtectedHeader(text).kid === other.kid;
        },
        list.text.slice(0, 80),
      );
    });

    test('F-02 a removed key that does not sign yet is replaced by none, and the active one goes on', async () => {
      const active = await tokenOf(app, client);
      const [waiting] = (await rotate(app, { alg: 'ES256' })).json.keys;
      assert.equal((await app.api('DELETE', `/api/signing-keys/${waiting.kid}`)).status, 204);
      await eventually(10_000, async () => !(await kids(app)).includes(waiting.kid));
      // The active key had been told to end when the other one begins.
      clock.forward(LEAD + 1000);
      assert.equal((await tokenOf(app, client)).kid, active.kid);
      assert.ok((await statesOf(app)).includes('active'));
    });

    test('F-01 are replaced on demand: published, then active, then retired, then gone', async () => {
      const first = await tokenOf(app, client);
      const { status, json, text } = await rotate(app, { alg: 'ES256' });
      assert.equal(status, 200, text);
      const [next] = json.keys;
      assert.deepEqual([json.keys.length, next.alg, next.state, json.breaks], [1, 'ES256', 'published', null]);
      assert.equal(Date.parse(next.signsFrom) - clock().getTime() > LEAD - 60_000, true);
      // The key that signs comes first, since some software takes the first one.
      await eventually(10_000, async () => (await kids(app)).includes(next.kid));
      assert.deepEqual((await kids(app)).slice(0, 2), [first.kid, next.kid]);
      assert.equal((await tokenOf(app, client)).kid, first.kid);
      // To repeat the call changes nothing.
      const again = await rotate(app, { alg: 'ES256' });
      assert.deepEqual(again.json.keys, json.keys);
      assert.deepEqual((await statesOf(app)).slice(0, 2), ['published', 'active']);

      clock.forward(LEAD);
      await eventually(10_000, async () => (await tokenOf(app, client)).kid === next.kid);
      assert.deepEqual((await statesOf(app)).slice(0, 2), ['active', 'retired']);
      assert.equal(await isActive(app, first.token), true);
      const old = (await keysOf(app)).find(({ kid }) => kid === first.kid);
      const gone = Date.parse(String(old?.removedAt));
      assert.ok(gone - Date.parse(String(old?.retiredAt)) >= 3_600_000);
      const { json: audit } = await app.api('GET', `/api/audit-events?target=${next.kid}`);
      assert.deepEqual(
        audit.map(({ action, details }: { action: string; details: object }) => [action, details]),
        [['signing_key.created', { alg: 'ES256', signsFrom: next.signsFrom }]],
      );
      const { json: retired } = await app.api(
        'GET',
        `/api/audit-events?target=${first.kid}&action=signing_key.retired`,
      );
      assert.deepEqual(retired[0].details, { alg: 'ES256', retiredAt: next.signsFrom, successor: next.kid });
      clock.forward(gone - clock().getTime());
      await eventually(10_000, async () => !(await kids(app)).includes(first.kid));
      const rows = async (): Promise<unknown[]> => app.knex('signing_keys').where({ kid: first.kid });
      clock.forward(1000);
      await eventually(10_000, async () => (await rows()).length === 0);
    });
  },
  embeddedAndNewest,
);

describe('the schedule of signing keys', () => {
  const clock = testClock();
  let database: TestDatabase;
  let nodes: readonly TestApp[];
  let client: RegisteredAccount;
  before(async () => {
    database = await postgres18.create();
    const start = (): Promise<TestApp> =>
      startTestApp(database, { WRIT_ISSUER: ISSUER, WRIT_TOKEN_TTL: '86400' }, { clock });
    const first = await start();
    nodes = [first, ...(await Promise.all([start(), start(), start()]))];
    client = await registerAccount(first);
  });
  after(async () => {
    await Promise.all(nodes.map((node) => node.close()));
    await database.drop();
  });

  test('F-03 publishes the next key a day ahead, once for all nodes, and lets it sign after 90 days', async (t) => {
    const [one] = nodes;
    assert.ok(one);
    const begun = clock().getTime();
    clock.stop();
    t.after(() => {
      clock.go();
      clock.forward(begun - clock().getTime());
    });
    const first = await tokenOf(one, client);
    // The library's tokens go by the real time, so that none is good at the management API of that day.
    const rows = (): Promise<{ kid: string; signs_from: Date }[]> =>
      one.knex('signing_keys').where({ alg: 'ES256' }).orderBy('created_at', 'desc');
    // The first key is as old as the template of the database.
    const [{ signs_from: signsFrom } = assert.fail()] = await rows();
    const due = signsFrom.getTime() + 89 * DAY;
    clock.forward(due - 1 - clock().getTime());
    for (const node of nodes) assert.equal((await tokenOf(node, client)).kid, first.kid);
    assert.equal((await rows()).length, 1);
    clock.forward(1);
    await eventually(20_000, async () => (await rows()).length === 2);
    const [next] = await rows();
    assert.equal(next?.signs_from.getTime(), due + DAY);
    for (const node of nodes) {
      await eventually(20_000, async () => (await kids(node)).includes(next.kid));
      assert.equal((await tokenOf(node, client)).kid, first.kid);
    }
    clock.forward(DAY);
    for (const node of nodes) await eventually(20_000, async () => (await tokenOf(node, client)).kid === next.kid);
    assert.equal((await rows()).length, 2);
    const event = await one.knex('audit_events').where({ target: next.kid }).first('actor');
    assert.deepEqual(event.actor, { type: 'server', command: 'rotation' });
  });

  test('F-03 makes one next key when every node is asked for it at once', async () => {
    const [one] = nodes;
    assert.ok(one);
    for (const alg of ['ES256', 'RS256']) {
      // The keys that the schedule has published sign from now on, so that each node would make a key of its own.
      await rotate(one, { alg, immediate: true });
      const replies = await Promise.all(nodes.map((node) => rotate(node, { alg })));
      assert.equal(new Set(replies.map(({ json }) => json.keys[0].kid)).size, 1);
      assert.equal((await statesOf(one, alg)).filter((state) => state === 'published').length, 1);
    }
    // The next test begins with keys that sign.
    clock.forward(LEAD);
  });

  test('F-01 F-03 three rotations under load give no token that a verifier with a kept JWKS refuses, whatever its library', async () => {
    /** An API that keeps the JWKS of one node for as long as the node allows, and never fetches it sooner. */
    const keeping = nodes.map((node): Verifier => {
      let kept: { readonly until: number; readonly keys: ReturnType<typeof createLocalJWKSet> } | undefined;
      return {
        name: 'an API with a kept JWKS',
        async verify(token) {
          const now = clock().getTime();
          if (kept === undefined || kept.until <= now) {
            const reply = await node.request('/.well-known/jwks.json');
            const [, age] = /max-age=(\d+)/.exec(reply.headers.get('cache-control') ?? '') ?? [];
            const set: JSONWebKeySet = reply.json;
            kept = { until: now + Number(age) * 1000, keys: createLocalJWKSet(set) };
          }
          await jwtVerify(token, kept.keys, { issuer: ISSUER, currentDate: new Date() });
        },
      };
    });
    const verifiers = [...keeping, ...nodes.flatMap(({ url }) => verifiersOf(url, ISSUER))];
    let verified = 0;
    const refused = new Set<string>();
    const ended = new AbortController();
    const load = nodes.map(async (node) => {
      while (!ended.signal.aborted) {
        const { token } = await tokenOf(node, client);
        for (const { name, verify } of verifiers) {
          await verify(token).catch((error: unknown) => refused.add(`${name}: ${String(error)}`));
        }
        verified += verifiers.length;
      }
    });
    const seen = new Set<string>();
    const [one] = nodes;
    assert.ok(one);
    for (let rotation = 0; rotation < 3; rotation += 1) {
      const { json } = await rotate(one, { alg: 'ES256' });
      const { kid } = json.keys[0];
      for (const node of nodes) await eventually(20_000, async () => (await kids(node)).includes(kid));
      for (let minute = 0; minute < 7; minute += 1) {
        clock.forward(60_000);
        for (const { age } of verifiers) age?.(60);
        const wanted = verified + VERIFICATIONS;
        await eventually(600_000, () => verified >= wanted);
      }
      for (const node of nodes) await eventually(20_000, async () => (await tokenOf(node, client)).kid === kid);
      seen.add(kid);
    }
    ended.abort();
    await Promise.all(load);
    assert.deepEqual([...refused], []);
    assert.equal(seen.size, 3);
    assert.ok(verified >= 21 * VERIFICATIONS, String(verified));
  });
});
