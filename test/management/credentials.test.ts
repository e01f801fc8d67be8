import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { decodeJwt } from 'jose';
import type { Reply } from '../support/api-contract.ts';
import { credentialsTable } from '../../src/storage/credentials-table.ts';
import { assertion, clientKey, lastRefusal, tokenByAssertion } from '../support/assertions.ts';
import {
  type ApiCaller,
  apiToken,
  assertRefused,
  COMPANY_PERMISSIONS,
  makeCaller,
  makeCompany,
} from '../support/companies.ts';
import { ROOT } from '../support/config.ts';
import { embedded, onEachDatabase, postgres18, type TestDatabase } from '../support/databases.ts';
import { startTestApp, type TestApp, useTestApp } from '../support/test-app.ts';

const ACCOUNTS = '/api/service-accounts';

interface Account {
  readonly clientId: string;
  readonly clientSecret: string;
}

onEachDatabase('credentials', (kind) => {
  const app = useTestApp(kind);
  let account: Account;
  let path: string;
  let made = 0;
  beforeEach(async () => {
    made += 1;
    const { json } = await app.api('POST', ACCOUNTS, { name: `Account ${made}`, permissions: ['a', 'b@shop'] });
    account = json;
    path = `${ACCOUNTS}/${json.clientId}/credentials`;
  });

  const status = async (clientSecret: string): Promise<number> =>
    (await app.token({ clientId: account.clientId, clientSecret })).status;

  test('of one account are added, read, changed and deleted one by one, secrets and keys', async () => {
    const key = clientKey('ES256');
    const added = await app.api('POST', path, { type: 'client_secret', name: 'second', description: 'Of the night' });
    assert.equal(added.status, 201, added.text);
    const { clientSecret, ...shown } = added.json;
    const single = `${path}/${shown.credentialId}`;
    assert.equal(added.headers.get('location'), single);
    assert.match(clientSecret, /^writ_[A-Za-z0-9]{50,90}$/);
    assert.deepEqual(
      { ...shown, credentialId: '', createdAt: '', hint: '' },
      {
        credentialId: '',
        type: 'client_secret',
        name: 'second',
        description: 'Of the night',
        state: 'enabled',
        createdAt: '',
        expiresAt: null,
        extend: false,
        lastUsedAt: null,
        lastUsedFrom: null,
        permissions: null,
        successor: null,
        hint: '',
      },
    );
    assert.ok(clientSecret.startsWith(shown.hint));
    const byKey = await app.api('POST', path, { type: 'public_key', name: 'key', publicKey: key.jwk });
    assert.equal(byKey.status, 201, byKey.text);
    assert.equal(await status(account.clientSecret), 200);
    assert.equal(await status(clientSecret), 200);
    const signed = await tokenByAssertion(app, assertion(key, account.clientId, app.issuer));
    assert.equal(signed.status, 200, signed.text);

    const listed = (await app.api('GET', path)).json;
    assert.deepEqual(
      listed.map(({ name }: { name: string }) => name),
      [null, 'second', 'key'],
    );
    const { uses, lastUsedAt, lastUsedFrom, ...read } = (await app.api('GET', single)).json;
    assert.deepEqual({ ...read, lastUsedAt: null, lastUsedFrom: null }, shown);
    assert.ok(Array.isArray(uses) && lastUsedAt !== undefined && lastUsedFrom !== undefined);
    assert.equal((await app.api('GET', `${ACCOUNTS}/${account.clientId}`)).json.credentialCount, 3);
    const renamed = await app.api('PATCH', single, { name: 'renamed', description: null });
    assert.deepEqual([renamed.json.name, renamed.json.description], ['renamed', null]);
    const stale = await app.api('PATCH', single, { name: 'x' }, undefined, {
      'If-Match': added.headers.get('etag') ?? '',
    });
    assertRefused(app, stale, 412, 'precondition_failed');
    assert.equal((await app.api('DELETE', single)).status, 204);
    assertRefused(app, await app.api('DELETE', single), 404, 'not_found');
    assert.equal(await status(clientSecret), 401);
    assert.equal(lastRefusal(app)['reason'], 'secret_wrong');
    assert.equal(await status(account.clientSecret), 200);
    const { json: events } = await app.api('GET', `/api/audit-events?target=${shown.credentialId}`);
    assert.deepEqual(
      events.map(({ action }: { action: string }) => action),
      ['credential.deleted', 'credential.changed', 'credential.created'],
    );
    assert.equal(events[0].details.clientId, account.clientId);
    assert.equal(JSON.stringify(events).includes(clientSecret), false);
  });

  test('E-15 have unique names: a repeated request is refused with the address of the first credential', async () => {
    const body = { type: 'client_secret', name: 'terraform' };
    const first = await app.api('POST', path, body);
    const again = await app.api('POST', path, body);
    assertRefused(app, again, 409, 'already_exists');
    assert.equal(again.headers.get('location'), first.headers.get('location'));
    assert.equal(again.text.includes(first.json.clientSecret), false);
    const other = await app.api('POST', path, { type: 'client_secret' });
    const taken = await app.api('PATCH', String(other.headers.get('location')), { name: 'terraform' });
    assertRefused(app, taken, 409, 'already_exists');
    assert.equal(taken.headers.get('location'), first.headers.get('location'));
    // Of several requests at once, one succeeds.
    const both = await Promise.all([1, 2, 3].map(() => app.api('POST', path, { ...body, name: 'at once' })));
    assert.deepEqual(both.map((reply) => reply.status).toSorted(), [201, 409, 409]);
  });

  test('A-27 A-28 are refused if they are duplicates or invalid, and an account has at most ten keys', async () => {
    const key = clientKey('ES256', 'one');
    await app.api('POST', path, { type: 'public_key', publicKey: key.jwk });
    for (const publicKey of [key.jwk, { ...key.jwk, kid: 'two' }, { ...clientKey('ES256').jwk, kid: 'one' }]) {
      assertRefused(app, await app.api('POST', path, { type: 'public_key', publicKey }), 409, 'already_exists');
    }
    for (const body of [
      {},
      { type: 'federated' },
      { type: 'public_key' },
      { type: 'client_secret', publicKey: key.jwk },
      { type: 'client_secret', assertionMaxTtl: 60 },
      { type: 'client_secret', expiresIn: 0 },
      { type: 'client_secret', expiresIn: 'P1M' },
      { type: 'client_secret', secret: 'mine' },
      { type: 'client_secret', permissions: ['c'] },
      { type: 'client_secret', permissions: ['a', 'b'] },
      { type: 'client_secret', name: '' },
    ]) {
      const refused = await app.api('POST', path, body);
      assert.ok([400, 422].includes(refused.status), `${JSON.stringify(body)} ${refused.text}`);
      assertRefused(app, refused, refused.status, 'invalid_body');
      assert.ok(refused.json.errors.length > 0, refused.text);
    }
    const keys = await Promise.all(
      Array.from({ length: 12 }, () =>
        app.api('POST', path, { type: 'public_key', publicKey: clientKey('EdDSA').jwk }),
      ),
    );
    assert.equal(keys.filter((reply) => reply.status === 201).length, 9);
    for (const reply of keys.filter(({ status: got }) => got !== 201)) assertRefused(app, reply, 422, 'limit_reached');
  });

  test('B-26 that are disabled get the uniform refusal', async () => {
    const key = clientKey('ES256');
    const { json: byKey } = await app.api('POST', path, { type: 'public_key', publicKey: key.jwk });
    const [secret] = (await app.api('GET', path)).json;
    const unknown = await app.token({ clientId: account.clientId, clientSecret: 'nonsense' });
    for (const { credentialId } of [secret, byKey]) {
      const single = `${path}/${credentialId}`;
      assert.equal((await app.api('PATCH', single, { state: 'disabled' })).json.state, 'disabled');
      const refused =
        credentialId === byKey.credentialId
          ? await tokenByAssertion(app, assertion(key, account.clientId, app.issuer))
          : await app.token(account);
      assert.equal(refused.status, 401);
      assert.deepEqual({ ...refused.json, request_id: '' }, { ...unknown.json, request_id: '' });
      assert.equal(lastRefusal(app)['reason'], 'credential_disabled');
      assert.equal((await app.api('PATCH', single, { state: 'enabled' })).json.state, 'enabled');
    }
    assert.equal(await status(account.clientSecret), 200);
    const signed = await tokenByAssertion(app, assertion(key, account.clientId, app.issuer));
    assert.equal(signed.status, 200, signed.text);
  });

  test('with permissions of their own get at most those permissions', async () => {
    const body = { type: 'client_secret', permissions: ['b@shop/prod'] };
    const { json: narrow, status: code, text } = await app.api('POST', path, body);
    assert.equal(code, 201, text);
    const ask = (parameters = {}): Promise<Reply> =>
      app.token({ clientId: account.clientId, clientSecret: narrow.clientSecret }, parameters);
    assert.deepEqual(decodeJwt((await ask()).json.access_token)['permissions'], ['b@shop/prod']);
    assert.equal((await ask({ scope: 'b@shop/prod/eu' })).status, 200);
    for (const scope of ['a', 'b@shop', 'b@shop/test']) {
      assert.equal((await ask({ scope })).json.error, 'invalid_scope', scope);
      assert.equal(lastRefusal(app)['reason'], 'invalid_scope');
    }
    assert.equal((await app.token(account)).json.scope, 'a b@shop');
    // A permission that the account loses is lost to the credential, too.
    await app.api('DELETE', `${ACCOUNTS}/${account.clientId}/permissions/b?place=shop`);
    assert.deepEqual(decodeJwt((await ask()).json.access_token)['permissions'], []);
    const single = `${path}/${narrow.credentialId}`;
    assert.deepEqual((await app.api('PATCH', single, { permissions: null })).json.permissions, null);
    assert.equal((await ask()).json.scope, 'a');
  });

  test('E-13 are rotated without an outage: the old and the new secret work during the overlap', async () => {
    const [old] = (await app.api('GET', path)).json;
    const single = `${path}/${old.credentialId}`;
    await app.api('PATCH', single, { name: 'production', description: 'Kept' });
    let refused = 0;
    let asked = 0;
    const rotation = new AbortController();
    const client = (async (): Promise<void> => {
      while (!rotation.signal.aborted) {
        asked += 1;
        if ((await status(account.clientSecret)) !== 200) refused += 1;
      }
    })();
    const rotated = await app.api('POST', `${single}/rotate`);
    rotation.abort();
    await client;
    assert.equal(rotated.status, 201, rotated.text);
    assert.ok(asked > 0 && refused === 0);
    const { clientSecret, credentialId, name, description, state } = rotated.json;
    assert.deepEqual([name, description, state], ['production', 'Kept', 'enabled']);
    assert.equal(rotated.headers.get('location'), `${path}/${credentialId}`);
    assert.equal(await status(clientSecret), 200);
    assert.equal(await status(account.clientSecret), 200);
    const ending = (await app.api('GET', single)).json;
    assert.deepEqual([ending.state, ending.successor], ['ending', credentialId]);
    const left = Date.parse(ending.expiresAt) - Date.now();
    assert.ok(left > 86_300_000 && left <= 86_400_000, String(left));
    const again = await app.api('POST', `${single}/rotate`, {});
    assertRefused(app, again, 409, 'already_rotated');
    assert.equal(again.headers.get('location'), `${path}/${credentialId}`);
    const enabled = await app.api('PATCH', single, { state: 'enabled' });
    assertRefused(app, enabled, 409, 'already_rotated');
    assert.equal(enabled.headers.get('location'), `${path}/${credentialId}`);
    // With an overlap of 0, the old secret ends at once.
    const last = await app.api('POST', `${path}/${credentialId}/rotate`, { overlap: 0 });
    assert.equal(last.status, 201, last.text);
    assert.equal(await status(clientSecret), 401);
    assert.equal(lastRefusal(app)['reason'], 'credential_expired');
    assert.equal(await status(last.json.clientSecret), 200);
    assert.equal(await status(account.clientSecret), 200);
  });

  test('E-12 parallel rotations leave exactly the secrets that the answers returned', async () => {
    const [old] = (await app.api('GET', path)).json;
    const replies = await Promise.all(
      Array.from({ length: 20 }, () => app.api('POST', `${path}/${old.credentialId}/rotate`, { overlap: 3600 })),
    );
    const [winner, ...others] = replies.filter((reply) => reply.status === 201);
    assert.ok(winner && others.length === 0);
    for (const reply of replies.filter((one) => one !== winner)) {
      assertRefused(app, reply, 409, 'already_rotated');
      assert.equal(reply.headers.get('location'), winner.headers.get('location'));
    }
    assert.equal((await app.api('GET', path)).json.length, 2);
    assert.equal(await status(winner.json.clientSecret), 200);
    assert.equal(await status(account.clientSecret), 200);
  });

  test('B-26 that are disabled do not work after a rotation, and keep an expiry', async () => {
    const [old] = (await app.api('GET', path)).json;
    const single = `${path}/${old.credentialId}`;
    const { json: before } = await app.token(account);
    await app.api('PATCH', single, { state: 'disabled' });
    const { json: successor } = await app.api('POST', `${single}/rotate`, { overlap: 3600 });
    assert.equal(await status(successor.clientSecret), 200);
    assert.equal(await status(account.clientSecret), 401);
    assert.equal(lastRefusal(app)['reason'], 'credential_expired');
    assertRefused(app, await app.api('PATCH', single, { expiresIn: null }), 409, 'already_rotated');
    // More time makes the credential work again, as if it were enabled: its earlier tokens stay revoked.
    assert.equal((await app.api('PATCH', single, { expiresIn: 60 })).status, 200);
    assert.equal(await status(account.clientSecret), 200);
    const asked = await app.request('/oauth/introspect', {
      method: 'POST',
      headers: { Authorization: `Basic ${btoa(`${account.clientId}:${account.clientSecret}`)}` },
      body: new URLSearchParams({ token: before.access_token }),
    });
    assert.deepEqual(asked.json, { active: false });
  });

  test('of the type public_key are rotated with a new key', async () => {
    const [one, two] = [clientKey('ES256', 'one'), clientKey('RS256', 'two')];
    const { json: old } = await app.api('POST', path, {
      type: 'public_key',
      publicKey: one.jwk,
      assertionAudiences: ['https://other.example'],
    });
    const rotate = (body: object): Promise<Reply> => app.api('POST', `${path}/${old.credentialId}/rotate`, body);
    assertRefused(app, await rotate({}), 422, 'invalid_body');
    assertRefused(app, await rotate({ publicKey: one.jwk }), 409, 'already_exists');
    const rotated = await rotate({ publicKey: two.jwk, overlap: 'PT1H' });
    assert.equal(rotated.status, 201, rotated.text);
    assert.deepEqual([rotated.json.kid, rotated.json.assertionAudiences], ['two', ['https://other.example']]);
    for (const key of [one, two]) {
      const reply = await tokenByAssertion(app, assertion(key, account.clientId, app.issuer));
      assert.equal(reply.status, 200, reply.text);
    }
  });
});

