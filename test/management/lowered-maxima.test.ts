import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { assertRefused } from '../support/companies.ts';
import { newest, onEachDatabase, type TestDatabase } from '../support/databases.ts';
import { startTestApp, type TestApp } from '../support/test-app.ts';

onEachDatabase(
  'a server whose maximum token lifetime was lowered',
  (kind) => {
    const IDENTIFIER = 'https://long.example';
    let database: TestDatabase;
    let app: TestApp;
    let server = '';
    const accounts: Record<string, { clientId: string; clientSecret: string; path: string }> = {};

    before(async () => {
      database = await kind.create();
      app = await startTestApp(database, { WRIT_TOKEN_MAX_TTL: '7200', WRIT_TOKEN_TTL: '3600' });
      const input = { name: 'Long', identifier: IDENTIFIER, tokenTtl: 7200, permissions: [{ name: 'read' }] };
      const made = await app.api('POST', '/api/resource-servers', input);
      assert.equal(made.status, 201, made.text);
      server = made.headers.get('location') ?? '';
      for (const [name, tokenTtl] of [
        ['plain', null],
        ['long', 5000],
        ['short', 60],
      ] as const) {
        const { json, status, text } = await app.api('POST', '/api/service-accounts', {
          name,
          permissions: [{ permission: 'read', resource: IDENTIFIER }],
          ...(tokenTtl !== null && { tokenTtl }),
        });
        assert.equal(status, 201, text);
        accounts[name] = { ...json, path: `/api/service-accounts/${json.clientId}` };
      }
      assert.deepEqual(await lifetimes(), { plain: 7200, long: 5000, short: 60 });
      await app.close();
      app = await startTestApp(database, { WRIT_TOKEN_MAX_TTL: '600', WRIT_TOKEN_TTL: '600' });
    });
    after(async () => {
      await app.close();
      await database.drop();
    });

    async function lifetimes(): Promise<Record<string, number>> {
      const got: Record<string, number> = {};
      for (const [name, account] of Object.entries(accounts)) {
        const { json, text } = await app.token(account);
        assert.ok(json.expires_in, text);
        got[name] = json.expires_in;
      }
      return got;
    }

    test('issues no token with a longer lifetime', async () => {
      assert.deepEqual(await lifetimes(), { plain: 600, long: 600, short: 60 });
    });

    test('keeps a stored longer lifetime in other changes, and refuses every other longer lifetime', async () => {
      for (const [path, old] of [
        [server, 7200],
        [accounts['long']?.path ?? '', 5000],
      ] as const) {
        const patch = (body: object) => app.api('PATCH', path, body);
        const renamed = await patch({ name: 'Renamed' });
        assert.equal(renamed.status, 200, renamed.text);
        assert.equal(renamed.json.tokenTtl, old);
        // A client may send everything back that it has read.
        assert.equal((await patch({ name: 'Again', tokenTtl: old })).status, 200);
        for (const tokenTtl of [601, old - 1, old + 1]) {
          const refused = await patch({ tokenTtl });
          assertRefused(app, refused, 422, 'invalid_body');
          assert.deepEqual(refused.json.errors, [
            { pointer: '/tokenTtl', message: 'must be at most 600 seconds on this server' },
          ]);
        }
        assert.equal((await patch({ tokenTtl: 599 })).status, 200);
        assertRefused(app, await patch({ tokenTtl: old }), 422, 'invalid_body');
      }
      assert.deepEqual(await lifetimes(), { plain: 599, long: 599, short: 60 });
    });
  },
  newest,
);
