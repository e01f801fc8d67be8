import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeJwt } from 'jose';
import type { Reply } from '../support/api-contract.ts';
import { exchange as exchangeKey, exchangeOf } from '../support/accounts.ts';
import { assertion, clientKey, type ClientKey } from '../support/assertions.ts';
import { makeCompany } from '../support/companies.ts';
import { ROOT } from '../support/config.ts';
import { embeddedAndNewest, onEachDatabase } from '../support/databases.ts';
import { statusOf, untilListed } from '../support/status-lists.ts';
import { useTestApp } from '../support/test-app.ts';

const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';
const SHOP = 'https://shop.example.com';

interface Client {
  readonly clientId: string;
  readonly clientSecret: string;
}

onEachDatabase(
  'API keys',
  (kind) => {
    const app = useTestApp(kind, { WRIT_TOKEN_TTL: '600' });
    let made = 0;

    /** Creates an API whose account may introspect tokens, and an account with an API key for that API. */
    async function world(body: object = {}) {
      made += 1;
      const audience = `${SHOP}/${made}`;
      const api = (await app.api('POST', '/api/service-accounts', { name: `API ${made}` })).json;
      const { json: server } = await app.api('POST', '/api/resource-servers', {
        identifier: audience,
        name: `Shop ${made}`,
        permissions: [{ name: `item.see.${made}` }, { name: `item.buy.${made}` }],
        introspectedBy: [api.clientId],
      });
      const path = `/api/service-accounts`;
      const { json: account } = await app.api('POST', path, {
        name: `Tool ${made}`,
        permissions: ['orders:read', `item.see.${made}`, `item.buy.${made}`],
        audience: 'api://default',
      });
      const credentials = `${path}/${account.clientId}/credentials`;
      const added = await app.api('POST', credentials, { type: 'api_key', audience, name: 'The tool', ...body });
      assert.equal(added.status, 201, added.text);
      return {
        audience,
        server: `/api/resource-servers/${server.resourceServerId}`,
        api: { clientId: String(api.clientId), clientSecret: String(api.clientSecret) },
        account: { clientId: String(account.clientId), clientSecret: String(account.clientSecret) },
        path: `${path}/${account.clientId}`,
        single: `${credentials}/${added.json.credentialId}`,
        key: String(added.json.clientSecret),
        shown: added.json,
        see: `item.see.${made}`,
        buy: `item.buy.${made}`,
      };
    }

    const introspect = (client: Client, token: string): Promise<Reply> =>
      app.asClient('/oauth/introspect', client, { token });

    const exchange = (key: string, parameters = {}, headers = {}): Promise<Reply> =>
      exchangeKey(app, key, parameters, headers);

    const refusal = (): unknown => app.log().findLast((line) => line['event'] === 'token.refused')?.['reason'];

    test('an API key is shown once, with its own prefix and its one audience', async () => {
      const { key, shown, single, audience } = await world({ expiresIn: 1000 });
      assert.match(key, /^writk_[A-Za-z0-9]{50}$/);
      assert.deepEqual([shown.type, shown.audience, shown.hint], ['api_key', audience, key.slice(0, 10)]);
      const read = await app.api('GET', single);
      assert.ok(!read.text.includes(key));
      assert.equal(read.json.audience, audience);
    });

    test('an API key needs an audience that its account can see, and no other credential may have an audience', async () => {
      const { path } = await world();
      await makeCompany(app, `elsewhere-${made}`);
      const foreign = { identifier: `api://elsewhere-${made}/x`, name: 'x' };
      await app.api('POST', `/api/companies/elsewhere-${made}/resource-servers`, foreign);
      for (const [body, pointer] of [
        [{ type: 'api_key' }, '/audience'],
        [{ type: 'api_key', audience: 'https://nowhere.example.com' }, '/audience'],
        [{ type: 'api_key', audience: foreign.identifier }, '/audience'],
        [{ type: 'client_secret', audience: SHOP }, '/audience'],
        [{ type: 'api_key', audience: SHOP, publicKey: 'x' }, '/publicKey'],
      ] as const) {
        const { status, json } = await app.api('POST', `${path}/credentials`, body);
        assert.deepEqual([status, json.errors[0].pointer], [422, pointer], JSON.stringify(body));
      }
      const registered = await app.api('POST', '/api/service-accounts', {
        name: 'With two',
        credentials: [{ type: 'client_secret' }, { type: 'api_key', audience: 'https://nowhere.example.com' }],
      });
      assert.deepEqual([registered.status, registered.json.errors[0].pointer], [422, '/credentials/1/audience']);
    });

    test('introspection answers for an API key only to its resource server, with the permissions held there', async () => {
      const { key, api, account, audience, see, buy } = await world();
      const { json } = await introspect(api, key);
      const { iat, ...rest } = json;
      assert.equal(typeof iat, 'number');
      assert.deepEqual(rest, {
        active: true,
        client_id: account.clientId,
        sub: account.clientId,
        aud: audience,
        iss: app.issuer,
        scope: `${buy} ${see}`,
        permissions: [buy, see],
        token_type: 'Bearer',
      });
      const other = await world();
      for (const asking of [account, other.api, ROOT]) {
        assert.deepEqual((await introspect(asking, key)).json, { active: false });
      }
    });

    test('introspection gives the expiry of an API key, and the permissions that key and account have at that moment', async () => {
      const { see, ...one } = await world({ expiresIn: 1000 });
      await app.api('PATCH', one.single, { permissions: [see] });
      const narrow = (await introspect(one.api, one.key)).json;
      assert.deepEqual(narrow.permissions, [see]);
      assert.equal(narrow.exp, Math.floor(new Date(one.shown.expiresAt).getTime() / 1000));
      await app.api('DELETE', `${one.path}/permissions/${see}`);
      const { json } = await introspect(one.api, one.key);
      assert.deepEqual([json.active, json.permissions, json.scope], [true, [], undefined]);
    });

    test('an API key is exchanged for a token with the audience of the key only', async () => {
      const { key, account, audience, see, buy, single } = await world();
      const { status, json, headers } = await exchange(key);
      assert.equal(status, 200, JSON.stringify(json));
      const claims = decodeJwt(json.access_token);
      assert.deepEqual([claims.aud, claims.sub, json.scope], [audience, account.clientId, `${buy} ${see}`]);
      assert.deepEqual([json.issued_token_type, json.token_type, json.expires_in], [ACCESS_TOKEN, 'Bearer', 600]);
      assert.equal(headers.get('cache-control'), 'no-store');
      assert.equal((await exchange(key, { scope: see })).json.scope, see);
      assert.equal((await exchange(key, { resource: audience, client_id: account.clientId })).status, 200);
      for (const [parameters, error] of [
        [{ resource: 'api://default' }, 'invalid_target'],
        [{ resource: `${app.issuer}/api` }, 'invalid_target'],
        [{ scope: 'orders:read' }, 'invalid_scope'],
      ] as const) {
        const refused = await exchange(key, parameters);
        assert.deepEqual([refused.status, refused.json.error], [400, error]);
      }
      // The API key is a credential of the account: disabling it revokes its tokens.
      const status_ = statusOf(json.access_token);
      await app.api('PATCH', single, { state: 'disabled' });
      await untilListed(app, status_, true);
    });

    test('the token exchange may be sent as JSON, and no other grant may', async () => {
      const { key } = await world();
      const post = (body: string): Promise<Reply> =>
        app.request('/oauth/token', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body });
      const good = exchangeOf(key);
      assert.equal((await post(JSON.stringify(good))).status, 200);
      assert.equal((await post(JSON.stringify({ ...good, grant_type: 'client_credentials' }))).status, 415);
      for (const wrong of [
        '',
        '[]',
        'null',
        '{',
        JSON.stringify({ ...good, scope: ['a'] }),
        `${JSON.stringify(good).slice(0, -1)},"scope":"a","scope":"b"}`,
      ]) {
        const refused = await post(wrong);
        assert.deepEqual([refused.status, refused.json.error], [400, 'invalid_request'], wrong.slice(0, 30));
      }
    });

    test('N-27 an API key works neither as client secret nor as bearer token, and a client id alone gets no token', async () => {
      const { key, account, path } = await world();
      const asSecret = await app.token({ ...account, clientSecret: key });
      assert.deepEqual([asSecret.status, refusal()], [401, 'secret_wrong']);
      const bearer = await app.request(path, { headers: { Authorization: `Bearer ${key}` } });
      assert.equal(bearer.status, 401);
      assert.equal((await app.request('/tokeninfo', { headers: { Authorization: `Bearer ${key}` } })).status, 401);
      const bare = await app.request('/oauth/token', {
        method: 'POST',
        body: new URLSearchParams({ grant_type: 'client_credentials', client_id: account.clientId }),
      });
      assert.equal(bare.status, 401);
      // The introspection endpoint does not take the parameters of an exchange as client authentication.
      const elsewhere = await app.request('/oauth/introspect', {
        method: 'POST',
        body: new URLSearchParams({
          ...exchangeOf(key),
          token: 'x',
          client_id: account.clientId,
        }),
      });
      assert.equal(elsewhere.status, 401);
    });

    test('C-02 every wrong API key is refused with the same text, and the log has the true reason', async () => {
      const one = await world();
      const other = await world();
      const off = await world();
      await app.api('PATCH', off.single, { state: 'disabled' });
      const gone = await world();
      await app.api('DELETE', gone.single);
      const disabled = await world();
      await app.api('PATCH', disabled.path, { state: 'disabled' });
      const texts = new Set<string>();
      for (const [key, reason, parameters] of [
        [`${one.key.slice(0, -1)}${one.key.endsWith('a') ? 'b' : 'a'}`, 'api_key_mistyped', {}],
        [`${one.key}x`, 'api_key_mistyped', {}],
        [off.key, 'credential_disabled', {}],
        [gone.key, 'api_key_unknown', {}],
        [disabled.key, 'account_disabled', {}],
        [one.key, 'client_id_other', { client_id: other.account.clientId }],
        [one.account.clientSecret, 'subject_token_unknown', {}],
        ['x', 'subject_token_unknown', {}],
      ] as const) {
        const { status, json } = await exchange(key, parameters);
        assert.deepEqual([status, json.error, refusal()], [400, 'invalid_request', reason], reason);
        texts.add(json.error_description);
        assert.deepEqual((await introspect(one.api, key)).json.active ?? false, key === one.key, reason);
      }
      assert.equal(texts.size, 1);
      for (const parameters of [
        { subject_token_type: 'urn:ietf:params:oauth:token-type:jwt' },
        { subject_token: '' },
        { requested_token_type: 'x' },
      ]) {
        assert.equal((await exchange(one.key, parameters)).status, 400);
      }
    });

    const basic = (id: string, secret: string): Record<string, string> => ({
      Authorization: `Basic ${btoa(`${id}:${secret}`)}`,
    });
    const signed = (clientKeyOfIt: ClientKey, id: string): Record<string, string> => ({
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: assertion(clientKeyOfIt, id, app.issuer),
    });

    /** An account with an API key, a client secret and a public key. */
    async function worldWithKey() {
      const one = await world();
      const own = clientKey('ES256');
      const { json } = await app.api('POST', `${one.path}/credentials`, { type: 'public_key', publicKey: own.jwk });
      const { clientId, clientSecret } = one.account;
      return {
        ...one,
        own,
        published: `${one.path}/credentials/${json.credentialId}`,
        clientId,
        clientSecret,
        post: { client_id: clientId, client_secret: clientSecret },
      };
    }

    /** The description with which every wrong API key is refused. */
    const uniformDescription = async (): Promise<string> => (await exchange('writk_x')).json.error_description;

    test('an API key is exchanged by a client that authenticates as the same account by any method', async () => {
      const { key, audience, see, buy, own, post, clientId, clientSecret } = await worldWithKey();
      for (const [name, parameters, headers] of [
        ['basic', {}, basic(clientId, clientSecret)],
        ['basic and its id', { client_id: clientId }, basic(clientId, clientSecret)],
        ['post', post, {}],
        ['assertion', signed(own, clientId), {}],
        ['assertion and its id', { ...signed(own, clientId), client_id: clientId }, {}],
      ] as const) {
        const { status, json } = await exchange(key, parameters, headers);
        assert.equal(status, 200, `${name} ${JSON.stringify(json)}`);
        const { aud, sub } = decodeJwt(json.access_token);
        // The token belongs to the API key: it has the audience of the key, and ends with the key.
        assert.deepEqual([aud, sub, json.scope], [audience, clientId, `${buy} ${see}`], name);
        assert.equal(json.issued_token_type, ACCESS_TOKEN, name);
      }
      const asJson = await app.request('/oauth/token', {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', ...basic(clientId, clientSecret) },
        body: JSON.stringify(exchangeOf(key)),
      });
      assert.equal(asJson.status, 200);
    });

    test('an exchange by another client, or by a client that fails to authenticate, is refused like a wrong key', async () => {
      const { key, own, post, clientId, clientSecret } = await worldWithKey();
      const other = await world();
      const fixed = await uniformDescription();
      const replayed = signed(own, clientId);
      assert.equal((await exchange(key, replayed)).status, 200);
      for (const [reason, presented, parameters, headers] of [
        ['client_other', key, {}, basic(ROOT.clientId, ROOT.clientSecret)],
        ['client_other', other.key, {}, basic(clientId, clientSecret)],
        ['client_other', other.key, signed(own, clientId), {}],
        ['client_id_other', other.key, post, {}],
        ['secret_wrong', key, {}, basic(clientId, 'wrong')],
        ['secret_mistyped', key, {}, basic(clientId, `${clientSecret}\n`)],
        ['secret_wrong', key, { ...post, client_secret: other.account.clientSecret }, {}],
        ['account_unknown', key, {}, basic('sa_nobody', 'wrong')],
        ['assertion_signature', key, signed(clientKey('ES256'), clientId), {}],
        ['assertion_replay', key, replayed, {}],
        ['assertion_malformed', key, { ...replayed, client_assertion: 'x' }, {}],
        ['api_key_mistyped', `${key}x`, {}, basic(clientId, clientSecret)],
        ['subject_token_unknown', 'x', {}, basic(clientId, clientSecret)],
        ['secret_wrong', key, {}, basic(clientId, key)],
      ] as const) {
        const { status, json, headers: answered } = await exchange(presented, parameters, headers);
        assert.deepEqual([status, json.error, refusal()], [400, 'invalid_request', reason]);
        assert.equal(json.error_description, fixed, reason);
        assert.equal(answered.get('www-authenticate'), null, reason);
      }
      const two = await exchange(key, post, basic(clientId, clientSecret));
      assert.match(two.json.error_description, /client_secret_basic and client_secret_post$/);
    });

    test('an exchange by a disabled public key is refused, and the token of a deleted API key is revoked', async () => {
      const { key, own, published, single, clientId, clientSecret } = await worldWithKey();
      const fixed = await uniformDescription();
      await app.api('PATCH', published, { state: 'disabled' });
      const byDisabled = await exchange(key, signed(own, clientId));
      assert.deepEqual([byDisabled.status, byDisabled.json.error_description], [400, fixed]);
      const { json } = await exchange(key, {}, basic(clientId, clientSecret));
      const status = statusOf(json.access_token);
      await app.api('DELETE', single);
      await untilListed(app, status, true);
      assert.equal((await exchange(key, {}, basic(clientId, clientSecret))).json.error_description, fixed);
      assert.equal(refusal(), 'api_key_unknown');
    });

    test('an API key is rotated with overlap, and deleted with its resource server', async () => {
      const one = await world();
      const rotated = await app.api('POST', `${one.single}/rotate`, { overlap: 3600 });
      assert.deepEqual([rotated.status, rotated.json.audience], [201, one.audience]);
      for (const key of [one.key, rotated.json.clientSecret]) {
        assert.equal((await introspect(one.api, key)).json.active, true);
        assert.equal((await exchange(key)).status, 200);
      }
      const inUse = await app.api('DELETE', one.server);
      assert.deepEqual([inUse.status, inUse.json.code], [409, 'in_use']);
      const status = statusOf((await exchange(one.key)).json.access_token);
      assert.equal((await app.api('DELETE', `${one.server}?cascade=true`)).status, 204);
      await untilListed(app, status, true);
      assert.equal((await exchange(one.key)).status, 400);
      const left = (await app.api('GET', `${one.path}/credentials`)).json;
      assert.deepEqual(
        left.map(({ type }: { type: string }) => type),
        ['client_secret'],
      );
    });
  },
  embeddedAndNewest,
);
