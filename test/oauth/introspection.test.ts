import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeJwt } from 'jose';
import * as oauth from 'oauth4webapi';
import type { Reply } from '../support/api-contract.ts';
import { type RegisteredAccount, registerAccount } from '../support/accounts.ts';
import { assertion, clientKey, registerWithKeys, tokenByAssertion } from '../support/assertions.ts';
import { apiToken, makeCaller, makeCompany } from '../support/companies.ts';
import { ROOT } from '../support/config.ts';
import { embeddedAndNewest, onEachDatabase } from '../support/databases.ts';
import { useTestApp } from '../support/test-app.ts';

interface Client {
  readonly clientId: string;
  readonly clientSecret: string;
}

onEachDatabase(
  'introspection and revocation',
  (kind) => {
    const app = useTestApp(kind);

    const account = (name: string, body: object = {}, path?: string): Promise<RegisteredAccount> =>
      registerAccount(app, { name, ...body }, path);

    const tokenOf = async (client: Client, parameters = {}): Promise<string> =>
      String((await app.token(client, parameters)).json.access_token);

    const introspect = (client: Client, token: string): Promise<Reply> =>
      app.asClient('/oauth/introspect', client, { token });
    const revoke = (client: Client, token: string): Promise<Reply> => app.asClient('/oauth/revoke', client, { token });

    function lastLine(event: string): Record<string, unknown> | undefined {
      return app.log().findLast((line) => line['event'] === event);
    }

    test('introspection tells a client all claims of its own token', async () => {
      const client = await account('Asks about itself');
      const token = await tokenOf(client);
      const { status, json, headers } = await introspect(client, token);
      assert.equal(status, 200);
      assert.deepEqual(json, { active: true, ...decodeJwt(token), token_type: 'Bearer' });
      assert.deepEqual([headers.get('cache-control'), headers.get('pragma')], ['no-store', 'no-cache']);
      const hinted = await app.asClient('/oauth/introspect', client, { token, token_type_hint: 'refresh_token' });
      assert.equal(hinted.json.active, true);
    });

    test('introspection answers nothing but active: false about a forged token or another text', async () => {
      const client = await account('Asks about rubbish');
      const token = await tokenOf(client);
      const [header, payload, signature = ''] = token.split('.');
      const forged = `${header}.${payload}.${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`;
      for (const wrong of ['x', 'presented', 'a.b.c', forged, `${token}x`, token.slice(0, -8), client.clientSecret]) {
        const { status, json } = await introspect(client, wrong);
        assert.deepEqual([status, json], [200, { active: false }], wrong.slice(0, 40));
      }
      // A status list is signed by the same key, and is no access token.
      const list = await app.request('/oauth/status-lists/0');
      assert.deepEqual((await introspect(ROOT, list.text)).json, { active: false });
    });

    test('introspection answers other clients only if introspectedBy names them or they hold writ.tokens.introspect', async () => {
      const [api, stranger, client] = [
        await account('The API'),
        await account('A stranger'),
        await account('Calls it'),
      ];
      const { json: server } = await app.api('POST', '/api/resource-servers', {
        identifier: 'https://orders.example.com',
        name: 'Orders',
        permissions: [{ name: 'order.see' }],
      });
      await app.api('PUT', `${client.path}/permissions/order.see`);
      const token = await tokenOf(client, { resource: 'https://orders.example.com' });
      const other = await tokenOf(client);
      const active = async (asking: Client, about: string): Promise<boolean> =>
        (await introspect(asking, about)).json.active;
      assert.deepEqual([await active(api, token), await active(stranger, token)], [false, false]);
      const path = `/api/resource-servers/${server.resourceServerId}`;
      const named = await app.api('PATCH', path, { introspectedBy: [api.clientId] });
      assert.deepEqual(named.json.introspectedBy, [api.clientId]);
      assert.deepEqual(
        [await active(api, token), await active(api, other), await active(stranger, token), await active(ROOT, other)],
        [true, false, false, true],
      );
      await app.api('PATCH', path, { introspectedBy: [] });
      assert.equal(await active(api, token), false);
      // A credential that is narrowed to other permissions may not introspect.
      const root = await account('Sees all', {
        permissions: ['writ.tokens.introspect', 'orders:read'],
        audience: 'api://default',
      });
      assert.equal(await active(root, token), true);
      const { json: part } = await app.api('POST', `${root.path}/credentials`, {
        type: 'client_secret',
        permissions: ['orders:read'],
      });
      assert.equal(await active({ clientId: root.clientId, clientSecret: part.clientSecret }, token), false);
    });

    test('E-21 a company names only its own accounts in introspectedBy', async () => {
      await makeCompany(app, 'asking');
      await makeCompany(app, 'asked-about');
      const own = await account('Own API', {}, '/api/companies/asking/service-accounts');
      const foreign = await account('Foreign API', {}, '/api/companies/asked-about/service-accounts');
      const body = { identifier: 'api://asking/orders', name: 'Orders', permissions: [{ name: 'o' }] };
      for (const clientId of [foreign.clientId, ROOT.clientId, 'nobody', 'own-api']) {
        const refused = await app.api('POST', '/api/companies/asking/resource-servers', {
          ...body,
          introspectedBy: [own.clientId, clientId],
        });
        assert.deepEqual([refused.status, refused.json.errors[0].pointer], [422, '/introspectedBy/1'], clientId);
      }
      const { json, status } = await app.api('POST', '/api/companies/asking/resource-servers', {
        ...body,
        introspectedBy: [own.clientId],
      });
      assert.deepEqual([status, json.introspectedBy], [201, [own.clientId]]);
      // A deleted account disappears from introspectedBy.
      await app.api('DELETE', own.path);
      const read = await app.api('GET', `/api/companies/asking/resource-servers/${json.resourceServerId}`);
      assert.deepEqual(read.json.introspectedBy, []);
    });

    test('introspection takes every client authentication method, and refuses as the token endpoint does', async () => {
      const key = clientKey('ES256');
      const client = await registerWithKeys(app, 'Asks with a key', [key]);
      const { json } = await tokenByAssertion(app, assertion(key, client.clientId, app.issuer));
      const signed = assertion(key, client.clientId, app.issuer);
      const body = (value: string): URLSearchParams =>
        new URLSearchParams({
          token: json.access_token,
          client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
          client_assertion: value,
        });
      const asked = await app.request('/oauth/introspect', { method: 'POST', body: body(signed) });
      assert.equal(asked.json.active, true);
      const replayed = await app.request('/oauth/introspect', { method: 'POST', body: body(signed) });
      assert.deepEqual([replayed.status, replayed.json.error], [401, 'invalid_client']);
      assert.equal(lastLine('introspection.refused')?.['reason'], 'assertion_replay');
      const wrong = await introspect({ ...ROOT, clientSecret: `${ROOT.clientSecret}x` }, 'x');
      assert.deepEqual([wrong.status, wrong.headers.get('www-authenticate')], [401, 'Basic realm="writ"']);
      assert.equal(lastLine('introspection.refused')?.['reason'], 'secret_wrong');
      const without = await app.asClient('/oauth/introspect', ROOT, {});
      assert.deepEqual([without.status, without.json.error], [400, 'invalid_request']);
      assert.equal((await app.request('/oauth/introspect')).status, 405);
      assert.equal((await app.request('/oauth/revoke')).status, 405);
      const nobody = await app.request('/oauth/introspect', {
        method: 'POST',
        body: new URLSearchParams({ token: 'x' }),
      });
      assert.equal(nobody.status, 401);
    });

    /** An account whose credentials a gateway sends in the header and in the body of one request. */
    async function behindGateway(name: string) {
      const client = await account(name);
      const token = await tokenOf(client);
      const { clientId, clientSecret } = client;
      const send = (path: string, basic: string, body: Record<string, string>): Promise<Reply> =>
        app.request(path, {
          method: 'POST',
          headers: { Authorization: `Basic ${btoa(basic)}` },
          body: new URLSearchParams({ token, ...body }),
        });
      const both = { client_id: clientId, client_secret: clientSecret };
      return { clientId, clientSecret, send, both, plain: `${clientId}:${clientSecret}` };
    }

    test('introspection and revocation take credentials that are the same in header and body', async () => {
      const { clientId, clientSecret, send, both, plain } = await behindGateway('Gateway one');
      const hex = (text: string): string => Buffer.from(text).toString('hex').replaceAll(/../g, '%$&');
      for (const [basic, body] of [
        [plain, both],
        [`${hex(clientId)}:${hex(clientSecret)}`, both],
        [plain, { client_secret: clientSecret }],
      ] as const) {
        const asked = await send('/oauth/introspect', basic, body);
        assert.deepEqual([asked.status, asked.json.active], [200, true], asked.text);
      }
      // Wrong credentials are refused with the same reason as when they come once.
      const wrong = { client_id: clientId, client_secret: 'a+b%c' };
      for (const basic of [`${clientId}:a+b%c`, `${clientId}:a%2Bb%25c`]) {
        assert.equal((await send('/oauth/introspect', basic, wrong)).status, 401);
        assert.equal(lastLine('introspection.refused')?.['reason'], 'secret_wrong');
      }
      assert.equal((await send('/oauth/revoke', plain, both)).status, 200);
      assert.equal((await send('/oauth/introspect', plain, both)).json.active, false);
    });

    test('introspection and revocation refuse credentials that differ in header and body', async () => {
      const { clientId, clientSecret, send, both, plain } = await behindGateway('Gateway two');
      const key = clientKey('ES256');
      const assertions = {
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
        client_assertion: assertion(key, clientId, app.issuer),
      };
      for (const [basic, body] of [
        [plain, { ...both, client_secret: `${clientSecret}x` }],
        [plain, { ...both, client_id: ROOT.clientId }],
        [`${clientId}:`, both],
        [clientId, both],
        [`${ROOT.clientId}:${clientSecret}`, both],
        [plain, assertions],
        [plain, { ...both, ...assertions }],
      ] as const) {
        for (const path of ['/oauth/introspect', '/oauth/revoke']) {
          const refused = await send(path, basic, body);
          assert.deepEqual([refused.status, refused.json.error], [400, 'invalid_request'], JSON.stringify(body));
          assert.match(
            refused.json.error_description,
            /client_secret_basic and (?:client_secret_post|private_key_jwt)/,
          );
        }
      }
    });

    test('the token endpoint refuses credentials in header and body, even if they are the same', async () => {
      const { send, both, plain } = await behindGateway('Gateway three');
      const strict = await send('/oauth/token', plain, { ...both, grant_type: 'client_credentials' });
      assert.deepEqual(
        [strict.status, strict.json.error_description],
        [
          400,
          'exactly one client authentication method must be used, and this request uses client_secret_basic and client_secret_post',
        ],
      );
      const bearer = await app.request('/oauth/token', {
        method: 'POST',
        headers: { Authorization: 'Bearer x' },
        body: new URLSearchParams({ ...both, grant_type: 'client_credentials' }),
      });
      assert.match(
        bearer.json.error_description,
        /uses an Authorization header of another scheme and client_secret_post$/,
      );
    });

    test('revocation ends one token, and only a token of the client itself', async () => {
      const [client, stranger] = [await account('Revokes'), await account('Revokes what is not its own')];
      const [token, other] = [await tokenOf(client), await tokenOf(client)];
      const refused = await revoke(stranger, token);
      assert.deepEqual([refused.status, refused.json.error], [400, 'invalid_request']);
      assert.match(String(lastLine('revocation.refused')?.['reason']), /invalid_request/);
      assert.equal((await introspect(client, token)).json.active, true);
      for (let time = 0; time < 2; time += 1) {
        const { status, text } = await revoke(client, token);
        assert.deepEqual([status, text], [200, '']);
      }
      assert.deepEqual((await introspect(client, token)).json, { active: false });
      assert.equal((await introspect(client, other)).json.active, true);
      assert.equal((await revoke(client, 'no token at all')).status, 200);
      assert.equal((await app.token(client)).status, 200);
      const info = await app.request('/tokeninfo', { headers: { Authorization: `Bearer ${token}` } });
      assert.equal(info.status, 401);
      assert.equal(lastLine('tokeninfo.refused')?.['reason'], 'token_inactive');
    });

    test('E-04 the management API refuses a revoked token and the tokens of a disabled credential', async () => {
      const caller = await makeCaller(app, '/api/service-accounts', ['writ.serviceaccounts.view']);
      const call = (bearer: string): Promise<Reply> =>
        app.api('GET', '/api/service-accounts?limit=1', undefined, bearer);
      const refusal = (): unknown => lastLine('management.refused')?.['reason'];
      const token = await apiToken(app, caller);
      assert.equal((await call(token)).status, 200);
      assert.equal((await revoke(caller, token)).status, 200);
      assert.equal((await call(token)).status, 401);
      assert.equal(refusal(), 'token_revoked');
      const next = await apiToken(app, caller);
      const path = `/api/service-accounts/${caller.clientId}`;
      const { json } = await app.api('GET', `${path}/credentials`);
      await app.api('PATCH', `${path}/credentials/${json[0].credentialId}`, { state: 'disabled' });
      assert.equal((await call(next)).status, 401);
      assert.equal(refusal(), 'credential_revoked');
      assert.deepEqual((await introspect(ROOT, next)).json, { active: false });
      await app.api('PATCH', `${path}/credentials/${json[0].credentialId}`, { state: 'enabled' });
      // The enabled credential gets new tokens; its old tokens stay revoked.
      assert.equal((await call(next)).status, 401);
      assert.equal((await call(await apiToken(app, caller))).status, 200);
    });

    test('tokeninfo tells a bearer the claims of its token, and refuses a missing, malformed or revoked token', async () => {
      const client = await account('Bearer');
      const token = await tokenOf(client);
      const info = (headers: Record<string, string>): Promise<Reply> => app.request('/tokeninfo', { headers });
      const { status, json, headers } = await info({ Authorization: `Bearer ${token}` });
      assert.deepEqual([status, json], [200, { active: true, ...decodeJwt(token), token_type: 'Bearer' }]);
      assert.equal(headers.get('cache-control'), 'no-store');
      for (const [authorization, reason] of [
        ['', 'token_missing'],
        [`Basic ${token}`, 'token_malformed'],
        ['Bearer x', 'token_inactive'],
      ] as const) {
        const refused = await info(authorization === '' ? {} : { Authorization: authorization });
        assert.deepEqual(
          [refused.status, refused.headers.get('www-authenticate'), refused.json.error],
          [401, 'Bearer realm="writ", error="invalid_token"', 'invalid_token'],
        );
        assert.equal(lastLine('tokeninfo.refused')?.['reason'], reason);
      }
      await app.api('PATCH', client.path, { state: 'disabled' });
      assert.equal((await info({ Authorization: `Bearer ${token}` })).status, 401);
    });

    test('oauth4webapi discovers both endpoints and uses them', async () => {
      const { clientId, clientSecret } = await account('By a library');
      const options = { [oauth.allowInsecureRequests]: true };
      const issuer = new URL(app.issuer);
      const server = await oauth.processDiscoveryResponse(
        issuer,
        await oauth.discoveryRequest(issuer, { ...options, algorithm: 'oauth2' }),
      );
      const client = { client_id: clientId };
      const authentication = oauth.ClientSecretBasic(clientSecret);
      const token = await tokenOf({ clientId, clientSecret });
      const active = async (): Promise<boolean> => {
        const reply = await oauth.introspectionRequest(server, client, authentication, token, options);
        return (await oauth.processIntrospectionResponse(server, client, reply)).active;
      };
      assert.equal(await active(), true);
      await oauth.processRevocationResponse(
        await oauth.revocationRequest(server, client, authentication, token, options),
      );
      assert.equal(await active(), false);
    });
  },
  embeddedAndNewest,
);
