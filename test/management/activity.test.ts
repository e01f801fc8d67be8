import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import type { Reply } from '../support/api-contract.ts';
import { MOST_ALONE } from '../../src/domain/activity/gather-refusals.ts';
import { REFUSAL_REASONS } from '../../src/domain/activity/refusal.ts';
import { formatSecret } from '../../src/domain/credentials/client-secret.ts';
import { refusalsTable } from '../../src/storage/refusals-table.ts';
import { exchangeOf } from '../support/accounts.ts';
import { claimsFor, type ClientKey, assertion, clientKey, jws, tokenByAssertion } from '../support/assertions.ts';
import { type ApiCaller, apiToken, assertRefused, makeCaller, makeCompany } from '../support/companies.ts';
import { newest, onEachDatabase, postgres18, type TestDatabase } from '../support/databases.ts';
import { eventually } from '../support/eventually.ts';
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.ts';
import { exchange } from '../support/raw-socket.ts';
import { startTestApp, type TestApp, useTestApp } from '../support/test-app.ts';
import { type TestClock, testClock } from '../support/test-clock.ts';
import { written } from '../support/written.ts';

const PAUSE = 50;
const ACCOUNTS = '/api/service-accounts';
const SECRET_OF_NOBODY = formatSecret('client_secret', Buffer.alloc(32, 7));
const MISTYPED = 'writ_x';

interface Refusals {
  readonly reason: string;
  readonly clientId: string | null;
  readonly known: boolean;
  readonly company: string | null;
  readonly source: string | null;
  readonly count: number;
  readonly firstAt: string;
  readonly lastAt: string;
  readonly recent: readonly {
    readonly requestId: string;
    readonly endpoint: string;
    readonly source: string;
    readonly credentialId: string | null;
    readonly status: number | null;
    readonly error: string | null;
    readonly errorDescription: string | null;
    readonly detail: string | null;
  }[];
}

/** Starts a node that writes activity after a short pause, and takes the source from `X-Forwarded-For`. */
const startNode = (database: TestDatabase, pause = PAUSE, clock: TestClock = testClock()): Promise<TestApp> =>
  startTestApp(
    database,
    { WRIT_TRUSTED_PROXIES: '127.0.0.1', WRIT_ISSUER: 'https://id.example' },
    { activityPause: pause, clock },
  );

/** Sends a token request that must be refused. @returns the request id of the answer */
async function refused(
  app: TestApp,
  form: Record<string, string>,
  { path = '/oauth/token', source = '192.0.2.1', basic = '' } = {},
): Promise<string> {
  const reply = await app.request(path, {
    method: 'POST',
    headers: { 'X-Forwarded-For': source, ...(basic !== '' && { Authorization: `Basic ${btoa(basic)}` }) },
    body: new URLSearchParams({ grant_type: 'client_credentials', ...form }),
  });
  assert.ok([400, 401].includes(reply.status), reply.text);
  return reply.json.request_id;
}

async function activity(app: TestApp, path: string, bearer?: string): Promise<Refusals[]> {
  const reply: Reply = await app.api('GET', path, undefined, bearer);
  assert.equal(reply.status, 200, reply.text);
  return reply.json.refusals ?? reply.json;
}

async function find(app: TestApp, requestId: string, where = '/api', bearer?: string): Promise<Refusals[]> {
  return activity(app, `${where}/activity?requestId=${requestId}`, bearer);
}

