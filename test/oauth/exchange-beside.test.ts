import assert from 'node:assert/strict';
import { test } from 'node:test';
import { embedded } from '../support/databases.ts';
import { useTestApp } from '../support/test-app.ts';

const app = useTestApp(embedded);

test('the log names the client that fails to authenticate beside the API key of another account', async () => {
  const register = (name: string, type: object) =>
    app.api('POST', '/api/service-accounts', { name, permissions: ['a'], credentials: [type] });
  const { json: owner } = await register('Owner', { type: 'api_key', audience: 'api://default' });
  const { json: client } = await register('Client', { type: 'client_secret' });
  const mistyped = `${client.clientSecret.slice(0, -1)}${client.clientSecret.endsWith('0') ? '1' : '0'}`;
  const reply = await app.request('/oauth/token', {
    method: 'POST',
    headers: { Authorization: `Basic ${btoa(`${client.clientId}:${mistyped}`)}` },
    body: new URLSearchParams({
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      subject_token: owner.apiKey,
      subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    }),
  });
  assert.deepEqual([reply.status, reply.json.error_description], [400, 'subject_token is not valid']);
  const line = app.log().findLast(({ event }) => event === 'token.refused');
  assert.deepEqual([line?.['reason'], line?.['clientId']], ['secret_mistyped', client.clientId]);
});
