import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { decodeJwt } from 'jose';
import type { Reply } from '../support/api-contract.ts';
import { apiToken, assertRefused, makeCaller } from '../support/companies.ts';
import { ROOT } from '../support/config.ts';
import { embedded, onEachDatabase } from '../support/databases.ts';
import { useTestApp } from '../support/test-app.ts';

const PATH = '/api/service-accounts';

onEachDatabase('the change of a service account', (kind) => {
  const app = useTestApp(kind, { WRIT_TOKEN_MAX_BYTES: '65536' });

  const make = async (body: object): Promise<{ clientId: string; clientSecret: string }> => {
    const { status, json, text } = await app.api('POST', PATH, body);
    assert.equal(status, 201, text);
    return json;
  };
  const patch = (id: string, body: object, headers: Record<string, string> = {}): Promise<Reply> =>
    app.api('PATCH', `${PATH}/${id}`, body, undefined, headers);

  test('sets the members that it names, clears the members that are null, and keeps the rest', async () => {
    const sent = {
      name: 'Whole',
      slug: 'whole',
      description: 'two\nlines',
      state: 'enabled',
      permissions: ['a', 'b'],
      audience: 'api://default',
      tokenTtl: 60,
      metadata: { team: 'billing', cost: 1.5, live: true },
    };
    const { clientId } = await make(sent);
    const before = (await app.api('GET', `${PATH}/whole`)).json;
    for (const [member, value] of Object.entries(sent)) assert.deepEqual(before[member], value, member);

    const changed = await patch(clientId, {
      name: 'Changed',
      description: null,
      tokenTtl: null,
      metadata: { team: null, cost: 2 },
      permissions: ['b', 'c'],
    });
    assert.equal(changed.status, 200, changed.text);
    assert.deepEqual(changed.json, {
      ...before,
      name: 'Changed',
      description: null,
      tokenTtl: null,
      metadata: { cost: 2, live: true },
      permissions: ['b', 'c'],
      updatedAt: changed.json.updatedAt,
    });
    assert.deepEqual((await patch('whole', { metadata: null })).json.metadata, {});
    assert.deepEqual((await patch('whole', {})).json.name, 'Changed');
    const merge = { 'Content-Type': 'application/merge-patch+json' };
    assert.equal((await patch('whole', { name: 'Merged' }, merge)).json.name, 'Merged');
    assertRefused(app, await patch('whole', {}, { 'Content-Type': 'text/plain' }), 415, 'unsupported_media_type');

    const events = await app.knex('audit_events').where({ target: clientId }).orderBy('occurred_at').select();
    assert.deepEqual(events[1]?.details, {
      name: { from: 'Whole', to: 'Changed' },
      description: { from: 'two\nlines', to: null },
      tokenTtl: { from: 60, to: null },
      metadata: { from: { team: 'billing', cost: 1.5, live: true }, to: { cost: 2, live: true } },
      permissionsAdded: ['c'],
      permissionsRemoved: ['a'],
    });
  });

  test('acts on the scope, the lifetime and the audience of the next token', async () => {
    const account = await make({ name: 'Next', permissions: ['a'] });
    const claims = async (): Promise<unknown[]> => {
      const { json } = await app.token(account);
      const { scope, aud, exp = 0, iat = 0 } = decodeJwt(json.access_token);
      assert.equal(json.expires_in, exp - iat);
      return [scope, aud, exp - iat];
    };
    assert.deepEqual(await claims(), ['a', 'api://default', 900]);
    await patch(account.clientId, { permissions: ['a', 'b'], tokenTtl: 'PT1M30S' });
    assert.deepEqual(await claims(), ['a b', 'api://default', 90]);
    // The lifetime of an account can only shorten that of the server.
    await patch(account.clientId, { tokenTtl: 86_400, permissions: [] });
    assert.deepEqual(await claims(), [undefined, 'api://default', 900]);
    await patch(account.clientId, { audience: `${app.issuer}/api` });
    assert.deepEqual(await claims(), [undefined, `${app.issuer}/api`, 900]);
  });

  test('takes the audience from the first permission, and keeps it until the audience itself is changed', async () => {
    const { clientId } = await make({ name: 'First' });
    const audience = async (): Promise<string> => (await app.api('GET', `${PATH}/${clientId}`)).json.audience;
    assert.equal(await audience(), 'api://default');
    assert.equal((await app.api('PUT', `${PATH}/${clientId}/permissions/writ.audit.view`)).status, 204);
    assert.equal(await audience(), `${app.issuer}/api`);
    assert.equal((await app.api('PUT', `${PATH}/${clientId}/permissions/orders%3Aread`)).status, 204);
    assert.equal(await audience(), `${app.issuer}/api`);
    assertRefused(app, await patch(clientId, { audience: null }), 422, 'audience_required');
    assertRefused(app, await patch(clientId, { audience: 'api://nowhere' }), 422, 'invalid_body');
    await patch(clientId, { audience: null, permissions: ['orders:read'] });
    assert.equal(await audience(), 'api://default');
    const { clientId: other } = await make({ name: 'Other first' });
    assertRefused(app, await patch(other, { permissions: ['a', 'writ.audit.view'] }), 422, 'audience_required');
  });

  test('adds and removes one permission, and answers 404 for a permission that the account does not have', async () => {
    const { clientId } = await make({ name: 'One by one' });
    const one = (method: string, permission: string): Promise<Reply> =>
      app.api(method, `${PATH}/${clientId}/permissions/${encodeURIComponent(permission)}`);
    assert.equal((await one('PUT', 'https://x/read')).status, 204);
    assert.equal((await one('PUT', 'https://x/read')).status, 204);
    assert.deepEqual((await app.api('GET', `${PATH}/${clientId}`)).json.permissions, ['https://x/read']);
    for (const odd of ['a b', 'a@', 'writ.everything', 'ä', 'a"b', '\\', 'x'.repeat(129)]) {
      assertRefused(app, await one('PUT', odd), 422, 'invalid_body', odd);
    }
    assert.equal((await one('DELETE', 'https://x/read')).status, 204);
    assertRefused(app, await one('DELETE', 'https://x/read'), 404, 'not_found');
    assertRefused(app, await app.api('PUT', `${PATH}/sa_unknown/permissions/a`), 404, 'not_found');
  });

  test('keeps the revision and records no audit event when nothing changes', async () => {
    const { clientId } = await make({ name: 'Same', permissions: ['a'], metadata: { b: 1 } });
    const before = await app.api('GET', `${PATH}/${clientId}`);
    for (const body of [{}, { name: 'Same' }, { permissions: ['a'] }, { metadata: { b: 1 } }, { tokenTtl: null }]) {
      const reply = await patch(clientId, body);
      assert.deepEqual(reply.json, before.json);
      assert.equal(reply.headers.get('etag'), before.headers.get('etag'));
    }
    assert.equal((await app.api('PUT', `${PATH}/${clientId}/permissions/a`)).status, 204);
    assert.deepEqual((await app.api('GET', `${PATH}/${clientId}`)).json, before.json);
    assert.deepEqual(await app.knex('audit_events').where({ target: clientId }).pluck('action'), [
      'service_account.created',
    ]);
  });

  test('is recorded in the audit with the identifiers of the API', async () => {
    const { clientId } = await make({ name: 'Moved' });
    await patch(clientId, { audience: `${app.issuer}/api` });
    const [event] = await app.knex('audit_events').where({ target: clientId, action: 'service_account.changed' });
    assert.deepEqual(event.details, { audience: { from: null, to: `${app.issuer}/api` } });
  });

  test('gives an account at most 1000 permissions, also one by one', async () => {
    const permissions = Array.from({ length: 1000 }, (_, index) => `p${index}`);
    const { clientId } = await make({ name: 'Many', permissions });
    const more = await app.api('PUT', `${PATH}/${clientId}/permissions/one-more`);
    assertRefused(app, more, 422, 'limit_reached');
    assert.equal((await patch(clientId, { permissions: [...permissions.slice(1), 'one-more'] })).status, 200);
  });

  test('loses no parallel change, and passes once of several times with the same If-Match', async () => {
    const { clientId } = await make({ name: 'Crowded', permissions: ['p0'] });
    const names = Array.from({ length: 12 }, (_, index) => `p${index}`);
    const all = await Promise.all(names.map((name) => app.api('PUT', `${PATH}/${clientId}/permissions/${name}`)));
    assert.ok(all.every(({ status }) => status === 204));
    assert.deepEqual((await app.api('GET', `${PATH}/${clientId}`)).json.permissions, names.toSorted());
    const etag = (await app.api('GET', `${PATH}/${clientId}`)).headers.get('etag');
    const guarded = await Promise.all(names.map((name) => patch(clientId, { name }, { 'If-Match': String(etag) })));
    assert.equal(guarded.filter(({ status }) => status === 200).length, 1);
    assert.equal(guarded.filter(({ status }) => status === 412).length, names.length - 1);
    const gone = await app.api('DELETE', `${PATH}/${clientId}`, undefined, undefined, { 'If-Match': String(etag) });
    assertRefused(app, gone, 412, 'precondition_failed');
  });

  test('E-04 never deletes, disables or weakens the last root account, not even by two changes at once', async () => {
    const self = `${PATH}/${ROOT.clientId}`;
    for (const reply of [await app.api('DELETE', self), await patch(ROOT.clientId, { state: 'disabled' })]) {
      assertRefused(app, reply, 409, 'last_root');
    }
    assert.equal((await patch(ROOT.clientId, { description: 'Still here' })).status, 200);

    const everything = { permissions: ['writ.permissions.grant', 'writ.serviceaccounts.manage'] };
    // An account that cannot authenticate at the API or cannot grant everything does not count as a root account.
    for (const body of [
      { name: 'No credential', ...everything, credentials: [] },
      { name: 'No means', permissions: ['writ.permissions.grant'] },
      { name: 'Off', ...everything, state: 'disabled' },
      { name: 'An API key', ...everything, credentials: [{ type: 'api_key', audience: `${app.issuer}/api` }] },
      { name: 'A part', ...everything, credentials: [{ type: 'client_secret', permissions: ['writ.audit.view'] }] },
      { name: 'At a place', permissions: everything.permissions.map((permission) => `${permission}@shop`) },
      { name: 'One at a place', permissions: ['writ.permissions.grant@shop', 'writ.serviceaccounts.manage'] },
      { name: 'The other at a place', permissions: ['writ.permissions.grant', 'writ.serviceaccounts.manage@shop'] },
    ]) {
      await make(body);
      assertRefused(app, await patch(ROOT.clientId, { state: 'disabled' }), 409, 'last_root', body.name);
    }
    const { clientId: ended } = await make({ name: 'Ended', roles: ['root'] });
    await app
      .knex('credentials')
      .where({ client_id: ended })
      .update({ expires_at: new Date(0) });
    // A role root at a place does not count, although a row says so.
    const { clientId: placed } = await make({ name: 'Root at a place', roles: ['root'] });
    await app.knex('grants').where({ client_id: placed }).update({ place: 'shop' });
    assertRefused(app, await patch(ROOT.clientId, { state: 'disabled' }), 409, 'last_root');

    const second = await makeCaller(app, PATH, ['writ.permissions.grant', 'writ.serviceaccounts.manage']);
    const path = `${PATH}/${second.clientId}`;
    const both = await Promise.all([
      patch(ROOT.clientId, { state: 'disabled' }),
      app.api('DELETE', `${path}/permissions/writ.permissions.grant`, undefined, second.bearer),
    ]);
    assert.deepEqual(both.map(({ status }) => status).filter((status) => status < 300).length, 1);
    assert.equal(both.filter(({ status }) => status === 409).length, 1);
    // An account that may grant everything is left, whichever of the two changes passed.
    if ((await app.token(ROOT)).status !== 200) {
      await app.api('PATCH', self, { state: 'enabled' }, await apiToken(app, second));
      await app.renewRootToken();
    }
    assert.equal((await app.api('DELETE', path)).status, 204);
  });

  test('E-06 must leave an account that fits the rules of a new account', async () => {
    const { clientId } = await make({ name: 'Harmless', metadata: { a: 'x'.repeat(1000), b: 'x'.repeat(1000) } });
    const large = Object.fromEntries(['c', 'd', 'e'].map((name) => [name, 'x'.repeat(1000)]));
    assertRefused(
      app,
      await app.api('POST', PATH, { name: 'Large', metadata: { ...large, f: 'x'.repeat(1024), g: 'x'.repeat(100) } }),
      422,
      'invalid_body',
    );
    assert.equal((await patch(clientId, { metadata: { c: large['c'] } })).status, 200);
    const joint = await patch(clientId, { metadata: { d: 'x'.repeat(1024), e: 'x'.repeat(100) } });
    assertRefused(app, joint, 422, 'invalid_body');
    assert.equal(joint.json.errors[0].pointer, '/metadata');
    for (const body of [{ name: null }, { state: null }, { permissions: null }, { slug: 'new' }, { clientId: 'x' }]) {
      assertRefused(app, await patch(clientId, body), 400, 'invalid_body', JSON.stringify(body));
    }
    const named = await patch(clientId, { metadata: { 'a b': 1 } });
    assert.deepEqual(named.json.errors, [
      { pointer: '/metadata/a b', message: 'has a name that no member may have here' },
    ]);
    for (const body of [
      { tokenTtl: 0 },
      { tokenTtl: 86_401 },
      { tokenTtl: 'P1M' },
      { tokenTtl: 'PT0S' },
      { tokenTtl: 'PT0.5S' },
      { tokenTtl: 'PT5.5S' },
      { tokenTtl: '-PT5M' },
      { tokenTtl: 'soon' },
      { description: 'a\u0000b' },
      { metadata: { 'a b': 1 } },
      { metadata: { a: 'a\u0000b' } },
    ]) {
      assertRefused(app, await patch(clientId, body), 422, 'invalid_body', JSON.stringify(body));
    }
    assert.equal((await app.api('GET', `${PATH}/${clientId}`)).json.name, 'Harmless');
  });
});