onEachDatabase('the activity of a service account', (kind) => {
  let database: TestDatabase;
  let app: TestApp;
  const key = clientKey('ES256', 'good');
  const clock = testClock();
  before(async () => {
    database = await kind.create();
    app = await startNode(database, PAUSE, clock);
    await makeCompany(app, 'acme');
    await makeCompany(app, 'other');
  });
  after(async () => {
    await app.close();
    await database.drop();
  });

  async function account(path = ACCOUNTS, keys: readonly ClientKey[] = [key]): Promise<Record<string, string>> {
    const { status, json, text } = await app.api('POST', path, {
      name: `Account ${randomUUID()}`,
      permissions: ['a'],
      credentials: [{ type: 'client_secret' }, ...keys.map(({ jwk }) => ({ type: 'public_key', publicKey: jwk }))],
    });
    assert.equal(status, 201, text);
    const credentials: { type: string; credentialId: string }[] = json.credentials;
    const idOf = (wanted: string): string => credentials.find(({ type }) => type === wanted)?.credentialId ?? '';
    return { ...json, keyId: idOf('public_key'), secretId: idOf('client_secret'), path: `${path}/${json.clientId}` };
  }

  const signed = (
    clientId: string,
    changes: Record<string, unknown> = {},
    header: Record<string, unknown> = {},
  ): Record<string, string> => ({
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: assertion(key, clientId, app.issuer, changes, { kid: 'good', ...header }),
  });

  test('shows the true reason for a refused API key, which the client does not learn', async () => {
    const { path = '' } = await account(ACCOUNTS, []);
    const { json } = await app.api('POST', `${path}/credentials`, { type: 'api_key', audience: 'api://default' });
    await app.api('PATCH', `${path}/credentials/${json.credentialId}`, { state: 'disabled' });
    const requestId = await refused(app, exchangeOf(json.clientSecret));
    await written(PAUSE, app);
    const [row] = await activity(app, `${path}/activity`);
    const [request] = row?.recent ?? [];
    assert.deepEqual(
      [row?.reason, request?.requestId, request?.credentialId, request?.detail],
      ['credential_disabled', requestId, json.credentialId, 'credential_disabled'],
    );
  });

  test('finds every refused request by its id, with the answer that the client got', async () => {
    const { clientId = '', clientSecret = '' } = await account();
    const FORM = 'application/x-www-form-urlencoded';
    const basic = { Authorization: `Basic ${btoa(`${clientId}:${clientSecret}`)}` };
    const requests: [string, string, RequestInit, number, string][] = [
      ['/oauth/token', 'token', { method: 'GET' }, 405, 'invalid_request'],
      ['/oauth/introspect', 'introspection', { method: 'PUT' }, 405, 'invalid_request'],
      ['/oauth/revoke', 'revocation', { method: 'OPTIONS' }, 405, 'invalid_request'],
      [
        '/oauth/token',
        'token',
        { method: 'POST', body: 'x'.repeat(40_000), headers: { 'Content-Type': FORM } },
        413,
        '',
      ],
      ['/oauth/token', 'token', { method: 'POST', body: 'x', headers: { 'Content-Type': 'text/plain' } }, 415, ''],
      ['/oauth/token?scope=a', 'token', { method: 'POST', headers: basic }, 400, 'invalid_request'],
      ['/oauth/token', 'token', { method: 'POST', body: new URLSearchParams('a=1&a=2') }, 400, 'invalid_request'],
      [
        '/oauth/token',
        'token',
        { method: 'POST', body: new URLSearchParams(), headers: { Authorization: 'x' } },
        400,
        '',
      ],
      ['/oauth/token', 'token', { method: 'POST', body: new URLSearchParams() }, 401, 'invalid_client'],
      [
        '/oauth/token',
        'token',
        { method: 'POST', body: new URLSearchParams(), headers: basic },
        400,
        'invalid_request',
      ],
      ['/oauth/introspect', 'introspection', { method: 'POST', body: new URLSearchParams(), headers: basic }, 400, ''],
      ['/tokeninfo', 'tokeninfo', {}, 401, 'invalid_token'],
      ['/tokeninfo', 'tokeninfo', { headers: { Authorization: 'Bearer x' } }, 401, 'invalid_token'],
      ['/tokeninfo', 'oauth', { method: 'POST' }, 405, 'invalid_request'],
      ['/oauth/authorize?client_id=x', 'authorization', {}, 400, 'unsupported_response_type'],
      ['/oauth/tokens', 'oauth', { method: 'POST' }, 404, 'invalid_request'],
      ['/oauth/status-lists/99', 'oauth', {}, 404, 'invalid_request'],
      ['/.well-known/jwks.json', 'oauth', { method: 'POST' }, 405, 'invalid_request'],
    ];
    const sent: [string, Reply, string][] = [];
    for (const [path, endpoint, init, status, error] of requests) {
      const reply = await app.request(path, init);
      assert.equal(reply.status, status, `${path} ${reply.text}`);
      if (error !== '') assert.equal(reply.json.error, error, path);
      assert.equal(reply.json.request_id, reply.headers.get('x-request-id'), path);
      sent.push([endpoint, reply, path]);
    }
    await written(PAUSE, app);
    for (const [endpoint, { status, json }, path] of sent) {
      const line = app.log().findLast(({ requestId }) => requestId === json.request_id);
      assert.deepEqual([line?.['event'], line?.['status']], [`${endpoint}.refused`, status], path);
      const [row, ...others] = await find(app, json.request_id);
      assert.deepEqual(others, []);
      const [request] = row?.recent ?? [];
      assert.deepEqual(
        [request?.endpoint, request?.status, request?.error, request?.errorDescription],
        [endpoint, status, json.error, json.error_description],
        path,
      );
    }
    assert.equal(JSON.stringify(await app.knex('refusals').select()).includes(clientSecret.slice(-20)), false);
  });

  test('says how a client id or a secret is mistyped, and the client gets only the uniform refusal', async () => {
    const { clientId = '', clientSecret = '' } = await account();
    const wrong = await ask(clientId, SECRET_OF_NOBODY);
    const cases: [string, string, RegExp][] = [
      [clientId, `${clientSecret}\n`, /^the secret ends with a line break$/],
      [clientId, `${clientSecret}\r\n`, /^the secret ends with a line break$/],
      [clientId, `${clientSecret} `, /^the secret ends with a blank$/],
      [clientId, `\n${clientSecret}`, /^the secret begins with a blank or a line break$/],
      [
        clientId,
        `${clientSecret.slice(0, 9)}\t${clientSecret.slice(9)}`,
        /^the secret has a blank or a line break in it$/,
      ],
      [clientId, `${clientSecret}\0`, /^the secret has a character that is no visible character of ASCII$/],
      [clientId, `${clientSecret.slice(0, -1)}é`, /^the secret has a character that is no visible/],
      [clientId, `\uFEFF${clientSecret}`, /^the secret begins with a blank or a line break$/],
      [`${clientId}\n`, clientSecret, /^the client id ends with a line break$/],
      [` ${clientId}`, clientSecret, /^the client id begins with a blank or a line break$/],
      [`${clientId}\r\n`, `${clientSecret}\r\n`, /^the client id ends with a line break$/],
    ];
    for (const [id, secret, detail] of cases) {
      for (const way of ['basic', 'post', 'encoded'] as const) {
        const note = JSON.stringify([id, secret, way]);
        const reply = await ask(id, secret, way);
        assert.deepEqual(seen(reply), seen(wrong), note);
        const line = app.log().findLast(({ event }) => event === 'token.refused');
        assert.deepEqual([line?.['reason'], line?.['requestId']], ['secret_mistyped', reply.json.request_id], note);
        await written(PAUSE, app);
        const [row] = await find(app, reply.json.request_id);
        assert.deepEqual([row?.reason, row?.clientId], ['secret_mistyped', clientId], note);
        assert.match(row?.recent[0]?.detail ?? '', detail, note);
      }
    }

    function ask(id: string, secret: string, way: 'basic' | 'post' | 'encoded' = 'basic'): Promise<Reply> {
      const encoded = (text: string): string => (way === 'encoded' ? encodeURIComponent(text) : text);
      const basic = Buffer.from(`${encoded(id)}:${encoded(secret)}`).toString('base64');
      return app.request('/oauth/token', {
        method: 'POST',
        headers: way === 'post' ? {} : { Authorization: `Basic ${basic}` },
        body: new URLSearchParams({
          grant_type: 'client_credentials',
          ...(way === 'post' && { client_id: id, client_secret: secret }),
        }),
      });
    }

    function seen({ status, headers, json }: Reply): unknown {
      return [status, headers.get('www-authenticate'), { ...json, request_id: '' }];
    }
  });

  test('shows each refusal with its true reason, its request, source, credential and detail', async () => {
    const { clientId = '', clientSecret = '', path = '', keyId = '', secretId = '' } = await account();
    clock.stop();
    const seconds = Math.floor(clock().getTime() / 1000);
    const replayed = signed(clientId);
    assert.equal((await tokenByAssertion(app, replayed['client_assertion'] ?? '')).status, 200);
    const stranger = clientKey('ES256');
    const unsigned = jws(stranger, { alg: 'ES256', kid: 'good' }, claimsFor(clientId, app.issuer));
    const basic = `${clientId}:${clientSecret}`;
    const endless = `${clientSecret.slice(0, -1)}${clientSecret.endsWith('a') ? 'b' : 'a'}`;
    const type = signed('')['client_assertion_type'] ?? '';
    const table: [string, Record<string, string>, string | null, RegExp | null, string?][] = [
      ['secret_wrong', { client_id: clientId, client_secret: SECRET_OF_NOBODY }, null, null],
      ['secret_mistyped', { client_id: clientId, client_secret: endless }, null, null],
      ['no_client_authentication', { client_id: clientId }, null, null],
      [
        'assertion_malformed',
        { client_assertion_type: type, client_assertion: jws(key, { alg: 'HS256' }, {}), client_id: clientId },
        null,
        /^alg is 'HS256', expected one of RS256, PS256, ES256, EdDSA, Ed25519$/,
      ],
      [
        'assertion_key_unknown',
        signed(clientId, {}, { kid: 'bad' }),
        null,
        /^kid is 'bad' and alg ES256, the account has no key with both$/,
      ],
      ['assertion_signature', { client_assertion_type: type, client_assertion: unsigned }, keyId, null],
      ['assertion_type', signed(clientId, {}, { typ: 'at+jwt' }), keyId, /^typ is 'at\+jwt', expected/],
      ['assertion_issuer', signed(clientId, { iss: 'sa_me' }), keyId, /^iss is 'sa_me', expected the same as sub/],
      [
        'assertion_audience',
        signed(clientId, { aud: 'https://other.example' }),
        keyId,
        /^aud is 'https:\/\/other\.example', expected https:\/\/id\.example$/,
      ],
      ['assertion_expiry', signed(clientId, { exp: seconds - 37 }), keyId, /^expired 37 seconds ago by our clock/],
      ['assertion_lifetime', signed(clientId, { exp: seconds + 4000 }), keyId, /^exp is 4000 seconds ahead, at most/],
      ['assertion_issued_at', signed(clientId, { iat: seconds + 50 }), keyId, /^iat is 50 seconds ahead of our/],
      ['assertion_not_before', signed(clientId, { nbf: seconds + 50 }), keyId, /^nbf is 50 seconds ahead of/],
      ['assertion_jti', signed(clientId, { jti: '' }), keyId, /^jti is '', expected/],
      ['assertion_replay', replayed, keyId, /^jti has been used already/],
      ['invalid_scope', { scope: 'not-held' }, secretId, /not-held/, basic],
      ['invalid_target', { resource: 'https://nowhere.example' }, secretId, /nowhere/, basic],
      ['unsupported_grant_type', { grant_type: 'password' }, secretId, /unsupported grant_type/, basic],
    ];
    const requests = new Map<string, string>();
    for (const [reason, form, , , credentials = ''] of table) {
      requests.set(reason, await refused(app, form, { source: '192.0.2.9', basic: credentials }));
    }
    clock.go();
    const expected = new Map(table.map(([reason, , credentialId, detail]) => [reason, { credentialId, detail }]));
    await written(PAUSE, app);
    for (const { credentialId, state, reason } of [
      { credentialId: keyId, state: { expiresIn: 1 }, reason: 'credential_expired' },
      { credentialId: secretId, state: { state: 'disabled' }, reason: 'credential_disabled' },
    ]) {
      await app.api('PATCH', `${path}/credentials/${credentialId}`, state);
      if (reason === 'credential_expired') await setTimeout(1100);
      const attempt = reason === 'credential_expired' ? signed(clientId) : {};
      const options = { source: '192.0.2.9', ...(reason === 'credential_disabled' && { basic }) };
      requests.set(reason, await refused(app, attempt, options));
      expected.set(reason, { credentialId, detail: null });
    }
    await app.api('PATCH', path, { state: 'disabled' });
    requests.set('account_disabled', await refused(app, {}, { source: '192.0.2.9', basic }));
    expected.set('account_disabled', { credentialId: null, detail: null });
    await written(PAUSE, app);

    const shown = await activity(app, `${path}/activity`);
    assert.deepEqual(shown.map(({ reason }) => reason).toSorted(), [...expected.keys()].toSorted());
    for (const row of shown) {
      const { reason, recent, firstAt, lastAt } = row;
      const { credentialId = null, detail = null } = expected.get(reason) ?? {};
      assert.deepEqual(
        [row.clientId, row.known, row.company, row.source, row.count],
        [clientId, true, null, '192.0.2.9', 1],
        reason,
      );
      assert.ok(firstAt === lastAt && Math.abs(Date.parse(lastAt) - Date.now()) < 60_000);
      const [request] = recent;
      assert.equal(request?.requestId, requests.get(reason), reason);
      assert.deepEqual([request?.endpoint, request?.source], ['token', '192.0.2.9'], reason);
      assert.equal(request?.credentialId, credentialId, reason);
      if (detail === null) assert.equal(request?.detail, null, reason);
      else assert.match(request?.detail ?? '', detail, reason);
    }
    // The other reasons have no row here: they concern no existing account, no particular account, or a refusal by the
    // library itself.
    const elsewhere = [
      'account_unknown',
      // Only a profile refuses methods and algorithms.
      'method_refused',
      'assertion_algorithm',
      'assertion_time',
      'invalid_client',
      'invalid_request',
      'unauthorized_client',
      'unsupported_response_type',
      'unsupported_token_type',
      'invalid_token',
      'insufficient_scope',
      'too_many_attempts',
      'temporarily_unavailable',
      'server_error',
      // Proofs of possession, certificates and tokens of other issuers have tests of their own.
      'invalid_dpop_proof',
      'use_dpop_nonce',
      'invalid_grant',
      ...REFUSAL_REASONS.filter((reason) => /^(?:external|certificate)_/.test(reason)),
    ];
    assert.deepEqual([...expected.keys(), ...elsewhere].toSorted(), REFUSAL_REASONS.toSorted());

    const { uses } = (await app.api('GET', `${path}/activity`)).json;
    assert.deepEqual(
      uses.map(({ credentialId, lastUsedFrom }: Record<string, string>) => [credentialId, lastUsedFrom]),
      [[keyId, '127.0.0.1']],
    );
    const everything = JSON.stringify(await app.knex('refusals').select());
    for (const secret of [clientSecret, endless, SECRET_OF_NOBODY, unsigned, replayed['client_assertion'] ?? '']) {
      assert.equal(everything.includes(secret.slice(-40)), false);
    }
  });

  test('shows the reason and the number of refused introspections and revocations', async () => {
    const { clientId = '', path = '' } = await account();
    const basic = `${clientId}:${SECRET_OF_NOBODY}`;
    for (const where of ['/oauth/introspect', '/oauth/revoke']) {
      await refused(app, { token: 'x' }, { path: where, basic });
    }
    await written(PAUSE, app);
    const [row, ...others] = await activity(app, `${path}/activity`);
    assert.deepEqual(others, []);
    assert.deepEqual([row?.reason, row?.count], ['secret_wrong', 2]);
    assert.deepEqual(
      row?.recent.map(({ endpoint }) => endpoint),
      ['revocation', 'introspection'],
    );
  });

  test('root finds every refusal by the id of its request, and a company only the refusals of its own accounts', async () => {
    const inAcme = '/api/companies/acme';
    const { clientId = '', path = '' } = await account(`${inAcme}/service-accounts`);
    const caller = (company: string, permission: string): Promise<ApiCaller> =>
      makeCaller(app, `/api/companies/${company}/service-accounts`, [permission]);
    const viewer = await caller('acme', 'writ.activity.view');
    const stranger = await caller('other', 'writ.activity.view');
    const own = await refused(app, {}, { basic: `${clientId}:${SECRET_OF_NOBODY}` });
    const rootAccount = await account();
    // The node does not remember this account, and a mistyped secret does not make it read the account.
    const roots = await refused(app, {}, { basic: `${rootAccount['clientId']}:${MISTYPED}` });
    const nobodys = await refused(app, {}, { basic: `sa_nobody_has_this_id:${SECRET_OF_NOBODY}` });
    const mistyped = await refused(app, {}, { basic: `sa_nobody_has_that_id:${MISTYPED}` });
    const unnamed = await refused(app, {});
    await written(PAUSE, app);

    const reasons = async (id: string, where?: string, bearer?: string): Promise<unknown[]> =>
      (await find(app, id, where, bearer)).map((row) => [row.reason, row.clientId, row.company, row.known]);
    const ofAcme = [['secret_wrong', clientId, 'acme', true]];
    assert.deepEqual(await reasons(own), ofAcme);
    assert.deepEqual(await reasons(own, inAcme, viewer.bearer), ofAcme);
    assert.deepEqual(await reasons(roots), [['secret_mistyped', rootAccount['clientId'], null, true]]);
    assert.deepEqual(await reasons(nobodys), [['account_unknown', 'sa_nobody_ha...', null, false]]);
    assert.deepEqual(await reasons(mistyped), [['secret_mistyped', 'sa_nobody_ha...', null, false]]);
    assert.deepEqual(await reasons(unnamed), [['no_client_authentication', null, null, false]]);
    for (const id of [roots, nobodys, mistyped, unnamed])
      assert.deepEqual(await reasons(id, inAcme, viewer.bearer), []);
    assert.deepEqual(await reasons(own, '/api/companies/other', stranger.bearer), []);
    // A row counts several requests, and the answer shows only the request that was asked for.
    await refused(app, {}, { basic: `${clientId}:${SECRET_OF_NOBODY}` });
    await written(PAUSE, app);
    const [row] = await find(app, own);
    assert.deepEqual([row?.count, row?.recent.map(({ requestId }) => requestId)], [2, [own]]);

    assert.deepEqual((await activity(app, `/api/activity?clientId=${clientId}`)).length, 1);
    assert.deepEqual((await activity(app, '/api/activity?clientId=sa_nobody_has_this_id')).length, 2);
    assert.ok((await activity(app, `${inAcme}/activity`, viewer.bearer)).every(({ company }) => company === 'acme'));
    const denied = await app.api('GET', `${inAcme}/activity`, undefined, stranger.bearer);
    assertRefused(app, denied, 404, 'not_found');
    assertRefused(app, await app.api('GET', `${path}/activity`, undefined, stranger.bearer), 404, 'not_found');
    const root = await app.api('GET', '/api/activity', undefined, viewer.bearer);
    assertRefused(app, root, 403, 'forbidden');
    const wrong = `${inAcme}/service-accounts/${rootAccount['clientId']}/activity`;
    assertRefused(app, await app.api('GET', wrong, undefined, viewer.bearer), 404, 'not_found');
    const narrow = await caller('acme', 'writ.serviceaccounts.view');
    const asViewer = await app.api('GET', `${path}/activity`, undefined, narrow.bearer);
    assertRefused(app, asViewer, 403, 'insufficient_scope');
    assert.ok(await apiToken(app, viewer));
  });

  test('is deleted with the account, and later refusals of the same id belong to no account', async () => {
    const { clientId = '', path = '' } = await account();
    await refused(app, {}, { basic: `${clientId}:${SECRET_OF_NOBODY}` });
    await written(PAUSE, app);
    assert.equal((await app.api('DELETE', path)).status, 204);
    assert.deepEqual(await activity(app, `/api/activity?clientId=${clientId}`), []);
    await refused(app, {}, { basic: `${clientId}:${SECRET_OF_NOBODY}` });
    await written(PAUSE, app);
    const rows = await activity(app, `/api/activity?clientId=${clientId}`);
    assert.deepEqual(
      rows.map(({ reason, known }) => [reason, known]),
      [['account_unknown', false]],
    );
  });

  test('drops old refusals, and lets quiet rows make room for other sources and ids', async () => {
    const { clientId = '', path = '' } = await account();
    const store = refusalsTable(app.knex);
    const basic = `${clientId}:${SECRET_OF_NOBODY}`;
    const from = async (...hosts: number[]): Promise<void> => {
      for (const host of hosts) await refused(app, {}, { basic, source: `192.0.2.${host}` });
      await written(PAUSE, app);
    };
    const sources = async (): Promise<string[]> =>
      (await activity(app, `${path}/activity`)).map(({ source }) => source ?? 'many').toSorted();
    const quiet = (hosts: number[]): Promise<number> =>
      app
        .knex('refusals')
        .where({ client_id: clientId })
        .whereIn(
          'source',
          hosts.map((host) => `192.0.2.${host}`),
        )
        .update({ last_at: new Date(Date.now() - 2 * 86_400_000) });
    await from(1, 2, 3, 4, 5, 6, 7, 8);
    await quiet([1, 2]);
    await store.deleteBefore(new Date(0));
    assert.equal((await sources()).length, 8);
    await from(9);
    await store.deleteBefore(new Date(0));
    // The hosts come one after the other: of two hosts at once, either may get the last row of its own.
    for (const host of [9, 10, 11]) await from(host);
    const alone = ['10', '3', '4', '5', '6', '7', '8', '9'].map((host) => `192.0.2.${host}`);
    assert.deepEqual(await sources(), [...alone, 'many']);

    const made = async (...ids: string[]): Promise<void> => {
      for (const id of ids) await refused(app, {}, { basic: `${id}:${MISTYPED}`, source: '192.0.2.99' });
      await written(PAUSE, app);
    };
    const known = async (id: string): Promise<number> => (await activity(app, `/api/activity?clientId=${id}`)).length;
    await made('m1', 'm2', 'm3', 'm4', 'm5', 'm6', 'm7', 'm8', 'm9');
    assert.deepEqual([await known('m8'), await known('m9')], [1, 0]);
    await app
      .knex('refusals')
      .where({ named: 'm1' })
      .update({ last_at: new Date(Date.now() - 2 * 86_400_000) });
    await store.deleteBefore(new Date(0));
    await made('m9');
    assert.deepEqual([await known('m1'), await known('m9')], [0, 1]);

    await store.deleteBefore(new Date(Date.now() + 1000));
    assert.deepEqual([await sources(), await known('m9')], [[], 0]);
  });

  test('does not store a secret that was sent as the client id', async () => {
    const { clientSecret = '', clientId = '' } = await account();
    const id = await refused(app, { client_id: clientSecret, client_secret: clientId });
    await written(PAUSE, app);
    const [row] = await find(app, id);
    assert.equal(row?.clientId, `${clientSecret.slice(0, 12)}...`);
    const everything = JSON.stringify(await app.knex('refusals').select());
    assert.equal(everything.includes(clientSecret.slice(0, 20)), false);
  });
});

