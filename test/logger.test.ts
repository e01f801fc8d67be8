import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createLogger } from '../src/logger.ts';

describe('the log', () => {
  test('G-18 holds no secret, by whatever name and however deep it is handed over', () => {
    const lines: string[] = [];
    const logger = createLogger('trace', false, { write: (line: string) => void lines.push(line) });
    for (const name of [
      'authorization',
      'clientSecret',
      'client_secret',
      'client_assertion',
      'access_token',
      'cookie',
    ]) {
      logger.info({ [name]: 'CANARY' });
      logger.trace({ headers: { [name]: 'CANARY' } });
      logger.error({ request: { headers: { [name]: 'CANARY' } } });
    }
    assert.equal(lines.length, 18);
    for (const line of lines) {
      assert.doesNotMatch(line, /CANARY/);
      assert.match(line, /\[secret\]/);
    }
  });

  test('G-17 is one JSON object a line', () => {
    const lines: string[] = [];
    const logger = createLogger('info', false, { write: (line: string) => void lines.push(line) });
    logger.info({ event: 'x', said: 'a\r\nb\u001B[31m' });
    assert.deepEqual(
      lines.map((line) => line.indexOf('\n')),
      [(lines[0] ?? '').length - 1],
    );
    assert.equal(JSON.parse(lines[0] ?? '').said, 'a\r\nb\u001B[31m');
  });
});
