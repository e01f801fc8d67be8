import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { assertRefused, makeCompany } from '../support/companies.ts';
import { postgres18 } from '../support/databases.ts';
import { useTestApp } from '../support/test-app.ts';

describe('a name without Latin letters', () => {
  const app = useTestApp(postgres18);
  before(() => makeCompany(app, 'world'));

  const nouns = [
    { path: '/api/service-accounts', id: 'slug', form: /^sa-[a-z0-9]+$/ },
    { path: '/api/companies/world/service-accounts', id: 'slug', form: /^sa-[a-z0-9]+$/ },
    { path: '/api/companies/world/groups', id: 'groupId', form: /^group-[a-z0-9]{20,}$/ },
    { path: '/api/companies/world/roles', id: 'roleId', form: /^role-[a-z0-9]{20,}$/ },
    { path: '/api/roles', id: 'roleId', form: /^role-[a-z0-9]{20,}$/ },
  ];
  for (const { path, id, form } of nouns) {
    test(`is accepted at ${path}, with a generated id`, async () => {
      const seen = new Set<string>();
      for (const name of ['サービス', 'Заказы', '订单', 'طلبات', '🚀🚀', '!!!', '…']) {
        const { status, json, text, headers } = await app.api('POST', path, { name });
        assert.equal(status, 201, text);
        assert.equal(json.name, name);
        assert.match(json[id], form);
        seen.add(json[id]);
        assert.equal((await app.api('GET', `${path}/${json[id]}`)).json.name, name);
        assert.equal((await app.api('GET', String(headers.get('location')))).status, 200);
      }
      assert.equal(seen.size, 7);
    });
  }

  test('is refused for a company without an id', async () => {
    assertRefused(app, await app.api('POST', '/api/companies', { name: '会社' }), 422, 'invalid_body');
  });

  test('does not make an invalid id acceptable', async () => {
    for (const { path, id } of nouns) {
      assertRefused(app, await app.api('POST', path, { name: 'サービス', [id]: 'サ' }), 422, 'invalid_body', path);
    }
  });
});