describe('permission to add a credential', () => {
  const app = useTestApp(postgres18);
  const IN_A = '/api/companies/a/service-accounts';
  let admin: ApiCaller;
  before(async () => {
    await makeCompany(app, 'a');
    await makeCompany(app, 'b');
    admin = await makeCaller(app, IN_A, COMPANY_PERMISSIONS);
  });

  test('E-02 a caller adds a credential only to an account whose permissions the caller holds; managing credentials is not enough', async () => {
    const { json: strong } = await app.api('POST', IN_A, { name: 'Strong', permissions: ['orders:read', 'p'] });
    const path = `${IN_A}/${strong.clientId}/credentials`;
    const [secret] = (await app.api('GET', path)).json;
    const single = `${path}/${secret.credentialId}`;
    await app.api('PATCH', single, { state: 'disabled' });
    for (const [method, target, body] of [
      ['POST', path, { type: 'client_secret' }],
      ['POST', path, { type: 'public_key', publicKey: clientKey('ES256').jwk }],
      ['POST', path, { type: 'client_secret', permissions: ['p'] }],
      ['POST', `${single}/rotate`, {}],
      ['PATCH', single, { state: 'enabled' }],
      ['PATCH', single, { expiresIn: null }],
      ['PATCH', single, { permissions: null }],
    ] as const) {
      const refused = await app.api(method, target, body, admin.bearer);
      assertRefused(app, refused, 403, 'forbidden', `${method} ${target}`);
      assert.match(refused.json.detail, /^The account may do more than the caller: /);
    }
    // The caller may rename and delete a credential: neither gives new permissions.
    assert.equal((await app.api('PATCH', single, { name: 'leaked' }, admin.bearer)).status, 200);
    assert.equal((await app.api('DELETE', single, undefined, admin.bearer)).status, 204);
    // The caller may add a credential with a part of the permissions that the caller holds.
    await app.api('PUT', `${IN_A}/${admin.clientId}/permissions/p`);
    const part = await app.api('POST', path, { type: 'client_secret', permissions: ['p'] }, admin.bearer);
    assert.equal(part.status, 201, part.text);
    const wider = await app.api('PATCH', `${path}/${part.json.credentialId}`, { permissions: null }, admin.bearer);
    assertRefused(app, wider, 403, 'forbidden');
    // A caller with a narrowed token cannot add a credential with all the permissions of its account.
    const narrow = await apiToken(app, admin, 'writ.credentials.manage');
    const own = await app.api('POST', `${IN_A}/${admin.clientId}/credentials`, { type: 'client_secret' }, narrow);
    assertRefused(app, own, 403, 'forbidden');
    // Permissions that the account has through a group count, too.
    const { json: member } = await app.api('POST', IN_A, { name: 'Member' });
    await app.api('POST', '/api/companies/a/groups', {
      name: 'Strong ones',
      permissions: ['orders:write'],
      members: [member.clientId],
    });
    const through = await app.api(
      'POST',
      `${IN_A}/${member.clientId}/credentials`,
      { type: 'client_secret' },
      admin.bearer,
    );
    assertRefused(app, through, 403, 'forbidden');
  });

  test('E-01 a caller cannot read, change, rotate or delete a credential of another company', async () => {
    const { json: foreign } = await app.api('POST', '/api/companies/b/service-accounts', { name: 'Foreign' });
    const [credential] = (await app.api('GET', `/api/companies/b/service-accounts/${foreign.clientId}/credentials`))
      .json;
    const { json: own } = await app.api('POST', IN_A, { name: 'Own' });
    for (const path of [
      `/api/companies/b/service-accounts/${foreign.clientId}/credentials/${credential.credentialId}`,
      `${IN_A}/${foreign.clientId}/credentials/${credential.credentialId}`,
      `${IN_A}/${own.clientId}/credentials/${credential.credentialId}`,
    ]) {
      for (const method of ['GET', 'PATCH', 'DELETE']) {
        const body = method === 'PATCH' ? { name: 'Mine' } : undefined;
        assertRefused(app, await app.api(method, path, body, admin.bearer), 404, 'not_found', path);
      }
      assertRefused(app, await app.api('POST', `${path}/rotate`, {}, admin.bearer), 404, 'not_found', path);
    }
  });

  test('E-04 the last credential of the last root account is not deleted, disabled or narrowed', async () => {
    const path = `${ACCOUNTS}/${ROOT.clientId}/credentials`;
    const [only] = (await app.api('GET', path)).json;
    const single = `${path}/${only.credentialId}`;
    assertRefused(app, await app.api('DELETE', single), 409, 'last_root');
    assertRefused(app, await app.api('PATCH', single, { state: 'disabled' }), 409, 'last_root');
    assertRefused(app, await app.api('PATCH', single, { permissions: ['writ.audit.view'] }), 409, 'last_root');
    const { json: second } = await app.api('POST', path, { type: 'client_secret' });
    // Two calls at once each delete one credential, and one credential stays. The caller is another root account.
    const caller = await makeCaller(app, ACCOUNTS, ['writ.credentials.manage']);
    const both = await Promise.all(
      [only, second].map(({ credentialId }) => app.api('DELETE', `${path}/${credentialId}`, undefined, caller.bearer)),
    );
    assert.deepEqual(both.map(({ status }) => status).toSorted(), [204, 409]);
  });
});