for (const kind of newest) {
  describe(`a flood of refusals (${kind.name})`, () => {
    let database: TestDatabase;
    let app: TestApp;
    before(async () => {
      database = await kind.create();
      app = await startNode(database);
    });
    after(async () => {
      await app.close();
      await database.drop();
    });

    async function inParallel(count: number, one: (index: number) => Promise<unknown>): Promise<void> {
      let next = 0;
      const worker = async (): Promise<void> => {
        while (next < count) {
          next += 1;
          await one(next);
        }
      };
      await Promise.all(Array.from({ length: 20 }, worker));
    }

    test('C-08 displaces no other refusal, keeps exact counts, and leaves few rows', async () => {
      const { json: target } = await app.api('POST', ACCOUNTS, { name: 'Target', permissions: ['a'] });
      const { clientId, clientSecret } = target;
      const good = { clientId, clientSecret };
      const mattering = await app.token(good, { scope: 'not-held' });
      assert.equal(mattering.status, 400);
      const early = await refused(app, {}, { basic: `${clientId}:${SECRET_OF_NOBODY}`, source: '198.51.100.1' });
      const unknown = await refused(app, {}, { basic: `sa_misspelt:${MISTYPED}`, source: '198.51.100.1' });
      await written(PAUSE, app);
      const source = (index: number): string => `203.0.${index % 113}.${index % 251}`;
      const size = 2000;
      await inParallel(size * 0.7, async (index) => {
        const secret = index % 2 === 0 ? SECRET_OF_NOBODY : MISTYPED;
        await refused(app, {}, { basic: `${clientId}:${secret}`, source: source(index) });
      });
      await inParallel(size * 0.3, async (index) => {
        await refused(app, {}, { basic: `sa_made_up_${index}:${MISTYPED}`, source: `203.0.113.${index % 3}` });
      });
      const late = await app.token(good, { scope: 'neither-held' });
      await written(PAUSE, app);

      const shown = await activity(app, `${ACCOUNTS}/${clientId}/activity`);
      const ids = (reason: string): (string | undefined)[] =>
        shown.filter((row) => row.reason === reason).flatMap(({ recent }) => recent.map(({ requestId }) => requestId));
      assert.deepEqual(ids('invalid_scope'), [late.json.request_id, mattering.json.request_id]);
      assert.ok(ids('secret_wrong').includes(early));
      for (const reason of ['secret_wrong', 'secret_mistyped']) {
        const rows = shown.filter((row) => row.reason === reason);
        assert.equal(rows.length, MOST_ALONE + 1, reason);
        assert.equal(rows.filter((row) => row.source === null).length, 1, reason);
        const counted = rows.reduce((sum, { count }) => sum + count, 0);
        assert.equal(counted, size * 0.35 + (reason === 'secret_wrong' ? 1 : 0));
      }
      assert.deepEqual((await find(app, unknown)).length, 1);
      const { rows: total } = await app.knex.raw('select count(*)::int from refusals');
      assert.ok(total[0].count < 100, String(total[0].count));
      assert.equal(app.log().filter(({ event }) => event === 'refusals.dropped').length, 0);
    });

    test('C-08 with made-up ids from ever new sources leaves at most a thousand rows, besides the rows of accounts', async () => {
      const { json: target } = await app.api('POST', ACCOUNTS, { name: 'Another', permissions: ['a'] });
      await app.token(target, { scope: 'not-held' });
      await inParallel(2500, async (index) => {
        const source = `10.${index % 7}.${Math.floor(index / 250)}.${index % 250}`;
        await refused(app, {}, { basic: `sa_u${index}:${MISTYPED}`, source });
      });
      await written(PAUSE, app);
      const rows: unknown[] = await app.knex('refusals').whereNull('client_id').select('named');
      assert.ok(rows.length <= 1000 && rows.length > 500, String(rows.length));
      assert.equal((await activity(app, `${ACCOUNTS}/${target.clientId}/activity`)).length, 1);
    });
  });
}

