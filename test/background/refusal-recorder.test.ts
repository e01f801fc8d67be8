import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { MOST_ALONE } from '../../src/domain/activity/gather-refusals.ts';
import type { Refusals } from '../../src/domain/activity/refusal.ts';
import type { ClientId } from '../../src/domain/ids.ts';
import { createOutageLog } from '../../src/observability/outage-log.ts';
import { type RefusalRecorder, startRefusalRecorder } from '../../src/background/refusal-recorder.ts';
import { quietSurroundings } from '../support/config.ts';

const NEVER = 3_600_000;

describe('the queue of the refusal recorder', () => {
  function start(record: (refusals: readonly Refusals[]) => Promise<void>): {
    recorder: RefusalRecorder;
    lines: string[];
  } {
    const lines: string[] = [];
    const { clock, logger } = quietSurroundings({ lines });
    return {
      recorder: startRefusalRecorder(
        { record },
        { clock, logger, outages: createOutageLog(logger, () => performance.now()), pause: NEVER },
      ),
      lines,
    };
  }

  const note = ({ note }: RefusalRecorder, clientId: string, found: boolean, source: string, detail?: string): void =>
    note({
      clientId: clientId as ClientId,
      found,
      reason: found ? 'secret_wrong' : 'account_unknown',
      endpoint: 'token',
      source,
      requestId: 'r',
      credentialId: undefined,
      told: { status: 401, error: 'invalid_client', description: detail ?? '' },
      detail,
    });

  test('C-08 is bounded for any ids and sources, and made-up ids take no room from accounts', async () => {
    const written: Refusals[] = [];
    const { recorder, lines } = start((refusals) => Promise.resolve(void written.push(...refusals)));
    for (let index = 0; index < 100_000; index += 1) note(recorder, `sa_${index}`, false, `10.0.${index % 2000}.1`);
    for (let index = 0; index < 10_000; index += 1) note(recorder, `sa_account`, true, `10.0.${index}.1`);
    await recorder.close();
    const [nobodys, own] = [false, true].map((account) =>
      written.filter(({ clientId }) => (clientId === 'sa_account') === account),
    );
    assert.equal(nobodys?.length, 500);
    assert.equal(own?.length, MOST_ALONE + 1);
    assert.equal(
      own.reduce((sum, { count }) => sum + count, 0),
      10_000,
    );
    assert.ok(written.every(({ recent }) => recent.length <= 20));
    assert.ok(lines.some((line) => line.includes('refusals.dropped')));
  });

  test('is kept and added up when it cannot be written', async () => {
    const written: Refusals[] = [];
    let away = true;
    const { recorder, lines } = start((refusals) => {
      if (away) return Promise.reject(new Error('away'));
      return Promise.resolve(void written.push(...refusals));
    });
    note(recorder, 'sa_account', true, '10.0.0.1', `\0\uD800${'x'.repeat(1000)}`);
    await recorder.close();
    assert.ok(lines.some((line) => line.includes('refusals.not_recorded')));
    away = false;
    note(recorder, 'sa_account', true, '10.0.0.1');
    await recorder.close();
    assert.deepEqual(
      written.map(({ count, recent }) => [count, recent.map(({ detail, told }) => [detail, told?.description])]),
      [
        [
          2,
          [
            [undefined, ''],
            [`??${'x'.repeat(298)}...`, `??${'x'.repeat(298)}...`],
          ],
        ],
      ],
    );
  });
});
