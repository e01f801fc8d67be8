import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { analyse } from 'scslre';
import { readMoment } from '../../src/management/moment.ts';
import { TEXT_FORMATS, wordsOfPattern } from '../../src/management/text-formats.ts';
import { assertRefused, makeCompany } from '../support/companies.ts';
import { postgres18 } from '../support/databases.ts';
import { useTestApp } from '../support/test-app.ts';

const NOW = new Date('2026-11-24T12:00:00Z');
const PATH = '/api/service-accounts';

describe('a time in a query', () => {
  test('is read in every form of RFC 3339, as a date, and as a duration from now', () => {
    const cases: [string, string][] = [
      ['2026-11-24T00:00:00Z', '2026-11-24T00:00:00.000Z'],
      ['2026-11-24t00:00:00z', '2026-11-24T00:00:00.000Z'],
      ['2026-11-24T00:00:00.5Z', '2026-11-24T00:00:00.500Z'],
      ['2026-11-24T00:00:00.123456789123Z', '2026-11-24T00:00:00.123Z'],
      ['2026-11-24T02:00:00+02:00', '2026-11-24T00:00:00.000Z'],
      ['2026-11-24T02:00:00 02:00', '2026-11-24T00:00:00.000Z'],
      ['2026-11-24T02:00:00+0200', '2026-11-24T00:00:00.000Z'],
      ['2026-11-24T02:00:00+02', '2026-11-24T00:00:00.000Z'],
      ['2026-11-24T02:00:00.25+02:00', '2026-11-24T00:00:00.250Z'],
      ['2026-11-23T18:30:00-05:30', '2026-11-24T00:00:00.000Z'],
      ['2026-11-24T00:00:00-00:00', '2026-11-24T00:00:00.000Z'],
      ['2026-11-24 00:00:00Z', '2026-11-24T00:00:00.000Z'],
      ['2026-11-24T00:00Z', '2026-11-24T00:00:00.000Z'],
      ['2016-12-31T23:59:60Z', '2016-12-31T23:59:59.000Z'],
      ['2026-11-24', '2026-11-24T00:00:00.000Z'],
      ['2024-02-29', '2024-02-29T00:00:00.000Z'],
      ['1969-07-20', '1969-07-20T00:00:00.000Z'],
      ['9999-12-31', '9999-12-31T00:00:00.000Z'],
      [' 2026-11-24 ', '2026-11-24T00:00:00.000Z'],
      ['P90D', '2026-08-26T12:00:00.000Z'],
      ['p90d', '2026-08-26T12:00:00.000Z'],
      ['P2W', '2026-11-10T12:00:00.000Z'],
      ['P1M', '2026-10-24T12:00:00.000Z'],
      ['P1Y', '2025-11-24T12:00:00.000Z'],
      ['PT1H30M', '2026-11-24T10:30:00.000Z'],
      ['P1DT12H', '2026-11-23T00:00:00.000Z'],
      ['PT0S', '2026-11-24T12:00:00.000Z'],
    ];
    for (const [text, expected] of cases) assert.equal(readMoment(text, NOW, 'past')?.toISOString(), expected, text);
    assert.equal(readMoment('P14D', NOW, 'future')?.toISOString(), '2026-12-08T12:00:00.000Z');
    assert.equal(readMoment('P1M', NOW, 'future')?.toISOString(), '2026-12-24T12:00:00.000Z');
  });

  const none = [
    '',
    ' ',
    'yesterday',
    '1795561485',
    '2026-11-24T00:00:00',
    '2026-11-24T',
    '2026-11-24T24:00:00Z',
    '2026-11-24T00:60:00Z',
    '2026-02-30',
    '2025-02-29',
    '2026-13-01',
    '2026-00-10',
    '2026-11-00',
    '2026-02-30T00:00:00Z',
    '2026-11-24T00:00:00+24:00',
    '2026-11-24T00:00:00+02:60',
    '2026-11-24T00:00:00Z[Europe/Rome]',
    '0000-01-01',
    '10000-01-01',
    '+010000-01-01T00:00:00Z',
    '9999-12-31T23:59:59-12:00',
    '24.11.2026',
    '11/24/2026',
    '20261124',
    'P',
    'PT',
    'P1',
    '-P90D',
    'P-1D',
    'P90X',
    'P999999999Y',
    'P2000Y',
    '90d',
    `P${'9'.repeat(40)}D`,
    "' or 1=1--",
  ];

  test('is not read in any other form', () => {
    for (const text of none) {
      for (const direction of ['past', 'future'] as const) {
        assert.equal(readMoment(text, NOW, direction), undefined, `${text} ${direction}`);
      }
    }
  });

  const app = useTestApp(postgres18, {}, { clock: () => NOW });

  test('filters lists, where a duration lies before now for the last use and after now for an expiry', async () => {
    const day = 86_400_000;
    for (const [name, used, expires] of [
      ['long-ago', 100, 10],
      ['lately', 10, 100],
    ] as const) {
      const { json } = await app.api('POST', PATH, { name });
      const { credentialId } = json.credentials[0];
      await app
        .knex('credentials')
        .where({ credential_id: credentialId })
        .update({
          expires_at: new Date(NOW.getTime() + expires * day),
        });
      await app.knex('last_uses').insert({
        client_id: json.clientId,
        credential_id: credentialId,
        used_at: new Date(NOW.getTime() - used * day),
        source: '127.0.0.1',
      });
    }
    const found = async (query: string): Promise<string[]> => {
      const { status, json, text } = await app.api('GET', `${PATH}?search=l&${query}`);
      assert.equal(status, 200, text);
      return json.map(({ slug }: { slug: string }) => slug).toSorted();
    };
    for (const time of ['2026-10-01T02:00:00%2B02:00', '2026-10-01T02:00:00+02:00', '2026-10-01', 'P90D', 'p3m']) {
      assert.deepEqual(await found(`lastUsedBefore=${time}`), ['long-ago'], time);
    }
    for (const time of ['2026-12-31T00:00:00-01:00', '2026-12-31', 'P14D', 'P2M']) {
      assert.deepEqual(await found(`expiringBefore=${time}`), ['long-ago'], time);
    }
    assert.deepEqual(await found('expiringBefore=P200D'), ['lately', 'long-ago']);
    assert.deepEqual(await found('lastUsedBefore=P200D'), []);
  });

  test('is refused with examples of valid forms', async () => {
    await makeCompany(app, 'timed');
    for (const path of [PATH, '/api/companies/timed/service-accounts']) {
      for (const name of ['lastUsedBefore', 'expiringBefore']) {
        for (const text of none.slice(path === PATH ? 0 : -3)) {
          const reply = await app.api('GET', `${path}?${name}=${encodeURIComponent(text)}`);
          assertRefused(app, reply, 400, 'invalid_query', text);
          assert.equal(reply.json.errors[0].pointer, `/${name}`);
          assert.match(reply.json.detail, /2026-11-21T01:00:00\+01:00.*2026-11-21.*P90D/);
        }
      }
    }
  });

  test('refuses an invalid duration in a query with examples of valid forms, too', async () => {
    const { json } = await app.api('POST', PATH, { name: 'Unused' });
    const [{ credentialId }] = json.credentials;
    const path = `${PATH}/unused/credentials/${credentialId}`;
    for (const text of ['59', 'PT59S', '0', '-60', '1.5', 'x', '', 'P1M', 'P99999999D', '99999999999', 'PT60.5S']) {
      const reply = await app.api('DELETE', `${path}?ifUnusedFor=${text}`);
      assertRefused(app, reply, 400, 'invalid_query', text);
      assert.match(reply.json.detail, /whole seconds such as 86400, or an ISO 8601 duration such as P1D/);
    }
    assert.equal((await app.api('DELETE', `${path}?ifUnusedFor=PT1M`)).status, 204);
  });
});

