import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { assertRefused } from '../support/companies.ts';
import { postgres18 } from '../support/databases.ts';
import { useTestApp } from '../support/test-app.ts';

const LONG = 'x'.repeat(701);

describe('a member of a body that has several types', () => {
  const app = useTestApp(postgres18);

  /** The method, the body, the status of the refusal, and the pointer and the message of each error. */
  const cases: [string, object, number, [string, RegExp][]][] = [
    ['POST', { tokenTtl: true }, 400, [['/tokenTtl', /^must be integer or string$/]]],
    ['POST', { tokenTtl: null }, 400, [['/tokenTtl', /^must be integer or string$/]]],
    ['POST', { tokenTtl: 1.5 }, 400, [['/tokenTtl', /^must be integer or string$/]]],
    ['POST', { tokenTtl: 0 }, 422, [['/tokenTtl', /^must be >= 1$/]]],
    ['POST', { tokenTtl: 31_536_001 }, 422, [['/tokenTtl', /^must be <= 31536000$/]]],
    ['POST', { tokenTtl: '9'.repeat(33) }, 422, [['/tokenTtl', /^must NOT have more than 32 characters$/]]],
    ['PATCH', { tokenTtl: [] }, 400, [['/tokenTtl', /^must be integer, string or null$/]]],
    ['PATCH', { tokenTtl: 0 }, 422, [['/tokenTtl', /^must be >= 1$/]]],
    ['POST', { permissions: [7] }, 400, [['/permissions/0', /^must be string or object$/]]],
    ['POST', { permissions: ['a', null] }, 400, [['/permissions/1', /^must be string or object$/]]],
    ['POST', { permissions: [LONG] }, 422, [['/permissions/0', /^must NOT have more than 700 characters$/]]],
    [
      'POST',
      { permissions: [{}] },
      400,
      [
        ['/permissions/0/permission', /^is required$/],
        ['/permissions/0/resource', /^is required$/],
      ],
    ],
    [
      'POST',
      { permissions: [{ permission: 'a', resource: 'b', x: 1 }] },
      400,
      [['/permissions/0/x', /^is not a member that is known here$/]],
    ],
    [
      'POST',
      { permissions: [{ permission: 'a', resource: 'é' }] },
      422,
      [['/permissions/0/resource', /printable ASCII/]],
    ],
    [
      'POST',
      { permissions: [{ permission: LONG, resource: 7 }, LONG, 7] },
      400,
      [
        ['/permissions/0/permission', /^must NOT have more than 700 characters$/],
        ['/permissions/0/resource', /^must be string$/],
        ['/permissions/1', /^must NOT have more than 700 characters$/],
        ['/permissions/2', /^must be string or object$/],
      ],
    ],
    [
      'POST',
      { metadata: { a: {}, b: 1, c: null } },
      400,
      [
        ['/metadata/a', /^must be string, number or boolean$/],
        ['/metadata/c', /^must be string, number or boolean$/],
      ],
    ],
    ['POST', { metadata: { a: 'x\u0000' } }, 422, [['/metadata/a', /^must be text without control characters/]]],
    ['PATCH', { metadata: { a: [] } }, 400, [['/metadata/a', /^must be string, number, boolean or null$/]]],
    [
      'POST',
      { tokenEndpointAuthMethod: 'private_key_jwt', publicKey: 7 },
      400,
      [['/publicKey', /^must be string or object$/]],
    ],
    [
      'POST',
      { credentials: [{ type: 'public_key', publicKey: [], expiresIn: {} }] },
      400,
      [
        ['/credentials/0/publicKey', /^must be string or object$/],
        ['/credentials/0/expiresIn', /^must be integer, string or null$/],
      ],
    ],
    [
      'POST',
      { credentials: [{ type: 'client_secret', expiresIn: -1 }] },
      422,
      [['/credentials/0/expiresIn', /^must be >= 1$/]],
    ],
  ];

  before(async () => {
    await app.api('POST', '/api/service-accounts', { name: 'Target' });
  });

  for (const [method, body, status, problems] of cases) {
    const sent = JSON.stringify(body).slice(0, 80);
    test(`is refused with ${status} and one sentence for each fault in ${method} ${sent}`, async () => {
      const path = method === 'POST' ? '/api/service-accounts' : '/api/service-accounts/target';
      const reply = await app.api(method, path, method === 'POST' ? { name: 'New', ...body } : body);
      assertRefused(app, reply, status, 'invalid_body');
      const said: { pointer: string; message: string }[] = reply.json.errors;
      assert.deepEqual(
        said.map(({ pointer }) => pointer).toSorted(),
        problems.map(([pointer]) => pointer).toSorted(),
        reply.text,
      );
      for (const [pointer, words] of problems) {
        assert.match(said.find((one) => one.pointer === pointer)?.message ?? '', words);
      }
    });
  }

  test('is accepted in each of its types', async () => {
    const bodies: object[] = [
      { tokenTtl: 300, permissions: ['a', { permission: 'b', resource: 'api://default' }] },
      { tokenTtl: 'PT5M', metadata: { text: 'x', number: 1.5, yes: true } },
    ];
    for (const body of bodies) {
      const made = await app.api('POST', '/api/service-accounts', {
        name: `Taken ${Object.keys(body).join(' ')}`,
        ...body,
      });
      assert.equal(made.status, 201, made.text);
      assert.equal(made.json.tokenTtl, 300);
      const patched = await app.api('PATCH', `/api/service-accounts/${made.json.clientId}`, {
        tokenTtl: null,
        metadata: { text: null, added: false },
      });
      assert.equal(patched.status, 200, patched.text);
      assert.equal(patched.json.tokenTtl, null);
    }
  });

  test('is refused with 20 errors in a list of 100,000 wrong items', async () => {
    for (const [item, count] of [
      ['7', 100_000],
      ['{"a":1}', 30_000],
    ] as const) {
      const reply = await app.request('/api/service-accounts', {
        method: 'POST',
        headers: { Authorization: `Bearer ${await app.rootToken()}`, 'Content-Type': 'application/json' },
        body: `{"name":"x","permissions":[${Array(count).fill(item).join(',')}]}`,
      });
      assertRefused(app, reply, 400, 'invalid_body', item);
      assert.equal(reply.json.errors.length, 20);
    }
  });
});
