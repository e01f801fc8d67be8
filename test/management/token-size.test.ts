import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ClientId, CompanyId } from '../../src/domain/ids.ts';
import { SIGNING_ALGS } from '../../src/domain/signing-keys/signing-key.ts';
import { accessTokenSize } from '../../src/domain/tokens/access-token-size.ts';
import { lastRefusal } from '../support/assertions.ts';
import { assertRefused, makeCompany } from '../support/companies.ts';
import { embedded, postgres18 } from '../support/databases.ts';
import { startTestApp, useTestApp } from '../support/test-app.ts';

const PATH = '/api/service-accounts';
const names = (count: number): string[] => Array.from({ length: count }, (_, index) => `a-permission:${index}`);

describe('the size of access tokens', () => {
  const app = useTestApp(embedded);

  test('is computed in advance, to 40 bytes, for every algorithm', async () => {
    for (const alg of SIGNING_ALGS) {
      const database = await postgres18.create();
      const server = await startTestApp(database, { WRIT_SIGNING_ALG: alg });
      await makeCompany(server, 'sized');
      for (const permissions of [[], names(1), names(80)]) {
        for (const path of [PATH, '/api/companies/sized/service-accounts']) {
          const { json } = await server.api('POST', path, { name: `Sized ${permissions.length}`, permissions });
          const token: string = (await server.token(json)).json.access_token;
          const size = accessTokenSize({
            issuer: server.issuer,
            audience: 'api://default',
            clientId: json.clientId as ClientId,
            company: (json.company ?? undefined) as CompanyId | undefined,
            permissions: json.permissions,
            alg,
          });
          assert.ok(token.length <= size && token.length > size - 40, `${alg} ${token.length} ${size}`);
        }
      }
      await server.close();
      await database.drop();
    }
  });

  test('G-24 stays below the maximum, by whichever write an account gets permissions', async () => {
    const refused = await app.api('POST', PATH, { name: 'Huge', permissions: names(1000) });
    assertRefused(app, refused, 422, 'token_too_large');
    assert.match(refused.json.detail, /would have \d{5} bytes, at most 6144 are allowed$/);

    const { json: account } = await app.api('POST', PATH, { name: 'Growing', permissions: names(100) });
    const path = `${PATH}/${account.clientId}`;
    let last = await app.api('PUT', `${path}/permissions/more-0`);
    for (let index = 1; last.status === 204; index += 1)
      last = await app.api('PUT', `${path}/permissions/more-${index}`);
    assertRefused(app, last, 422, 'token_too_large');
    const token: string = (await app.token(account)).json.access_token;
    assert.ok(token.length <= 6144 && token.length > 6000, String(token.length));
    assertRefused(app, await app.api('PATCH', path, { permissions: names(500) }), 422, 'token_too_large');
    // Changes that do not make the token longer are accepted.
    assert.equal((await app.api('PATCH', path, { name: 'Grown' })).status, 200);
    assert.equal((await app.api('PATCH', path, { permissions: names(2) })).status, 200);
  });

  test('may stay or shrink, and not grow, when it is above a maximum that was lowered', async () => {
    const database = await postgres18.create();
    const before = await startTestApp(database);
    const { json } = await before.api('POST', PATH, { name: 'Large', permissions: names(100) });
    await before.close();
    const after = await startTestApp(database, { WRIT_TOKEN_MAX_BYTES: '2048' });
    const path = `${PATH}/${json.clientId}`;
    assert.equal((await after.api('PATCH', path, { description: 'Still here' })).status, 200);
    assert.equal((await after.api('PATCH', path, { permissions: names(90) })).status, 200);
    assertRefused(after, await after.api('PUT', `${path}/permissions/one-more`), 422, 'token_too_large');
    // A token with all permissions is refused, and a token with a part of them is issued.
    const whole = await after.token(json);
    assert.equal(whole.status, 400);
    assert.equal(whole.json.error, 'invalid_scope');
    assert.match(whole.json.error_description, /would have \d{4} bytes, at most 2048 are allowed: name a scope$/);
    assert.equal(lastRefusal(after)['reason'], 'invalid_scope');
    const part = await after.token(json, { scope: 'a-permission:1' });
    assert.equal(part.json.scope, 'a-permission:1');
    await after.close();
    await database.drop();
  });
});
