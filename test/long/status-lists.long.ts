import assert from 'node:assert/strict';
import { test } from 'node:test';
import { postgres18 } from '../support/databases.ts';
import { eventually } from '../support/eventually.ts';
import { isRevokedBy, statusOf, untilListed } from '../support/status-lists.ts';
import { startTestApp } from '../support/test-app.ts';

const ISSUER = 'https://id.example';

test('another status list begins when one is full, and both are served', async () => {
  const database = await postgres18.create();
  const app = await startTestApp(database, { WRIT_ISSUER: ISSUER });
  // The list is filled, except for the entry of the first root account.
  for (let part = 0; part < 32; part += 1) {
    await app.knex.raw(
      `insert into status_entries (list, idx, credential_id, client_id, revoked_at)
       select 0, idx, 'full', 'full', now() from generate_series(?::int, ?::int) idx on conflict do nothing`,
      [part * 32_768, (part + 1) * 32_768 - 1],
    );
  }
  const { json } = await app.api('POST', '/api/service-accounts', { name: 'In the next' });
  const status = statusOf((await app.token(json)).json.access_token);
  assert.equal(status.uri, `${ISSUER}/oauth/status-lists/1`);
  // No announcement names the new list: the first request for it makes the node read it.
  const served = async (): Promise<boolean> => (await app.request('/oauth/status-lists/1')).status === 200;
  await eventually(3000, served, 'the new list was not served in time');
  await untilListed(app, { idx: 0, uri: `${ISSUER}/oauth/status-lists/0` }, true);
  await untilListed(app, status, false);
  const lists = await app.request('/oauth/status-lists');
  assert.deepEqual(
    lists.json.status_lists,
    [0, 1].map((list) => `${ISSUER}/oauth/status-lists/${list}`),
  );
  assert.equal((await app.api('DELETE', `/api/service-accounts/${json.clientId}`)).status, 204);
  await untilListed(app, status, true);
  assert.equal(await isRevokedBy(app, { ...status, idx: status.idx === 0 ? 1 : 0 }), false);
  await app.close();
  await database.drop();
});
