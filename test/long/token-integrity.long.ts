import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeJwt } from 'jose';
import { postgres18 } from '../support/databases.ts';
import { startTestApp } from '../support/test-app.ts';

test('B-24 each of ten thousand tokens is whole, names the account that asked for it, and has a jti of its own', async () => {
  const database = await postgres18.create();
  const app = await startTestApp(database);
  const accounts = await Promise.all(
    Array.from({ length: 10 }, async (_, index) => {
      const { json } = await app.api('POST', '/api/service-accounts', { name: `Account ${index}`, permissions: ['a'] });
      return json as { clientId: string; clientSecret: string };
    }),
  );
  const ids = new Set<string>();
  for (let round = 0; round < 200; round += 1) {
    await Promise.all(
      Array.from({ length: 50 }, async (_, lane) => {
        const account = accounts[(round + lane) % accounts.length];
        assert.ok(account);
        const { status, json } = await app.token(account);
        assert.equal(status, 200);
        const { iss, sub, aud, exp, iat, jti, client_id: clientId, permissions, scope } = decodeJwt(json.access_token);
        assert.deepEqual(
          { iss, sub, aud, clientId, permissions, scope, lifetime: Number(exp) - Number(iat) },
          {
            iss: app.issuer,
            sub: account.clientId,
            aud: 'api://default',
            clientId: account.clientId,
            permissions: ['a'],
            scope: 'a',
            lifetime: json.expires_in,
          },
        );
        ids.add(String(jti));
      }),
    );
  }
  assert.equal(ids.size, 10_000);
  await app.close();
  await database.drop();
});
