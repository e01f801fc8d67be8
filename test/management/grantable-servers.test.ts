import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeCompany } from '../support/companies.ts';
import { onEachDatabase } from '../support/databases.ts';
import { useTestApp } from '../support/test-app.ts';

onEachDatabase('a whole resource server that is grantable in a company', (kind) => {
  const app = useTestApp(kind);

  test('stays grantable when the resource server declares other permissions, or none', async () => {
    const identifier = 'https://whole.example.com';
    const declared = { identifier, name: 'Whole', permissions: [{ name: 'one' }, { name: 'two' }] };
    const { json: server } = await app.api('POST', '/api/resource-servers', declared);
    await makeCompany(app, 'whole');
    await app.api('PATCH', '/api/companies/whole', {
      grantable: [{ resource: identifier }, { permission: 'one', resource: identifier }],
    });
    for (const permissions of [[{ name: 'two' }], []]) {
      const path = `/api/resource-servers/${server.resourceServerId}?cascade=true`;
      const changed = await app.api('PATCH', path, { permissions });
      assert.equal(changed.status, 200, changed.text);
      const { json } = await app.api('GET', '/api/companies/whole');
      assert.deepEqual(json.grantable, [{ resource: identifier }], JSON.stringify(permissions));
    }
  });
});
