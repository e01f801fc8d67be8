import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clientKey } from '../support/assertions.ts';
import { onEachDatabase } from '../support/databases.ts';
import { useTestApp } from '../support/test-app.ts';

const PATH = '/api/service-accounts';

onEachDatabase('the answer to the registration of an account', (kind) => {
  const app = useTestApp(kind);
  const apiKey = { type: 'api_key', audience: 'api://default' };
  const secret = { type: 'client_secret' };
  const key = (): object => ({ type: 'public_key', publicKey: clientKey('ES256').jwk });

  const cases: [name: string, credentials: () => object[], shown: string[], authMethod: string | null][] = [
    ['API key', () => [apiKey], ['apiKey'], null],
    ['API keys', () => [apiKey, apiKey], ['apiKey'], null],
    ['secret', () => [secret], ['clientSecret', 'clientSecretExpiresAt'], 'client_secret_basic'],
    ['key', () => [key()], [], 'private_key_jwt'],
    ['API key and public key', () => [apiKey, key()], ['apiKey'], 'private_key_jwt'],
    [
      'API key and secret',
      () => [apiKey, secret, key()],
      ['apiKey', 'clientSecret', 'clientSecretExpiresAt'],
      'client_secret_basic',
    ],
    ['nothing', () => [], [], null],
  ];
  for (const [name, credentials, shown, authMethod] of cases) {
    test(`shows the credentials of the account: ${name}`, async () => {
      const { status, json, text } = await app.api('POST', PATH, { name, credentials: credentials() });
      assert.equal(status, 201, text);
      const members = ['apiKey', 'clientSecret', 'clientSecretExpiresAt'];
      assert.deepEqual(
        members.filter((member) => member in json),
        shown,
      );
      if ('apiKey' in json) assert.match(json.apiKey, /^writk_/);
      if ('clientSecret' in json) assert.match(json.clientSecret, /^writ_/);
      for (const one of json.credentials) {
        assert.equal(one.apiKey, one.type === 'api_key' ? one.clientSecret : undefined);
      }
      assert.equal(json.authMethod, authMethod);
      assert.equal((await app.api('GET', `${PATH}/${json.clientId}`)).json.authMethod, authMethod);
      const listed = (await app.api('GET', `${PATH}?slug=${json.slug}`)).json;
      assert.equal(listed[0].authMethod, authMethod);
      for (const value of [json.apiKey, json.clientSecret].filter((one) => one !== undefined)) {
        assert.equal(JSON.stringify(app.log()).includes(value), false);
      }
    });
  }

  test('says when the client secret expires', async () => {
    const { json } = await app.api('POST', PATH, { name: 'Ends', credentials: [{ ...secret, expiresIn: 3600 }] });
    assert.equal(json.clientSecretExpiresAt, Math.floor(Date.parse(json.credentials[0].expiresAt) / 1000));
    const never = await app.api('POST', PATH, { name: 'Never ends' });
    assert.equal(never.json.clientSecretExpiresAt, 0);
  });
});
