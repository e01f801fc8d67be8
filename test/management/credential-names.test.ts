import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { embedded } from '../support/databases.ts';
import { useTestApp } from '../support/test-app.ts';

describe('a name that two credentials of an account would have', () => {
  const app = useTestApp(embedded);
  const named = { type: 'client_secret', name: 'production' };

  test('is refused in one request, and the refusal leads to no credential that does not exist', async () => {
    const body = { name: 'Twice', credentials: [named, named] };
    const { status, json, headers } = await app.api('POST', '/api/service-accounts', body);
    assert.deepEqual([status, json.code, headers.get('Location')], [409, 'already_exists', null]);
    assert.deepEqual(json.errors, [{ pointer: '/credentials/1/name', message: 'is taken' }]);
  });

  test('is refused in a second request, and the refusal leads to the credential that has the name', async () => {
    const { json: account } = await app.api('POST', '/api/service-accounts', { name: 'Once', credentials: [named] });
    const path = `/api/service-accounts/${account.clientId}/credentials`;
    const { status, headers } = await app.api('POST', path, named);
    assert.deepEqual([status, headers.get('Location')], [409, `${path}/${account.credentials[0].credentialId}`]);
  });
});
