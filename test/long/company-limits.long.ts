import assert from 'node:assert/strict';
import { test } from 'node:test';
import { postgres18 } from '../support/databases.ts';
import { startTestApp } from '../support/test-app.ts';

const ROUNDS = 1000;

test('two nodes that register accounts at once stay within the limits of a company, in a thousand rounds', async () => {
  const database = await postgres18.create();
  const nodes = [await startTestApp(database), await startTestApp(database)] as const;
  const [one] = nodes;
  const { status } = await one.api('POST', '/api/companies', { companyId: 'raced', name: 'Raced' });
  assert.equal(status, 201);
  for (let round = 1; round <= ROUNDS; round += 1) {
    // The limit rises by one in every round, so that the counts reach the limit each time.
    await one.api('PATCH', '/api/companies/raced', { limits: { serviceAccounts: round, credentials: round } });
    const replies = await Promise.all(
      nodes.flatMap((node, index) =>
        [0, 1].map((which) =>
          node.api('POST', '/api/companies/raced/service-accounts', {
            name: 'R',
            slug: `r-${round}-${index}-${which}`,
          }),
        ),
      ),
    );
    assert.deepEqual(replies.map((reply) => reply.status).toSorted(), [201, 422, 422, 422], `round ${round}`);
  }
  const { rows } = await one.knex.raw(`select count(*)::int from service_accounts where company_id = 'raced'`);
  assert.equal(rows[0].count, ROUNDS);
  await Promise.all(nodes.map((node) => node.close()));
  await database.drop();
});
