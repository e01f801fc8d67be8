import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { lastRefusal } from '../support/assertions.ts';
import { embedded } from '../support/databases.ts';
import { rawRequest } from '../support/raw-request.ts';
import { type TestApp, useTestApp } from '../support/test-app.ts';

/** Sends a token request. @returns its source, as the log has it */
async function sourceOf(app: TestApp, forwarded: string | string[] | undefined): Promise<unknown> {
  const body = 'grant_type=client_credentials';
  const { status } = await rawRequest(`${app.url}/oauth/token`, {
    method: 'POST',
    headers: {
      'Content-Type': 'application/x-www-form-urlencoded',
      'Content-Length': String(body.length),
      Authorization: `Basic ${btoa('sa_x:y')}`,
      ...(forwarded !== undefined && { 'X-Forwarded-For': forwarded }),
    },
    body,
  });
  assert.equal(status, 401);
  return lastRefusal(app)['source'];
}

const told = (app: TestApp, event: string): Record<string, unknown>[] =>
  app.log().filter((line) => line['event'] === event);

describe('the source of a request behind trusted proxies', () => {
  const app = useTestApp(embedded, { WRIT_TRUSTED_PROXIES: '127.0.0.1, 10.0.0.0/8, 2001:db8:ffff::/48' });

  test('C-06 is read in any form that proxies write', async () => {
    const table: [string | string[], string][] = [
      ['203.0.113.9', '203.0.113.9'],
      ['203.0.113.9:4711', '203.0.113.9'],
      ['203.0.113.9:0', '203.0.113.9'],
      ['203.0.113.9:65535', '203.0.113.9'],
      ['"203.0.113.9"', '203.0.113.9'],
      ['"203.0.113.9:4711"', '203.0.113.9'],
      ['2001:db8::7', '2001:db8::7'],
      ['[2001:db8::7]', '2001:db8::7'],
      ['[2001:db8::7]:4711', '2001:db8::7'],
      ['"[2001:db8::7]:4711"', '2001:db8::7'],
      ['"[2001:db8::7]"', '2001:db8::7'],
      ['"2001:db8::7"', '2001:db8::7'],
      ['fe80::7%eth0', 'fe80::7'],
      ['[fe80::7%25eth0]:4711', 'fe80::7'],
      // There is no port after an address without brackets.
      ['2001:db8::7:4711', '2001:db8::7:4711'],
      ['::ffff:203.0.113.9', '203.0.113.9'],
      ['::FFFF:203.0.113.9', '203.0.113.9'],
      ['::ffff:cb00:7109', '203.0.113.9'],
      ['0:0:0:0:0:ffff:203.0.113.9', '203.0.113.9'],
      ['[::ffff:203.0.113.9]:4711', '203.0.113.9'],
      ['::ffff:0:203.0.113.9', '::ffff:0:203.0.113.9'],
      // The source is the last address that is no trusted proxy, in all these forms.
      ['192.0.2.66, 203.0.113.9:4711', '203.0.113.9'],
      ['192.0.2.66,203.0.113.9:4711,10.1.2.3:80', '203.0.113.9'],
      ['203.0.113.9, [2001:db8:ffff::1]:443 , "10.0.0.1"', '203.0.113.9'],
      ['203.0.113.9, ::ffff:10.0.0.1, ::ffff:a00:1', '203.0.113.9'],
      ['203.0.113.9, , 10.0.0.1,', '203.0.113.9'],
      [' \t203.0.113.9:4711\t ', '203.0.113.9'],
      [['192.0.2.66', '203.0.113.9:4711'], '203.0.113.9'],
      [['192.0.2.66, 203.0.113.9', '10.0.0.1:4711'], '203.0.113.9'],
      ['10.0.0.1:4711', '10.0.0.1'],
      ['', '127.0.0.1'],
      [', ,', '127.0.0.1'],
    ];
    for (const [forwarded, source] of table) assert.equal(await sourceOf(app, forwarded), source, String(forwarded));
    assert.equal(await sourceOf(app, undefined), '127.0.0.1');
    assert.deepEqual(told(app, 'forwarded.unreadable'), []);
  });

  test('C-06 ignores an unreadable element and all before it, so that no client chooses it, and the log says so once', async () => {
    const odd = [
      'unknown',
      '_hidden',
      '"_SEVKISEK"',
      'nonsense',
      '203.0.113.9:',
      '203.0.113.9:123456',
      '203.0.113.9:http',
      '203.0.113.999',
      '203.0.113',
      '0203.0.113.9',
      '[203.0.113.9]:4711',
      '[203.0.113.9]',
      '[2001:db8::7',
      '2001:db8::7]:4711',
      '[]:4711',
      '[2001:db8::7]4711',
      '2001:db8:0:0:0:0:0:7:4711',
      '"203.0.113.9',
      'for=203.0.113.9',
      '203.0.113.9 203.0.113.10',
      '%eth0',
      'x'.repeat(5000),
    ];
    for (const element of odd) {
      const note = element.slice(0, 40);
      assert.equal(await sourceOf(app, element), '127.0.0.1', note);
      assert.equal(await sourceOf(app, `192.0.2.66, ${element}`), '127.0.0.1', note);
      assert.equal(await sourceOf(app, `192.0.2.66, ${element}, 10.0.0.7:80`), '10.0.0.7', note);
      assert.equal(await sourceOf(app, `${element}, 203.0.113.9:4711`), '203.0.113.9', note);
    }
    const lines = told(app, 'forwarded.unreadable');
    assert.equal(lines.length, 1);
    assert.deepEqual(
      [lines[0]?.['level'], lines[0]?.['element'], lines[0]?.['proxy']],
      ['warn', 'unknown', '127.0.0.1'],
    );
    assert.deepEqual(told(app, 'forwarded.not_trusted'), []);
  });
});

describe('the source of a request behind a proxy that is not trusted', () => {
  const app = useTestApp(embedded, { WRIT_TRUSTED_PROXIES: '192.0.2.1' });

  test('is the proxy, and the log names once the setting that would change that', async () => {
    assert.equal(await sourceOf(app, undefined), '127.0.0.1');
    assert.deepEqual(told(app, 'forwarded.not_trusted'), []);
    for (const forwarded of ['203.0.113.9', 'unknown', '203.0.113.9:4711']) {
      assert.equal(await sourceOf(app, forwarded), '127.0.0.1');
    }
    const lines = told(app, 'forwarded.not_trusted');
    assert.equal(lines.length, 1);
    const { level, peer, msg } = lines[0] ?? {};
    assert.deepEqual([level, peer], ['warn', '127.0.0.1']);
    assert.match(String(msg), /WRIT_TRUSTED_PROXIES/);
    assert.deepEqual(told(app, 'forwarded.unreadable'), []);
  });
});
