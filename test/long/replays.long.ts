import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Reply } from '../support/api-contract.ts';
import { assertion, clientKey, registerWithKeys, tokenByAssertion } from '../support/assertions.ts';
import { postgres18 } from '../support/databases.ts';
import { startTestApp, type TestApp } from '../support/test-app.ts';

test('A-11 an assertion that is sent 64 times at once to four nodes gets one token, in each of 200 rounds', async () => {
  const database = await postgres18.create();
  const issuer = 'https://id.example';
  const nodes: TestApp[] = await Promise.all([1, 2, 3, 4].map(() => startTestApp(database, { WRIT_ISSUER: issuer })));
  const [first] = nodes;
  assert.ok(first);
  const key = clientKey('ES256');
  const { clientId } = await registerWithKeys(first, 'Raced', [key]);
  for (let round = 0; round < 200; round += 1) {
    const value = assertion(key, clientId, issuer);
    const replies: Reply[] = await Promise.all(
      Array.from({ length: 64 }, (_, index) => tokenByAssertion(nodes.at(index % 4) ?? first, value)),
    );
    const statuses = Object.groupBy(replies, ({ status }) => status);
    assert.deepEqual([statuses[200]?.length, statuses[401]?.length], [1, 63], `round ${round}`);
  }
  await Promise.all(nodes.map((node) => node.close()));
  await database.drop();
});