describe('the refusals of several nodes', () => {
  let database: TestDatabase;
  let proxy: FaultProxy;
  let one: TestApp;
  let two: TestApp;
  before(async () => {
    database = await postgres18.create();
    proxy = await startFaultProxy(database.url);
    one = await startNode(database);
    two = await startNode({ ...database, url: proxy.url });
  });
  after(async () => {
    proxy.heal();
    await Promise.all([one.close(), two.close()]);
    await proxy.close();
    await database.drop();
  });

  test('include the failures of the server itself, once the database is back', async () => {
    const stranger = { clientId: 'sa_in_the_dark', clientSecret: SECRET_OF_NOBODY };
    proxy.cut();
    const away = await two.token(stranger);
    proxy.heal();
    await one.knex.raw('alter table service_accounts rename to mislaid');
    const failed = await one.token(stranger);
    await one.knex.raw('alter table mislaid rename to service_accounts');
    for (const [{ status, json }, expected, reason] of [
      [away, 503, 'temporarily_unavailable'],
      [failed, 500, 'server_error'],
    ] as const) {
      assert.equal(status, expected);
      await eventually(
        60_000,
        async () => (await find(one, json.request_id)).length === 1,
        `the refusal with ${expected} was not recorded in time`,
      );
      const [row] = await find(one, json.request_id);
      const [request] = row?.recent ?? [];
      assert.deepEqual(
        [row?.reason, row?.clientId, request?.status, request?.error, request?.errorDescription],
        [reason, 'sa_in_the_da...', status, json.error, json.error_description],
      );
    }
    const kept = JSON.stringify(await one.knex('refusals').select());
    assert.doesNotMatch(kept, /node_modules|relation|select|ECONN/);
  });

  test('add up over the nodes, newest first, also those that a node writes when it stops', async () => {
    const { json: target } = await one.api('POST', ACCOUNTS, { name: 'Twice', permissions: ['a'] });
    const third = await startNode(database, 3_600_000);
    const ids: string[] = [];
    for (const node of [one, two, third, two, one]) {
      ids.push(await refused(node, {}, { basic: `${target.clientId}:${SECRET_OF_NOBODY}` }));
      // Two requests in one millisecond would have no order.
      const at = Date.now();
      await eventually(1000, () => Date.now() > at);
    }
    await third.close();
    await written(PAUSE, one, two);
    const [row, ...others] = await activity(two, `${ACCOUNTS}/${target.clientId}/activity`);
    assert.deepEqual(others, []);
    assert.equal(row?.count, 5);
    assert.deepEqual(
      row.recent.map(({ requestId }) => requestId),
      ids.toReversed(),
    );
  });

  test('are all recorded after an outage of the database', async () => {
    const { json: target } = await one.api('POST', ACCOUNTS, { name: 'Away', permissions: ['a'] });
    assert.equal((await two.token(target)).status, 200);
    proxy.cut();
    for (let round = 0; round < 30; round += 1) {
      await refused(two, {}, { basic: `${target.clientId}:${SECRET_OF_NOBODY}`, source: `192.0.2.${round}` });
    }
    const last = await two.token(target, { scope: 'not-held' });
    await eventually(8000, () => two.log().some(({ event }) => event === 'database.lost'));
    proxy.heal();
    let rows: Refusals[] = [];
    const sum = (): number => rows.reduce((all, { count }) => all + count, 0);
    await eventually(8000, async () => {
      rows = await activity(one, `${ACCOUNTS}/${target.clientId}/activity`);
      return sum() >= 31;
    });
    const wrong = rows.filter(({ reason }) => reason === 'secret_wrong');
    assert.equal(wrong.length, MOST_ALONE + 1);
    assert.equal(
      wrong.reduce((sum, { count }) => sum + count, 0),
      30,
    );
    assert.equal((await find(one, last.json.request_id)).length, 1);
  });
});

