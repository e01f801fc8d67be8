import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DomainError } from '../../src/domain/domain-error.ts';
import { createLogger } from '../../src/observability/logger.ts';
import { createOutageLog } from '../../src/observability/outage-log.ts';

test('an outage is over when the database answers and nothing has failed for a while', () => {
  const lines: string[] = [];
  let now = 0;
  const outages = createOutageLog(
    createLogger('trace', false, { write: (line: string) => void lines.push(line) }),
    () => now,
  );
  const fail = (): void => outages.failed('feed', new DomainError('unavailable', 'away'));
  fail();
  // Some connections answer while others still fail.
  for (let second = 0; second < 10; second += 1) {
    now += 1000;
    outages.answered();
    fail();
  }
  assert.equal(lines.length, 1);
  now += 3000;
  outages.answered();
  outages.answered();
  assert.deepEqual(
    lines.map((line) => JSON.parse(line).event),
    ['database.lost', 'database.back'],
  );
});
