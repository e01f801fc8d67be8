import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exchange } from '../support/accounts.ts';
import type { ApiDocument } from '../support/api-contract.ts';
import { assertion, clientKey, tokenByAssertion } from '../support/assertions.ts';
import { apiToken, makeCompany } from '../support/companies.ts';
import { ROOT } from '../support/config.ts';
import { onEachDatabase } from '../support/databases.ts';
import { useTestApp } from '../support/test-app.ts';

onEachDatabase('a client secret', (kind) => {
  const app = useTestApp(kind);

  /** Every row of every table, as text. */
  async function dump(): Promise<string> {
    const { rows } = await app.knex.raw<{ rows: { name: string }[] }>(
      `select table_name as name from information_schema.tables where table_schema = 'public'`,
    );
    assert.ok(rows.length > 10);
    const contents = rows.map(async ({ name }) => {
      const all = await app.knex.raw<{ rows: { line: string }[] }>('select row_to_json(t)::text as line from ?? t', [
        name,
      ]);
      return all.rows.map(({ line }) => line).join('\n');
    });
    return (await Promise.all(contents)).join('\n');
  }

  test('E-14 is shown once, and is in no later answer, no table, no log and no metric', async () => {
    await makeCompany(app, 'secretive');
    const key = clientKey('EdDSA');
    const secrets: string[] = [ROOT.clientSecret];
    const ids: string[] = [];
    const credentialIds: string[] = [];
    for (const path of ['/api/service-accounts', '/api/companies/secretive/service-accounts']) {
      const { json } = await app.api('POST', path, {
        name: 'Secretive',
        credentials: [{ type: 'client_secret' }, { type: 'client_secret' }, { type: 'public_key', publicKey: key.jwk }],
      });
      for (const { clientSecret } of json.credentials) if (clientSecret !== undefined) secrets.push(clientSecret);
      ids.push(json.clientId);
      await app.token(json);
      await app.token({ ...json, clientSecret: `${json.clientSecret}x` });
      const value = assertion(key, json.clientId, app.issuer);
      assert.equal((await tokenByAssertion(app, value)).status, 200);
      secrets.push(value.split('.')[2] ?? '');
      // A repeated registration is refused, and its answer has no secret.
      const again = await app.api('POST', path, { name: 'Secretive' });
      assert.equal(again.status, 409);
      secrets.forEach((secret) => assert.equal(again.text.includes(secret), false));
      await app.api('PATCH', `${path}/secretive`, { description: 'Changed' });
      const added = await app.api('POST', `${path}/secretive/credentials`, { type: 'client_secret', name: 'added' });
      const rotated = await app.api('POST', `${added.headers.get('location')}/rotate`, { overlap: 60 });
      await app.api('PATCH', String(rotated.headers.get('location')), { description: 'Changed' });
      await app.token({ clientId: json.clientId, clientSecret: rotated.json.clientSecret });
      const own = await app.api('POST', '/api/self/rotate', undefined, await apiToken(app, json));
      const apiKey = { type: 'api_key', audience: 'api://default' };
      const withKey = await app.api('POST', `${path}/secretive/credentials`, apiKey);
      const exchanged = await exchange(app, withKey.json.clientSecret);
      assert.equal(exchanged.status, 200);
      secrets.push(added.json.clientSecret, rotated.json.clientSecret, own.json.clientSecret);
      secrets.push(withKey.json.clientSecret, exchanged.json.access_token.split('.')[2]);
      credentialIds.push(rotated.json.credentialId);
    }
    assert.equal(secrets.length, 17);
    secrets.forEach((secret) => assert.ok(secret.length > 20));

    const { paths }: ApiDocument = (await app.request('/api/openapi.json')).json;
    const readable = Object.entries(paths).filter(([, methods]) => 'get' in methods);
    const answers = await Promise.all(
      readable.flatMap(([template]) =>
        ids.map((id, index) =>
          app
            .api(
              'GET',
              template
                .replace('{companyId}', 'secretive')
                .replace('{clientId}', id)
                .replace('{credentialId}', credentialIds[index] ?? ''),
            )
            .then(({ text }) => text),
        ),
      ),
    );
    assert.ok(answers.length > 15);
    const everything = [...answers, await dump(), JSON.stringify(app.log()), (await app.request('/metrics')).text].join(
      '\n',
    );
    for (const secret of [...secrets, ...secrets.map((text) => Buffer.from(text).toString('hex'))]) {
      assert.equal(everything.includes(secret), false, secret);
    }
  });
});
