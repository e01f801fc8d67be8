import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import type { Reply } from '../support/api-contract.ts';
import { newest, onEachDatabase } from '../support/databases.ts';
import { useTestApp } from '../support/test-app.ts';

const SHOP = 'https://shop.example.com';

onEachDatabase(
  'tokeninfo as a gate in front of a resource server',
  (kind) => {
    const app = useTestApp(kind, { WRIT_TRUSTED_PROXIES: '127.0.0.1' });

    const ask = (query: string, bearer?: string, method = 'GET'): Promise<Reply> =>
      app.request(`/tokeninfo${query}`, {
        method,
        headers: bearer === undefined ? {} : { Authorization: `Bearer ${bearer}` },
      });

    const encoded = encodeURIComponent(SHOP);
    const tokens = { atShop: '', elsewhere: '' };
    let clientId = '';
    before(async () => {
      await app.api('POST', '/api/resource-servers', {
        identifier: SHOP,
        name: 'Shop',
        permissions: [{ name: 'item.see' }, { name: 'item.buy' }],
      });
      const { json } = await app.api('POST', '/api/service-accounts', {
        name: 'Behind a gate',
        permissions: ['orders:read', 'a+b', 'item.see', 'deploy@shop', 'view@shop/prod'].map((permission) =>
          permission === 'item.see' ? { permission, resource: SHOP } : permission,
        ),
        audience: 'api://default',
      });
      clientId = json.clientId;
      tokens.atShop = (await app.token(json, { resource: SHOP })).json.access_token;
      tokens.elsewhere = (await app.token(json)).json.access_token;
    });

    const table: [string, 'atShop' | 'elsewhere', number, string?][] = [
      ['', 'atShop', 200],
      ['?', 'elsewhere', 200],
      [`?resource=${encoded}`, 'atShop', 200],
      [`?resource=${SHOP}`, 'atShop', 200],
      // An identifier without a path is the same with a final slash.
      [`?resource=${encoded}%2F`, 'atShop', 200],
      [`?resource=${encoded}`, 'elsewhere', 401, 'token_audience'],
      [`?resource=${encoded}%2Fother`, 'atShop', 401, 'token_audience'],
      ['?resource=api%3A%2F%2Fdefault', 'elsewhere', 200],
      ['?resource=api%3A%2F%2Fdefault', 'atShop', 401, 'token_audience'],
      ['?resource=https%3A%2F%2Fnowhere.example.com', 'atShop', 401, 'token_audience'],
      ['?scope=item.see', 'atShop', 200],
      [`?scope=item.see&resource=${encoded}`, 'atShop', 200],
      [`?resource=${encoded}&scope=item.see+item.see++`, 'atShop', 200],
      [`?resource=${encoded}&scope=item.buy`, 'atShop', 403, 'insufficient_scope'],
      [`?resource=${encoded}&scope=item.see+item.buy`, 'atShop', 403, 'insufficient_scope'],
      [`?resource=${encoded}&scope=orders:read`, 'atShop', 403, 'insufficient_scope'],
      [`?resource=${encoded}&scope=orders:read`, 'elsewhere', 401, 'token_audience'],
      ['?scope=orders%3Aread%20a%2Bb', 'elsewhere', 200],
      ['?scope=Orders:read', 'elsewhere', 403, 'insufficient_scope'],
      // A permission at a place is held below that place, and neither above nor beside it.
      ['?scope=deploy@shop', 'elsewhere', 200],
      ['?scope=deploy%40shop%2Fprod', 'elsewhere', 200],
      ['?scope=orders:read@shop/prod', 'elsewhere', 200],
      ['?scope=deploy', 'elsewhere', 403, 'insufficient_scope'],
      ['?scope=deploy@shopping', 'elsewhere', 403, 'insufficient_scope'],
      ['?scope=view@shop', 'elsewhere', 403, 'insufficient_scope'],
      ['?scope=view@shop/prod/eu', 'elsewhere', 200],
    ];
    for (const [query, which, status, reason] of table) {
      const bearer = which === 'atShop' ? 'a token for the shop' : 'a token for the default resource server';
      test(`answers ${status} to /tokeninfo${query} with ${bearer}`, async () => {
        const reply = await ask(query, tokens[which]);
        assert.equal(reply.status, status, reply.text);
        assert.equal(reply.headers.get('cache-control'), 'no-store');
        assert.equal((await ask(query, tokens[which], 'HEAD')).status, status);
        if (reason === undefined) {
          assert.deepEqual([reply.json.active, reply.json.sub], [true, clientId]);
          return;
        }
        const line = app.log().findLast(({ requestId }) => requestId === reply.json.request_id);
        assert.deepEqual([line?.['event'], line?.['reason']], ['tokeninfo.refused', reason]);
        const challenge = reply.headers.get('www-authenticate') ?? '';
        const error = status === 401 ? 'invalid_token' : 'insufficient_scope';
        assert.equal(reply.json.error, error);
        assert.ok(challenge.startsWith(`Bearer realm="writ", error="${error}"`), challenge);
      });
    }

    test('names the scope-tokens that the access token does not carry', async () => {
      const refused = await ask('?scope=orders:read+x:y+z@shop', tokens.elsewhere);
      assert.equal(refused.json.error_description, 'the access token does not carry x:y z@shop');
      assert.match(refused.headers.get('www-authenticate') ?? '', /, scope="orders:read x:y z@shop"$/);
    });

    test('refuses a missing token and a forged token with 401', async () => {
      for (const query of ['', `?resource=${encoded}`, `?resource=${encoded}&scope=item.see`]) {
        for (const bearer of [undefined, 'rubbish', `${tokens.atShop.slice(0, -4)}AAAA`]) {
          assert.equal((await ask(query, bearer)).status, 401, query);
        }
      }
    });

    test('refuses an unknown, empty, repeated or malformed parameter with 400, with and without a token', async () => {
      const { elsewhere } = tokens;
      for (const query of [
        '?resource=',
        '?resource',
        '?scope=',
        '?scope=+',
        '?scope=%20%20',
        '?scopes=orders:read',
        '?Scope=orders:read',
        '?audience=api://default',
        '?resource=api://default&audience=api://default',
        '?access_token=x',
        '?resource=api://default&resource=api://default',
        '?scope=orders:read&scope=orders:read',
        '?scope=orders:read&scope=',
        '?scope=orders:read%0A',
        '?scope=%22',
        '?scope=%C3%A9',
        '?=',
        '?x=y',
      ]) {
        for (const bearer of [elsewhere, undefined]) {
          const { status, json } = await ask(query, bearer);
          assert.deepEqual([status, json.error], [400, 'invalid_request'], query);
        }
      }
      const { json } = await ask('?scopes=a&<x>"\n=b', elsewhere);
      assert.equal(json.error_description, "the parameters are resource and scope, not 'scopes'");
    });

    test('refuses the token of a disabled account with 401', async () => {
      await app.api('PATCH', `/api/service-accounts/${clientId}`, { state: 'disabled' });
      assert.equal((await ask(`?resource=${encoded}&scope=item.see`, tokens.atShop)).status, 401);
    });
  },
  newest,
);
