import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { ROOT } from '../support/config.ts';
import { onEachDatabase } from '../support/databases.ts';
import { useTestApp } from '../support/test-app.ts';

onEachDatabase('the token endpoint', (kind) => {
  const app = useTestApp(kind);

  async function register(body: object): Promise<{ clientId: string; clientSecret: string }> {
    const { status, text, json } = await app.api('POST', '/api/service-accounts', body);
    assert.equal(status, 201, text);
    return json;
  }

  test('issues a token for the management API to the root account', async () => {
    const { status, json } = await app.token(ROOT);
    assert.equal(status, 200);
    assert.deepEqual(Object.keys(json).toSorted(), ['access_token', 'expires_in', 'scope', 'token_type']);
    assert.equal(json.token_type, 'Bearer');
    assert.equal(json.expires_in, 900);
    assert.equal(decodeJwt(json.access_token).aud, `${app.issuer}/api`);
  });

  test('B-24 issues a token with its client, audience, permissions and expiry', async () => {
    const account = await register({ name: 'Orders', permissions: ['orders:write', 'orders:read'] });
    const { json } = await app.token(account);
    const header = decodeProtectedHeader(json.access_token);
    const { iat, exp, jti, status, ...claims } = decodeJwt(json.access_token);
    assert.equal(header.typ, 'at+jwt');
    assert.equal(header.alg, 'ES256');
    assert.equal(typeof header.kid, 'string');
    assert.equal(Number(exp) - Number(iat), json.expires_in);
    assert.match(String(jti), /^[\w-]{20,}$/);
    assert.match(JSON.stringify(status), /^\{"status_list":\{"idx":\d+,"uri":"[^"]+\/oauth\/status-lists\/0"\}\}$/);
    assert.deepEqual(claims, {
      iss: app.issuer,
      sub: account.clientId,
      client_id: account.clientId,
      aud: 'api://default',
      scope: 'orders:read orders:write',
      permissions: ['orders:read', 'orders:write'],
    });
  });

  test('B-24 issues each token with a jti of its own and with the id of the right account', async () => {
    const accounts = await Promise.all([
      register({ name: 'One of two', permissions: ['a'] }),
      register({ name: 'Two of two', permissions: ['a'] }),
    ]);
    const ids = new Set<string>();
    for (let round = 0; round < 50; round += 1) {
      const replies = await Promise.all(accounts.map((account) => app.token(account)));
      replies.forEach(({ json }, index) => {
        const { sub, jti } = decodeJwt(json.access_token);
        assert.equal(sub, accounts[index]?.clientId);
        ids.add(String(jti));
      });
    }
    assert.equal(ids.size, 100);
  });

  test('B-18 forbids caching of tokens and refusals', async () => {
    const replies = [await app.token(ROOT), await app.token({ clientId: ROOT.clientId, clientSecret: 'wrong' })];
    for (const { headers } of replies) {
      assert.equal(headers.get('cache-control'), 'no-store');
      assert.equal(headers.get('pragma'), 'no-cache');
      assert.match(String(headers.get('content-type')), /^application\/json/);
      assert.equal(headers.get('x-content-type-options'), 'nosniff');
    }
  });

  test('E-22 sets no cookie', async () => {
    for (const { headers } of [await app.token(ROOT), await app.api('GET', '/api/service-accounts')]) {
      assert.equal(headers.get('set-cookie'), null);
    }
  });

  test('issues a token with empty permissions and without a scope to an account without permissions', async () => {
    const { json } = await app.token(await register({ name: 'Powerless' }));
    assert.equal('scope' in json, false);
    const claims = decodeJwt(json.access_token);
    assert.equal('scope' in claims, false);
    assert.deepEqual(claims['permissions'], []);
  });

  test('N-16 issues a JWT with permissions when the request names no resource', async () => {
    const account = await register({ name: 'Plain', permissions: ['reports:read'] });
    const { json } = await app.token(account, { scope: 'reports:read' });
    assert.equal(json.scope, 'reports:read');
    assert.deepEqual(decodeJwt(json.access_token)['permissions'], ['reports:read']);
  });

  test('narrows a token to the requested scope', async () => {
    const account = await register({ name: 'Wide', permissions: ['a', 'b', 'c'] });
    const { json } = await app.token(account, { scope: 'c a a' });
    assert.equal(json.scope, 'a c');
    assert.deepEqual(decodeJwt(json.access_token)['permissions'], ['a', 'c']);
  });

  test('N-17 refuses a scope that the account does not hold, and names the missing permissions', async () => {
    const account = await register({ name: 'Narrow', permissions: ['a'] });
    const { status, json } = await app.token(account, { scope: 'a b c' });
    assert.equal(status, 400);
    assert.equal(json.error, 'invalid_scope');
    assert.equal(json.error_description, 'not held at api://default: b c');
    assert.equal(app.log().findLast((line) => line['event'] === 'token.refused')?.['error'], 'invalid_scope');
  });

  test('N-26 takes the audience from resource, from its synonym audience or from the scope', async () => {
    const account = await register({
      name: 'Two APIs',
      permissions: ['a', 'writ.serviceaccounts.view'],
      audience: 'api://default',
    });
    const audience = async (parameters: Record<string, string>): Promise<unknown> => {
      const { status, json } = await app.token(account, parameters);
      return status === 200 ? decodeJwt(json.access_token).aud : json.error;
    };
    assert.equal(await audience({}), 'api://default');
    assert.equal(await audience({ resource: 'api://default' }), 'api://default');
    assert.equal(await audience({ resource: 'api://default/' }), 'api://default');
    assert.equal(await audience({ audience: 'api://default' }), 'api://default');
    assert.equal(await audience({ resource: `${app.issuer}/api` }), `${app.issuer}/api`);
    assert.equal(await audience({ scope: 'writ.serviceaccounts.view' }), `${app.issuer}/api`);
    assert.equal(await audience({ scope: 'a writ.serviceaccounts.view' }), 'invalid_scope');
    assert.equal(await audience({ resource: 'https://elsewhere.example' }), 'invalid_target');
    assert.equal(await audience({ audience: 'no-such-name' }), 'invalid_target');
    assert.equal(await audience({ resource: 'api://default', audience: `${app.issuer}/api` }), 'invalid_target');
  });

  test('N-26 refuses two resources', async () => {
    const { status, json } = await app.request('/oauth/token', {
      method: 'POST',
      headers: { Authorization: `Basic ${btoa(`${ROOT.clientId}:${ROOT.clientSecret}`)}` },
      body: new URLSearchParams([
        ['grant_type', 'client_credentials'],
        ['resource', 'api://default'],
        ['resource', `${app.issuer}/api`],
      ]),
    });
    assert.equal(status, 400);
    assert.equal(json.error, 'invalid_request');
  });

  test('N-18 issues a token of its own to each of 120 accounts, and none to a deleted account', async () => {
    const accounts: { clientId: string; clientSecret: string }[] = [];
    for (let index = 0; index < 120; index += 1) {
      accounts.push(await register({ name: `Many ${index}`, permissions: [`own:${index}`] }));
    }
    for (const [index, account] of accounts.entries()) {
      const { json } = await app.token(account);
      assert.equal(json.scope, `own:${index}`);
    }
    const [first] = accounts;
    assert.ok(first);
    assert.equal((await app.api('DELETE', `/api/service-accounts/${first.clientId}`)).status, 204);
    assert.equal((await app.token(first)).status, 401);
  });

  test('answers every failed authentication with the same body, and logs the reason', async () => {
    const account = await register({ name: 'Guessed at' });
    const attempts: { clientId: string; clientSecret: string; reason: string; detail?: RegExp }[] = [
      { ...account, clientSecret: `${account.clientSecret}\n`, reason: 'secret_mistyped', detail: /line break/ },
      { ...account, clientSecret: ROOT.clientSecret, reason: 'secret_wrong' },
      { clientId: 'sa_nobody', clientSecret: account.clientSecret, reason: 'account_unknown' },
    ];
    const bodies = new Set<string>();
    for (const { reason, detail, ...credentials } of attempts) {
      const { status, headers, json } = await app.token(credentials);
      assert.equal(status, 401);
      assert.equal(headers.get('www-authenticate'), 'Basic realm="writ"');
      const { request_id: id, ...rest } = json;
      assert.equal(id, headers.get('x-request-id'));
      bodies.add(JSON.stringify(rest));
      const line = app.log().findLast((entry) => entry['event'] === 'token.refused');
      assert.equal(line?.['reason'], reason);
      assert.equal(line['requestId'], id);
      if (detail !== undefined) assert.match(String(line['detail']), detail);
    }
    assert.deepEqual(
      [...bodies],
      [
        '{"error":"invalid_client","error_description":"client authentication failed","message":"client authentication failed"}',
      ],
    );
  });

  test('refuses every other grant type, and a request without a grant type', async () => {
    for (const grantType of [
      'password',
      'authorization_code',
      'refresh_token',
      'implicit',
      'urn:ietf:params:oauth:grant-type:device_code',
    ]) {
      const { status, json } = await app.token(ROOT, { grant_type: grantType });
      assert.equal(status, 400, grantType);
      assert.equal(json.error, 'unsupported_grant_type', grantType);
    }
    const { status, json } = await app.token(ROOT, { grant_type: '' });
    assert.equal(status, 400);
    assert.equal(json.error, 'invalid_request');
  });
});
