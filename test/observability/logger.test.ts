import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createLogger } from '../../src/observability/logger.ts';

describe('the log', () => {
  test('G-18 holds no secret, under any name for secrets and at any depth', () => {
    const lines: string[] = [];
    const logger = createLogger('trace', false, { write: (line: string) => void lines.push(line) });
    for (const name of [
      'authorization',
      'clientSecret',
      'client_secret',
      'client_assertion',
      'privateJwk',
      'access_token',
      'cookie',
    ]) {
      logger.info({ [name]: 'CANARY' });
      logger.trace({ headers: { [name]: 'CANARY' } });
      logger.error({ request: { headers: { [name]: 'CANARY' } } });
      logger.error({ tried: [{ body: { form: { [name]: ['CANARY'] } } }] });
    }
    assert.equal(lines.length, 28);
    for (const line of lines) {
      assert.doesNotMatch(line, /CANARY/);
      assert.match(line, /\[secret\]/);
    }
  });

  test('holds other values as they are, to the depth of a line, and does not change them', () => {
    const lines: string[] = [];
    const logger = createLogger('info', false, { write: (line: string) => void lines.push(line) });
    const endless: Record<string, unknown> = { cookie: 'mine', at: new Date(0), list: [1, null, { two: 2 }] };
    endless['itself'] = endless;
    logger.info(endless);
    logger.error({ err: new TypeError('wrong') }, 'said');
    const { at, list, cookie } = JSON.parse(lines[0] ?? '');
    assert.deepEqual([at, list, cookie], ['1970-01-01T00:00:00.000Z', [1, null, { two: 2 }], '[secret]']);
    const { err, msg } = JSON.parse(lines[1] ?? '');
    assert.deepEqual([err.type, err.message, msg], ['TypeError', 'wrong', 'said']);
    assert.match(err.stack, /logger\.test\.ts/);
    assert.equal(endless['cookie'], 'mine');
  });

  test('holds the message and the cause of an error, but not the data that a driver adds to it', () => {
    const lines: string[] = [];
    const logger = createLogger('info', false, { write: (line: string) => void lines.push(line) });
    const driver = Object.assign(new Error('duplicate key value'), {
      code: '23505',
      constraint: 'slug_unique',
      table: 'service_accounts',
      detail: 'Key (secret_hash)=(CANARY) exists',
      where: 'CANARY',
      params: ['CANARY'],
    });
    logger.error({ err: new Error('not written', { cause: driver }) });
    assert.doesNotMatch(lines.join(''), /CANARY/);
    const { err } = JSON.parse(lines[0] ?? '');
    assert.equal(err.message, 'not written');
    assert.match(err.stack, /logger\.test\.ts/);
    const { type, code, constraint, table } = err.cause;
    assert.deepEqual([type, code, constraint, table], ['Error', '23505', 'slug_unique', 'service_accounts']);
  });

  test('cuts long values, because a client may have sent them', () => {
    const lines: string[] = [];
    const logger = createLogger('info', false, { write: (line: string) => void lines.push(line) });
    logger.info({ path: `/api/${'x'.repeat(100_000)}`, list: ['y'.repeat(100_000)] });
    assert.ok((lines[0] ?? '').length < 2000);
  });

  test('G-17 has one JSON object on each line', () => {
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