describe('a request that the server cannot read', () => {
  const app = useTestApp(postgres18, {}, { activityPause: 20 });

  const idOf = (answer: string): string => String(/^X-Request-Id: (\S+)\r$/im.exec(answer)?.[1]);

  test('is found by its id in the log and in the activity, with the status of the answer', async () => {
    const ask = (text: string): Promise<{ text: string }> => exchange(app.url, [text]);
    for (const [sent, status] of [
      ['NONSENSE\r\n\r\n', 400],
      [`GET /oauth/token HTTP/1.1\r\nHost: x\r\n${'X-Filler: x\r\n'.repeat(120)}\r\n`, 431],
      ['POST /oauth/token HTTP/1.1\r\nHost: x\r\nExpect: miracles\r\nContent-Length: 1\r\n\r\nx', 417],
    ] as const) {
      const { text } = await ask(sent);
      assert.ok(text.startsWith(`HTTP/1.1 ${status}`), text);
      const requestId = String(/^X-Request-Id: (\S+)\r$/im.exec(text)?.[1]);
      const line = app.log().find((entry) => entry['requestId'] === requestId);
      assert.deepEqual([line?.['event'], line?.['status']], ['http.refused', status]);
      await eventually(10_000, async () => {
        const { json } = await app.api('GET', `/api/activity?requestId=${requestId}`);
        return json.length === 1 && json[0].recent.some((one: { status: number }) => one.status === status);
      });
    }
  });

  test('is logged once when its body breaks off', async () => {
    const before = app.log().length;
    const head = 'POST /oauth/token HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n';
    const { text, closed } = await exchange(app.url, [`${head}Transfer-Encoding: chunked\r\n\r\nno size\r\n`]);
    assert.ok(closed);
    assert.match(text, /^HTTP\/1\.1 400 /);
    const added = (): Record<string, unknown>[] => app.log().slice(before);
    await eventually(10_000, () => added().some(({ event }) => event === 'token.refused'));
    assert.deepEqual(
      added().map(({ event, reason, requestId, source }) => [event, reason, requestId, source]),
      [['token.refused', 'client_gone', idOf(text), '127.0.0.1']],
    );
    const requestId = idOf(text);
    let found: { source: string; recent: { status: number }[] }[] = [];
    await eventually(10_000, async () => {
      found = (await app.api('GET', `/api/activity?requestId=${requestId}`)).json;
      return found.length > 0;
    });
    assert.deepEqual([found.length, found[0]?.source], [1, '127.0.0.1']);
  });

  test('is answered with its own request id in the format of its endpoint, however late its body breaks off', async () => {
    for (const [target, form, event] of [
      ['/api/companies', 'application/problem+json', 'management.refused'],
      ['/oauth/token', 'application/json', 'token.refused'],
    ] as const) {
      const id = `broken-${target.slice(1, 4)}`;
      const head = [
        `POST ${target} HTTP/1.1`,
        'Host: x',
        `X-Request-Id: ${id}`,
        'Content-Type: application/json',
        `Authorization: Bearer ${await app.rootToken()}`,
        'Transfer-Encoding: chunked',
      ];
      // The head and a whole chunk are read long before the body breaks off.
      async function* parts(): AsyncGenerator<string> {
        yield `${head.join('\r\n')}\r\n\r\n2\r\n{"\r\n`;
        await setTimeout(100);
        yield 'no size\r\n';
      }
      const before = app.log().length;
      const { text } = await exchange(app.url, parts());
      assert.match(text, /^HTTP\/1\.1 400 /);
      assert.match(text, new RegExp(`^Content-Type: ${form.replace('+', '\\+')}`, 'im'));
      assert.equal(idOf(text), id);
      await eventually(10_000, () => app.log().length > before);
      const lines = app
        .log()
        .slice(before)
        .filter(({ requestId }) => requestId === id);
      assert.deepEqual(
        lines.map((line) => [line['event'], line['source']]),
        [[event, '127.0.0.1']],
      );
    }
  });

  test('is logged also when the answer to an earlier request is due on its connection', async () => {
    const before = app.log().length;
    // The first request is whole, and its answer comes before the refusal of the second.
    const whole = `GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n`;
    const { text } = await exchange(app.url, [`${whole}NONSENSE\r\n\r\n`]);
    const refused = text.slice(text.lastIndexOf('HTTP/1.1 400'));
    assert.match(refused, /^HTTP\/1\.1 400 /);
    const lines = app
      .log()
      .slice(before)
      .filter(({ requestId }) => requestId === idOf(refused));
    assert.deepEqual(
      lines.map(({ event, status, source }) => [event, status, source]),
      [['http.refused', 400, '127.0.0.1']],
    );
  });

  test('is answered with problem+json when its path belongs to the management API', async () => {
    const { text } = await exchange(app.url, [
      `GET /api/self HTTP/1.1\r\nHost: x\r\n${'X-Filler: x\r\n'.repeat(120)}\r\n`,
    ]);
    assert.match(text, /^HTTP\/1\.1 431 /);
    assert.match(text, /^Content-Type: application\/problem\+json/im);
    assert.equal(JSON.parse(text.slice(text.indexOf('{'))).code, 'too_large');
    const unread = await exchange(app.url, [`GET /api/${'x'.repeat(20_000)} HTTP/1.1\r\nHost: x\r\n\r\n`]);
    assert.match(unread.text, /^HTTP\/1\.1 431 /);
    assert.match(unread.text, /^Content-Type: application\/problem\+json/im);
  });

  test('is answered with an OAuth error when its path is the token endpoint of Mia-Platform below /api', async () => {
    for (const target of ['/api/m2m/oauth/token', '/api/m2m/oauth/token/', '/api/m2m/oauth/token?x=y']) {
      const { text } = await exchange(app.url, [
        `POST ${target} HTTP/1.1\r\nHost: x\r\n${'X-Filler: x\r\n'.repeat(120)}\r\n`,
      ]);
      assert.match(text, /^HTTP\/1\.1 431 /);
      assert.match(text, /^Content-Type: application\/json/im);
      const { error, request_id: requestId } = JSON.parse(text.slice(text.indexOf('{')));
      assert.equal(error, 'invalid_request');
      await eventually(10_000, async () => {
        const { json } = await app.api('GET', `/api/activity?requestId=${requestId}`);
        return json.length === 1 && json[0].recent.some((one: { status: number }) => one.status === 431);
      });
    }
  });
});