describe('a service account', () => {
  const app = useTestApp(embedded);

  test('E-05 takes no member that only the server sets', async () => {
    const { json } = await app.api('POST', PATH, { name: 'Set' });
    const columns = Object.keys(await app.knex('service_accounts').first());
    const credentials = Object.keys(await app.knex('credentials').first());
    const answered = [
      'clientId',
      'company',
      'roles',
      'credentialCount',
      'createdAt',
      'createdBy',
      'updatedAt',
      'revision',
    ];
    const camel = (name: string): string => name.replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
    const sendable = [
      'name',
      'slug',
      'description',
      'state',
      'audience',
      'tokenTtl',
      'senderConstraint',
      'metadata',
      'type',
    ];
    const names = new Set([
      ...columns,
      ...credentials,
      ...[...columns, ...credentials].map(camel),
      ...answered,
      'isRoot',
    ]);
    for (const name of names) {
      if (sendable.includes(name)) continue;
      for (const value of ['x', 1, null, {}]) {
        const body = JSON.parse(`{"${name}":${JSON.stringify(value)}}`);
        assertRefused(app, await app.api('PATCH', `${PATH}/${json.clientId}`, body), 400, 'invalid_body', name);
        assertRefused(app, await app.api('POST', PATH, { name: 'x', ...body }), 400, 'invalid_body', name);
      }
    }
  });

  test('E-07 takes no member named __proto__, constructor or prototype, at any depth', async () => {
    const token = await app.rootToken();
    for (const name of ['__proto__', 'constructor', 'prototype']) {
      for (const body of [
        `{"name":"x","${name}":{"polluted":true}}`,
        `{"name":"x","metadata":{"${name}":"polluted"}}`,
        `{"name":"x","metadata":{"a":{"${name}":"polluted"}}}`,
        `{"name":"x","credentials":[{"type":"client_secret","${name}":{}}]}`,
      ]) {
        const reply = await app.request(PATH, {
          method: 'POST',
          headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
          body,
        });
        assert.ok(reply.status === 400 || reply.status === 422, `${body} ${reply.text}`);
        assert.equal(reply.json.code, 'invalid_body');
      }
      const named = await app.api('POST', PATH, { name: `Named ${name}`, permissions: [name] });
      assert.deepEqual(named.json.permissions, [name]);
      assert.deepEqual(decodeJwt((await app.token(named.json)).json.access_token)['permissions'], [name]);
    }
    assert.equal('polluted' in {}, false);
  });

  test('E-20 has a name of 1 to 128 characters, without control or direction characters', async () => {
    for (const name of [
      'a\u202Eb',
      'a\uD800b',
      '\uDC00',
      'a\u0000b',
      'a\u2028b',
      'a\tb',
      '\u2066a',
      ' ',
      '',
      'x'.repeat(129),
    ]) {
      assertRefused(app, await app.api('POST', PATH, { name }), 422, 'invalid_body', JSON.stringify(name));
    }
    for (const name of ['=cmd|x', '<script>alert(1)</script>', '日本', "Robert'); drop table"]) {
      const { status, json, headers } = await app.api('POST', PATH, { name });
      assert.equal(status, 201);
      assert.equal(json.name, name);
      assert.match(String(headers.get('content-type')), /^application\/json/);
    }
  });

  test('E-21 has permissions with unambiguous names, in which upper and lower case differ', async () => {
    for (const permission of ['.', '..', 'a b', 'a"', '\\', 'a\u00A0b', 'ａ', 'a@b@c', 'a@.', '', 'a\tb', 'а']) {
      assertRefused(
        app,
        await app.api('POST', PATH, { name: 'x', permissions: [permission] }),
        422,
        'invalid_body',
        permission,
      );
    }
    const { json } = await app.api('POST', PATH, {
      name: 'Cases',
      permissions: ['read', 'Read', 'rea', 'read', 'read:all'],
    });
    assert.deepEqual(json.permissions, ['Read', 'rea', 'read', 'read:all']);
    const { scope } = decodeJwt((await app.token(json, { scope: 'Read' })).json.access_token);
    assert.equal(scope, 'Read');
  });

  test('reads itself at /api/self', async () => {
    const { json: account } = await app.api('POST', PATH, { name: 'Nothing' });
    const bearer = await apiToken(app, account);
    const self = await app.api('GET', '/api/self', undefined, bearer);
    assert.equal(self.status, 200);
    assert.equal(self.json.clientId, account.clientId);
    assert.match((await app.api('GET', '/api/version', undefined, bearer)).json.version, /^\d+\.\d+\.\d+$/);
    assertRefused(app, await app.api('GET', '/api/version', undefined, ''), 401, 'unauthorized');
  });
});
