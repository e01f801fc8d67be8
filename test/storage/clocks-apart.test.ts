import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { postgres18 } from '../support/databases.ts';
import { eventually } from '../support/eventually.ts';
import { startTestApp } from '../support/test-app.ts';

describe('a node whose clock differs from the clock of the database', () => {
  for (const [seconds, said] of [
    [-120, 'The clock of this node is 120 s behind the database'],
    [90, 'The clock of this node is 90 s ahead of the database'],
  ] as const) {
    test(`G-12 reports a difference of ${seconds} s in the log, the metrics and its readiness`, async () => {
      const database = await postgres18.create();
      let off = seconds * 1000;
      const app = await startTestApp(database, {}, { clock: () => new Date(Date.now() + off) });
      const warning = app.log().find(({ event }) => event === 'clock.apart');
      assert.equal(warning?.['level'], 'warn');
      assert.ok(String(warning?.['msg']).startsWith(said), String(warning?.['msg']));
      const { status, json } = await app.request('/health/ready');
      assert.equal(status, 200);
      assert.ok(json.warnings[0].startsWith(said), json.warnings[0]);
      const offset = Number(/^writ_clock_offset_seconds (\S+)$/m.exec(await app.metrics())?.[1]);
      assert.ok(Math.abs(offset + seconds) < 10, String(offset));
      // The node measures the difference again and again.
      off = 0;
      await eventually(10_000, async () => !('warnings' in (await app.request('/health/ready')).json));
      assert.equal(app.log().filter(({ event }) => event === 'clock.apart').length, 1);
      await app.close();
      await database.drop();
    });
  }
});
