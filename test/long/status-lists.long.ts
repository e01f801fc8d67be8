import assert from 'node:assert/strict';
import { test } from 'node:test';
import { postgres18 } from '../support/databases.ts';
import { eventually } from '../support/eventually.ts';
import { isRevokedBy, statusOf, untilListed } from '../support/status-lists.ts';
import { startTestApp } from '../support/test-app.ts';

const ISSUER = 'https://id.example';

test('where a status list is full another begins, and both are served', async () => {
  const database = await postgres18.create();
  const app = await startTestApp(database, { WRIT_ISSUER: ISSUER });
  // Everything but the place of the first root account.
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
  // Nobody was told that there is another; whoever asks for it is the first to.
  const served = async (): Promise<boolean> => (await app.request('/oauth/status-lists/1')).status === 200;
  await eventually(3000, served, 'the new list is not served');
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
