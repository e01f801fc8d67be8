import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Reply } from '../support/api-contract.ts';
import { ROOT } from '../support/config.ts';
import { onEachDatabase } from '../support/databases.ts';
import { useTestApp } from '../support/test-app.ts';

onEachDatabase('root service accounts', (kind) => {
  const app = useTestApp(kind);

  const register = (body: object, bearer?: string): Promise<Reply> =>
    app.api('POST', '/api/service-accounts', body, bearer);

  async function auditOf(target: string): Promise<Record<string, unknown>[]> {
    return app.knex('audit_events').where({ target }).orderBy('occurred_at').select();
  }

  async function tokenOf(account: { clientId: string; clientSecret: string }, scope?: string): Promise<string> {
    const { json } = await app.token(account, { resource: `${app.issuer}/api`, ...(scope !== undefined && { scope }) });
    return json.access_token;
  }

  test('are registered, with a secret that is shown once', async () => {
    const { status, json, headers, text } = await register({ name: 'Café Orders (EU)', permissions: ['orders:read'] });
    assert.equal(status, 201, text);
    assert.equal(headers.get('location'), `/api/service-accounts/${json.clientId}`);
    assert.equal(headers.get('cache-control'), 'no-store');
    assert.match(json.clientId, /^sa_[A-Za-z0-9]{22}$/);
    assert.match(json.clientSecret, /^writ_[A-Za-z0-9]{50,90}$/);
    assert.equal(json.slug, 'cafe-orders-eu');
    assert.equal(json.clientSecretExpiresAt, 0);
    assert.ok(Math.abs(json.clientIdIssuedAt - Date.now() / 1000) < 60);
    assert.equal(json.createdBy, ROOT.clientId);
    assert.equal(json.credentials[0].clientSecret, json.clientSecret);

    const read = await app.api('GET', `/api/service-accounts/${json.clientId}`);
    const { credentials, clientSecret, clientIdIssuedAt, clientSecretExpiresAt, ...account } = json;
    assert.deepEqual(read.json, account);
    const list = await app.api('GET', '/api/service-accounts');
    assert.deepEqual(list.json[0], account);
    assert.equal(list.text.includes(clientSecret), false);
    assert.ok(credentials && clientIdIssuedAt && clientSecretExpiresAt === 0);
  });

  test('are registered in one transaction with an audit event, which holds no secret', async () => {
    const { json, headers } = await register({ name: 'Audited', permissions: ['a', 'b'] });
    const [event, ...others] = await auditOf(json.clientId);
    assert.equal(others.length, 0);
    assert.equal(event?.['action'], 'service_account.created');
    const { json: credentials } = await app.api('GET', `/api/service-accounts/${ROOT.clientId}/credentials`);
    const { credentialId } = credentials[0];
    assert.deepEqual(event['actor'], { type: 'service_account', clientId: ROOT.clientId, credentialId });
    assert.equal(event['source'], '127.0.0.1');
    assert.equal(event['request_id'], headers.get('x-request-id'));
    assert.deepEqual(event['details'], {
      name: 'Audited',
      slug: 'audited',
      state: 'enabled',
      audience: 'api://default',
      permissions: ['a', 'b'],
      credentials: [{ credentialId: json.credentials[0].credentialId, type: 'client_secret' }],
    });
    const line = app.log().findLast((entry) => entry['event'] === 'service_account.created');
    assert.equal(line?.['target'], json.clientId);
    assert.equal(line?.['requestId'], headers.get('x-request-id'));
    assert.equal(JSON.stringify(app.log()).includes(json.clientSecret), false);
  });

  test('are not registered when their audit event cannot be written', async () => {
    await app.knex.schema.alterTable('audit_events', (table) => table.renameColumn('details', 'gone'));
    try {
      assert.equal((await register({ name: 'Unaudited' })).status, 500);
    } finally {
      await app.knex.schema.alterTable('audit_events', (table) => table.renameColumn('gone', 'details'));
    }
    assert.deepEqual(await app.knex('service_accounts').where({ slug: 'unaudited' }), []);
    assert.deepEqual(
      await app.knex('credentials').whereNotIn('client_id', app.knex('service_accounts').select('client_id')),
      [],
    );
  });

  test('are listed newest first', async () => {
    await register({ name: 'Older' });
    await register({ name: 'Newer' });
    const { json } = await app.api('GET', '/api/service-accounts');
    assert.deepEqual(
      json.slice(0, 2).map((account: { slug: string }) => account.slug),
      ['newer', 'older'],
    );
    assert.equal(json.at(-1).clientId, ROOT.clientId);
    assert.deepEqual(json.at(-1).roles, ['root']);
  });

  test('are deleted for good, get no more tokens, and stay in the audit', async () => {
    const { json: account } = await register({ name: 'Short lived', permissions: ['writ.serviceaccounts.view'] });
    const bearer = await tokenOf(account);
    assert.equal((await app.api('GET', '/api/service-accounts', undefined, bearer)).status, 200);

    const removed = await app.api('DELETE', `/api/service-accounts/${account.clientId}`);
    assert.equal(removed.status, 204);
    assert.equal(removed.text, '');
    assert.equal((await app.token(account)).status, 401);
    assert.equal((await app.api('GET', '/api/service-accounts', undefined, bearer)).status, 401);
    assert.equal((await app.api('GET', `/api/service-accounts/${account.clientId}`)).status, 404);
    assert.equal((await app.api('DELETE', `/api/service-accounts/${account.clientId}`)).status, 404);
    assert.deepEqual(
      (await auditOf(account.clientId)).map((event) => event['action']),
      ['service_account.created', 'service_account.deleted'],
    );
    assert.equal((await app.knex('retired_ids').where({ id: account.clientId })).length, 1);
    assert.equal((await app.knex('credentials').where({ client_id: account.clientId })).length, 0);
  });

  test('are not registered twice: a repeated request is refused with the address of the first account', async () => {
    const { json: first } = await register({ name: 'Same', slug: 'same-again' });
    const second = await register({ name: 'Other', slug: 'same-again' });
    assert.equal(second.status, 409);
    assert.equal(second.json.code, 'already_exists');
    assert.equal(second.headers.get('location'), `/api/service-accounts/${first.clientId}`);
    assert.deepEqual(second.json.errors, [{ pointer: '/slug', message: 'is taken' }]);
  });

  test('are registered once by many equal requests at once', async () => {
    const replies = await Promise.all(Array.from({ length: 12 }, () => register({ name: 'Race' })));
    assert.deepEqual(replies.map(({ status }) => status).toSorted(), [201, ...Array.from({ length: 11 }, () => 409)]);
  });

  test('keep the last root account, also after parallel deletions of another one', async () => {
    const last = await app.api('DELETE', `/api/service-accounts/${ROOT.clientId}`);
    assert.equal(last.status, 409);
    assert.equal(last.json.code, 'last_root');
    assert.equal(app.log().findLast((line) => line['event'] === 'management.refused')?.['reason'], 'last_root');

    const { json: second } = await register({ name: 'Second root' });
    await app.knex('grants').insert({
      grant_id: 'grant_test',
      client_id: second.clientId,
      kind: 'role',
      name: 'root',
      role_key: 'root',
    });
    const bearer = await tokenOf(second);
    const both = await Promise.all([
      app.api('DELETE', `/api/service-accounts/${second.clientId}`, undefined, bearer),
      app.api('DELETE', `/api/service-accounts/${second.clientId}`),
      app.api('DELETE', `/api/service-accounts/${second.clientId}`),
    ]);
    assert.equal(both.filter(({ status }) => status === 204).length, 1);
    assert.equal((await app.api('DELETE', `/api/service-accounts/${ROOT.clientId}`)).status, 409);
  });

  test('take the audience of their permissions, and require an explicit one when the permissions span two', async () => {
    const management = await register({ name: 'Viewer', permissions: ['writ.serviceaccounts.view'] });
    assert.equal(management.json.audience, `${app.issuer}/api`);
    const mixed = { name: 'Mixed', permissions: ['writ.serviceaccounts.view', 'orders:read'] };
    const asked = await register(mixed);
    assert.equal(asked.status, 422);
    assert.equal(asked.json.code, 'audience_required');
    assert.equal((await register({ ...mixed, audience: 'api://default' })).json.audience, 'api://default');
    assert.equal((await register({ name: 'Lost', audience: 'api://nowhere' })).status, 422);
  });

  test('get no permission that the caller does not hold', async () => {
    const { json: manager } = await register({
      name: 'Manager',
      permissions: ['writ.serviceaccounts.manage', 'orders:read'],
      audience: `${app.issuer}/api`,
    });
    const bearer = await tokenOf(manager);
    assert.equal((await register({ name: 'Allowed', permissions: ['orders:read'] }, bearer)).status, 201);
    for (const permissions of [['orders:write'], ['writ.permissions.grant'], ['writ.serviceaccounts.view']]) {
      const { status, json } = await register({ name: 'Escalated', permissions }, bearer);
      assert.equal(status, 403, String(permissions));
      assert.equal(json.code, 'forbidden');
      assert.match(json.detail, new RegExp(String(permissions).replaceAll('.', '\\.')));
    }
    assert.equal(app.log().findLast((line) => line['event'] === 'management.refused')?.['reason'], 'forbidden');
  });

  test('are managed with a permission that the token carries and the account still holds', async () => {
    const { json: manager } = await register({
      name: 'Both',
      permissions: ['writ.serviceaccounts.manage', 'writ.serviceaccounts.view'],
    });
    const narrow = await tokenOf(manager, 'writ.serviceaccounts.view');
    const refused = await register({ name: 'X' }, narrow);
    assert.equal(refused.status, 403);
    assert.equal(refused.json.code, 'insufficient_scope');
    assert.equal(refused.json.required, 'writ.serviceaccounts.manage');
    assert.match(
      String(refused.headers.get('www-authenticate')),
      /^Bearer realm="writ", error="insufficient_scope", scope="writ\.serviceaccounts\.manage"/,
    );

    const wide = await tokenOf(manager);
    await app.knex('grants').where({ client_id: manager.clientId, name: 'writ.serviceaccounts.view' }).delete();
    assert.equal((await app.api('GET', '/api/service-accounts', undefined, wide)).status, 403);
  });

  test('cannot be read with a token for another audience, with a forged token or without a token', async () => {
    const { json: account } = await register({ name: 'Elsewhere', permissions: ['orders:read'] });
    const elsewhere = (await app.token(account)).json.access_token;
    const root = await app.rootToken();
    const [header, payload, signature] = root.split('.');
    const tampered = `${header}.${btoa(JSON.stringify({ ...JSON.parse(atob(String(payload))), sub: account.clientId })).replaceAll('=', '')}.${signature}`;
    const metadata = `resource_metadata="${app.issuer}/.well-known/oauth-protected-resource/api"`;
    const told = `error_description="The access token is for api://default: ask for resource=${app.issuer}/api", `;
    for (const [bearer, reason, description = ''] of [
      [elsewhere, 'token_invalid', told],
      [tampered, 'token_invalid'],
      [`${root}x`, 'token_invalid'],
      ['x', 'token_invalid'],
      ['a b', 'token_malformed'],
    ] as const) {
      const { status, json, headers } = await app.api('GET', '/api/service-accounts', undefined, bearer);
      assert.equal(status, 401);
      assert.equal(json.code, 'unauthorized');
      assert.equal(
        headers.get('www-authenticate'),
        [
          `Bearer realm="writ", error="invalid_token", ${description}${metadata}`,
          `DPoP realm="writ", algs="ES256 PS256 EdDSA Ed25519", ${metadata}`,
        ].join(', '),
      );
      assert.equal(app.log().findLast((line) => line['event'] === 'management.refused')?.['reason'], reason);
    }
    const without = await app.request('/api/service-accounts');
    assert.equal(without.status, 401);
    assert.equal(app.log().findLast((line) => line['event'] === 'management.refused')?.['reason'], 'token_missing');
  });

  test('are not registered by an invalid body: the answer has a pointer to the fault', async () => {
    const post = (body: string, type = 'application/json'): Promise<Reply> =>
      app.rootToken().then((token) =>
        app.request('/api/service-accounts', {
          method: 'POST',
          headers: { Authorization: `Bearer ${token}`, 'Content-Type': type },
          body,
        }),
      );
    const cases: [string, number, string | undefined][] = [
      ['{', 400, undefined],
      ['', 400, undefined],
      ['[]', 400, ''],
      ['{}', 400, '/name'],
      ['{"name":1}', 400, '/name'],
      ['{"name":"a","isRoot":true}', 400, '/isRoot'],
      ['{"name":"a","client_id":"x"}', 400, '/client_id'],
      ['{"name":"a","__proto__":{"x":1}}', 400, '/__proto__'],
      ['{"name":"a","permissions":"b"}', 400, '/permissions'],
      ['{"name":"a","permissions":[1]}', 400, '/permissions/0'],
      ['{"name":""}', 422, '/name'],
      ['{"name":" "}', 422, '/name'],
      [`{"name":"${'a'.repeat(129)}"}`, 422, '/name'],
      ['{"name":"a\\u202eb"}', 422, '/name'],
      ['{"name":"a\\u0000b"}', 422, '/name'],
      ['{"name":"a\\ud800b"}', 422, '/name'],
      ['{"name":"a","slug":"A b"}', 422, '/slug'],
      ['{"name":"a","permissions":["b","a b"]}', 422, '/permissions/1'],
      ['{"name":"a","permissions":["a@"]}', 422, '/permissions/0'],
      ['{"name":"a","permissions":["writ.everything"]}', 422, '/permissions/0'],
      ['{"name":"a","tokenEndpointAuthMethod":"none"}', 422, '/tokenEndpointAuthMethod'],
    ];
    for (const [body, status, pointer] of cases) {
      const reply = await post(body);
      assert.equal(reply.status, status, `${body} ${reply.text}`);
      assert.equal(reply.json.code, 'invalid_body');
      assert.match(String(reply.headers.get('content-type')), /^application\/problem\+json/);
      assert.equal(reply.json.errors?.[0]?.pointer, pointer, body);
      assert.equal(reply.json.requestId, reply.headers.get('x-request-id'));
      assert.equal(reply.json.message, reply.json.detail);
    }
    for (const type of ['application/x-www-form-urlencoded', 'text/json', 'application/json2', 'multipart/form-data']) {
      assert.equal((await post('{"name":"a"}', type)).status, 415, type);
    }
    assert.equal((await post('{"name":"a"}', 'application/merge-patch+json')).status, 415);
    assert.equal((await post(JSON.stringify({ name: 'a'.repeat(300_000) }))).status, 413);
  });

  test('are read from JSON in UTF-8, with any parameters of its media type', async () => {
    for (const type of [
      'application/json; charset=ISO-8859-1',
      'Application/JSON;charset="utf-16"',
      'application/json ; version=1; x="a;b"',
      'application/json;',
    ]) {
      const headers = { 'Content-Type': type };
      const made = await app.api('POST', '/api/service-accounts', { name: 'Büro ⚿' }, undefined, headers);
      assert.deepEqual([made.status, made.json.name], [201, 'Büro ⚿'], type);
      const patched = await app.api('PATCH', `/api/service-accounts/${made.json.clientId}`, { name: 'é' }, undefined, {
        'Content-Type': type.replace(/\/json/i, '/merge-patch+json'),
      });
      assert.deepEqual([patched.status, patched.json.name], [200, 'é'], type);
      await app.api('DELETE', `/api/service-accounts/${made.json.clientId}`);
    }
  });

  test('have paths that answer 405 to other methods, and unknown paths answer 404', async () => {
    const { status, headers, json } = await app.api('PUT', '/api/service-accounts', {});
    assert.equal(status, 405);
    assert.equal(headers.get('allow'), 'GET, POST');
    assert.equal(json.code, 'method_not_allowed');
    for (const path of [
      '/api',
      '/api/nothing',
      '/api/service-accounts/a/b',
      '/api/service-accounts/%',
      '/api/service-accounts/sa_unknown',
      '/api/service-accounts/a%00b',
    ]) {
      assert.equal((await app.api('GET', path)).status, 404, path);
    }
    assert.equal((await app.api('GET', '/api/service-accounts/')).status, 200);
  });
});