describe('a credential that expires', () => {
  let database: TestDatabase;
  let app: TestApp;
  let now = Date.now();
  before(async () => {
    database = await embedded.create();
    app = await startTestApp(database, { WRIT_TOKEN_TTL: '86400' }, { clock: () => new Date(now) });
  });
  after(async () => {
    await app.close();
    await database.drop();
  });

  test('is refused from its expiry on, and works again when it gets more time', async () => {
    now = Date.now();
    const key = clientKey('ES256');
    const { json: account } = await app.api('POST', ACCOUNTS, {
      name: 'Short',
      permissions: ['a'],
      credentials: [
        { type: 'client_secret', expiresIn: 'PT10M' },
        { type: 'public_key', publicKey: key.jwk, expiresIn: 900 },
      ],
    });
    const [secret, publicKey] = account.credentials;
    assert.equal(Date.parse(secret.expiresAt) - Date.parse(secret.createdAt), 600_000);
    const bySecret = async (): Promise<number> => (await app.token(account)).status;
    const byKey = async (): Promise<number> =>
      (
        await tokenByAssertion(
          app,
          assertion(key, account.clientId, app.issuer, { iat: now / 1000, exp: now / 1000 + 60 }),
        )
      ).status;
    assert.equal(await bySecret(), 200);
    now += 599_000;
    assert.equal(await bySecret(), 200);
    now += 1000;
    assert.equal(await bySecret(), 401);
    assert.equal(lastRefusal(app)['reason'], 'credential_expired');
    now += 300_000;
    assert.equal(await byKey(), 401);
    assert.equal(lastRefusal(app)['reason'], 'credential_expired');
    // The credential may get more time. Its successor gets the same lifetime.
    const path = `${ACCOUNTS}/${account.clientId}/credentials`;
    await app.api('PATCH', `${path}/${secret.credentialId}`, { expiresIn: 60 });
    assert.equal(await bySecret(), 200);
    const { json: successor } = await app.api('POST', `${path}/${secret.credentialId}/rotate`, {});
    assert.equal(Date.parse(successor.expiresAt) - now, 60_000);
    const ending = (await app.api('GET', `${path}/${secret.credentialId}`)).json;
    assert.equal(Date.parse(ending.expiresAt) - now, 60_000);
    assert.equal(publicKey.type, 'public_key');
    // A credential with a successor is deleted some time after its end, and no other credential is.
    const { deleteEnded } = credentialsTable(app.knex, { management: '', default: '' });
    assert.equal(await deleteEnded(new Date(now + 59_000)), 0);
    assert.equal(await deleteEnded(new Date(now + 61_000)), 1);
    const left = (await app.api('GET', path)).json.map(({ type }: { type: string }) => type);
    assert.deepEqual(left.toSorted(), ['client_secret', 'public_key']);
  });
});