describe('a value that is refused by its form', () => {
  const app = useTestApp(postgres18);
  // oxlint-disable-next-line typescript/no-explicit-any -- a document
  let document: any;
  before(async () => {
    document = (await app.request('/api/openapi.json')).json;
    await makeCompany(app, 'words');
  });

  /** Yields every object in a part of the document. */
  // oxlint-disable-next-line typescript/no-explicit-any -- a document
  function* nodes(part: any): Generator<any> {
    if (typeof part !== 'object' || part === null) return;
    yield part;
    for (const inner of Object.values(part)) yield* nodes(inner);
  }

  test('has a message for every regular expression and every format, and none of the expressions is slow', () => {
    let patterns = 0;
    for (const { pattern, format } of nodes(document)) {
      if (typeof pattern === 'string') {
        patterns += 1;
        assert.match(String(wordsOfPattern(pattern)), /^must be /, pattern);
        assert.deepEqual(analyse({ source: pattern, flags: 'u' }).reports, [], pattern);
      }
      if (typeof format === 'string' && format !== 'date-time') assert.ok(format in TEXT_FORMATS, format);
    }
    assert.ok(patterns > 10);
  });

  test('is named without a regular expression, in every query', async () => {
    for (const [template, methods] of Object.entries<Record<string, { parameters: { name: string; in: string }[] }>>(
      document.paths,
    )) {
      const path = template.replaceAll('{companyId}', 'words').replaceAll(/\{\w+\}/g, 'x');
      for (const [method, { parameters }] of Object.entries(methods)) {
        for (const { name } of parameters.filter((one) => one.in === 'query')) {
          const reply = await app.api(method.toUpperCase(), `${path}?${name}=%01%20~%3F`);
          assert.doesNotMatch(reply.text, /pattern|format|\^|\\\\u/, `${method} ${path} ${name}`);
        }
      }
    }
  });

  test('is named in plain words, in bodies', async () => {
    const cases: [string, object, string, RegExp][] = [
      ['/api/service-accounts', { name: 'a\u0000b' }, '/name', /one line/],
      ['/api/service-accounts', { name: '   ' }, '/name', /not blank/],
      ['/api/service-accounts', { name: 'x', slug: 'A b' }, '/slug', /DNS label.*order-import/],
      ['/api/service-accounts', { name: 'x', slug: 'a'.repeat(64) }, '/slug', /63 characters/],
      ['/api/service-accounts', { name: 'x', description: 'a\u0007' }, '/description', /line breaks/],
      ['/api/service-accounts', { name: 'x', audience: 'a b' }, '/audience', /printable ASCII/],
      ['/api/service-accounts', { name: 'x', groups: ['a b'] }, '/groups/0', /printable ASCII/],
      ['/api/service-accounts', { name: 'x', metadata: { 'a b': 1 } }, '/metadata/a b', /name that no member/],
      ['/api/service-accounts', { name: 'x', metadata: { constructor: 1 } }, '/metadata/constructor', /no member/],
      ['/api/companies', { companyId: 'Ä', name: 'x' }, '/companyId', /DNS label/],
      ['/api/roles', { roleId: '..', name: 'x' }, '/roleId', /neither \. nor \.\./],
      ['/api/companies/words/groups', { name: 'x', role: 'a b' }, '/role', /id of a role/],
    ];
    for (const [path, body, pointer, words] of cases) {
      const reply = await app.api('POST', path, body);
      assertRefused(app, reply, 422, 'invalid_body', JSON.stringify(body));
      const error = reply.json.errors.find((one: { pointer: string }) => one.pointer === pointer);
      assert.match(String(error?.message), words, reply.text);
      assert.doesNotMatch(reply.text, /pattern|\^/);
      // Mia's clients show only the message.
      assert.equal(reply.json.message, reply.json.detail);
      assert.ok(reply.json.message.includes(`${reply.json.errors[0].pointer} ${reply.json.errors[0].message}`));
    }
  });

  test('is named in the message, also when a rule or the shape of the body is broken', async () => {
    const cases: [string, object, RegExp][] = [
      ['/api/service-accounts', {}, /expected form: \/name is required$/],
      ['/api/service-accounts', { name: 1 }, /expected form: \/name must be string$/],
      ['/api/service-accounts', { name: 'x', a: 1, b: 2, c: 3 }, /: \/a is not a member .*here \(and 2 more\)$/],
      ['/api/service-accounts', [], /expected form: must be object$/],
      ['/api/service-accounts', { name: 'x', tokenTtl: 'soon' }, /\/tokenTtl must be whole seconds/],
      ['/api/service-accounts', { name: 'x', publicKey: 'x' }, /\/publicKey goes|publicKey/],
    ];
    for (const [path, body, message] of cases) {
      const { json, text } = await app.api('POST', path, body);
      assert.match(String(json.message), message, text);
      assert.equal(json.message, json.detail);
      const line = app.log().find(({ requestId }) => requestId === json.requestId);
      assert.equal(line?.['detail'], json.message);
    }
  });

  test('is explained when it names a person: there are no users', async () => {
    const group = '/api/companies/words/groups';
    await app.api('POST', group, { name: 'Team' });
    const said = /\/0 names a person: there are no users here, name service accounts by their ids or slugs$/;
    for (const [method, path, body] of [
      ['POST', `${group}/team/members`, { emails: ['ann@example.com'] }],
      ['POST', `${group}/team/members`, { members: ['ann@example.com'] }],
      ['DELETE', `${group}/team/members`, { memberIds: ['ann@example.com'] }],
      ['POST', group, { name: 'Other', members: ['ann@example.com'] }],
      ['PATCH', `${group}/team`, { members: ['ann@example.com'] }],
    ] as const) {
      const reply = await app.api(method, path, body);
      assertRefused(app, reply, 422, 'invalid_body', JSON.stringify(body));
      assert.match(reply.json.message, said);
    }
  });
});
