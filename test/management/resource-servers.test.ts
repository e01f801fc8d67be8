import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { createRemoteJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose';
import { lastRefusal } from '../support/assertions.ts';
import { type ApiCaller, assertRefused, COMPANY_PERMISSIONS, makeCaller, makeCompany } from '../support/companies.ts';
import { onEachDatabase } from '../support/databases.ts';
import { useTestApp } from '../support/test-app.ts';

const ROOT_SERVERS = '/api/resource-servers';
const ACCOUNTS = '/api/service-accounts';
const IN_A = '/api/companies/a';

onEachDatabase('resource servers', (kind) => {
  const app = useTestApp(kind);
  let adminA: ApiCaller;
  let adminB: ApiCaller;
  before(async () => {
    await makeCompany(app, 'a');
    await makeCompany(app, 'b');
    adminA = await makeCaller(app, `${IN_A}/service-accounts`, COMPANY_PERMISSIONS);
    adminB = await makeCaller(app, '/api/companies/b/service-accounts', COMPANY_PERMISSIONS);
  });

  /** Creates a resource server that declares names. @returns its path */
  async function register(identifier: string, names: readonly string[], more: object = {}): Promise<string> {
    const body = { identifier, name: identifier, permissions: names.map((name) => ({ name })), ...more };
    const { status, text, headers } = await app.api('POST', ROOT_SERVERS, body);
    assert.equal(status, 201, text);
    return String(headers.get('location'));
  }

  test('are created, read, changed and deleted, each change with its audit event', async () => {
    const sent = {
      identifier: 'https://orders.example',
      name: 'Orders',
      permissions: [{ name: 'write', description: 'Places orders' }, { name: 'read' }],
      tokenTtl: 'PT5M',
    };
    const made = await app.api('POST', ROOT_SERVERS, sent);
    assert.equal(made.status, 201, made.text);
    const { resourceServerId, createdAt, createdBy, updatedAt, ...rest } = made.json;
    assert.ok(createdAt === updatedAt && createdBy === 'sa_root_of_the_tests');
    assert.deepEqual(rest, {
      ...sent,
      company: null,
      tokenTtl: 300,
      signingAlg: null,
      tokenType: 'at+jwt',
      senderConstraint: 'none',
      introspectedBy: [],
    });
    const path = `${ROOT_SERVERS}/${resourceServerId}`;
    assert.equal(made.headers.get('location'), path);
    assert.deepEqual((await app.api('GET', path)).json, made.json);
    const changed = await app.api('PATCH', path, { name: 'All orders', tokenTtl: null, signingAlg: 'RS256' });
    assert.equal(changed.status, 200, changed.text);
    assert.equal(changed.json.signingAlg, 'RS256');
    assert.equal(changed.json.tokenTtl, null);
    assert.deepEqual(changed.json.permissions, sent.permissions);
    const stale = await app.api('PATCH', path, { name: 'Stale' }, undefined, {
      'If-Match': made.headers.get('etag') ?? '',
    });
    assertRefused(app, stale, 412, 'precondition_failed');
    assert.ok((await app.api('GET', `${ROOT_SERVERS}?search=all%20o`)).json.length === 1);
    assert.equal((await app.api('DELETE', path)).status, 204);
    assertRefused(app, await app.api('DELETE', path), 404, 'not_found');
    const { json: events } = await app.api('GET', `/api/audit-events?target=${resourceServerId}`);
    assert.deepEqual(
      events.map(({ action }: { action: string }) => action),
      ['resource_server.deleted', 'resource_server.changed', 'resource_server.created'],
    );
  });

  test('B-11 have valid identifiers, of which each exists once', async () => {
    const server = { name: 'Odd' };
    for (const identifier of [
      'orders',
      '/orders',
      'https://x.example/a#b',
      'https://x.example/a/../b',
      'https://x.example/ä',
      'HTTPS://x.example',
      'https://X.example',
      'https://x.example:443/',
      'javascript:alert(1)',
      'urn:orders',
      ' https://x.example',
      'api://a/orders',
    ]) {
      const refused = await app.api('POST', ROOT_SERVERS, { ...server, identifier });
      assertRefused(app, refused, 422, 'invalid_body', identifier);
      assert.equal(refused.json.errors[0].pointer, '/identifier', identifier);
    }
    await register('https://once.example', []);
    for (const identifier of ['https://once.example', 'https://once.example/', 'api://default', `${app.issuer}/api`]) {
      assertRefused(app, await app.api('POST', ROOT_SERVERS, { ...server, identifier }), 409, 'already_exists');
    }
  });

  test('E-21 declare valid names, each once, and none of the management API', async () => {
    for (const name of ['a b', 'a"', '\\', 'a\u00A0b', 'a@b', '.', '', 'x'.repeat(129), 'writ.audit.view', 'ä']) {
      const body = { identifier: 'https://names.example', name: 'Names', permissions: [{ name: 'ok' }, { name }] };
      const refused = await app.api('POST', ROOT_SERVERS, body);
      assert.ok([400, 422].includes(refused.status), `${name} ${refused.text}`);
      assert.equal(refused.json.errors[0].pointer, '/permissions/1/name', name);
    }
    const twice = { identifier: 'https://names.example', name: 'Names', permissions: [{ name: 'a' }, { name: 'a' }] };
    assertRefused(app, await app.api('POST', ROOT_SERVERS, twice), 422, 'invalid_body');
  });

  test('keep the grants that were bound to them when the grants were written', async () => {
    const { json: early } = await app.api('POST', ACCOUNTS, { name: 'Early', permissions: ['invoices:read'] });
    const path = await register('https://invoices.example', ['invoices:read', 'invoices:write']);
    const { json: late } = await app.api('POST', ACCOUNTS, { name: 'Late', permissions: ['invoices:read'] });
    assert.equal(early.audience, 'api://default');
    assert.equal(late.audience, 'https://invoices.example');
    assert.equal(decodeJwt((await app.token(early)).json.access_token).aud, 'api://default');
    assert.equal(decodeJwt((await app.token(late)).json.access_token).aud, 'https://invoices.example');
    // A permission that is written again stays the same grant.
    const again = await app.api('PATCH', `${ACCOUNTS}/${early.clientId}`, { permissions: ['invoices:read'] });
    assert.equal(again.status, 200, again.text);
    assert.equal(
      again.headers.get('etag'),
      (await app.api('GET', `${ACCOUNTS}/${early.clientId}`)).headers.get('etag'),
    );
    assert.equal(decodeJwt((await app.token(early)).json.access_token).aud, 'api://default');
    // A further grant does not change the audience of the account.
    await app.api('PUT', `${ACCOUNTS}/${early.clientId}/permissions/invoices:write`);
    assert.equal(decodeJwt((await app.token(early)).json.access_token).aud, 'api://default');
    const both = await app.token(early, { scope: 'invoices:write' });
    assert.equal(decodeJwt(both.json.access_token).aud, 'https://invoices.example');
    assert.equal((await app.api('DELETE', `${path}?cascade=true`)).status, 204);
  });

  test('that declare the same name must be named with the permission', async () => {
    await register('https://one.example', ['shared', 'only-one']);
    await register('https://two.example', ['shared']);
    const refused = await app.api('POST', ACCOUNTS, { name: 'Which', permissions: ['only-one', 'shared'] });
    assertRefused(app, refused, 409, 'ambiguous_permission');
    assert.equal(refused.json.errors[0].pointer, '/permissions/1');
    assert.match(refused.json.errors[0].message, /declared by https:\/\/one\.example and https:\/\/two\.example/);
    const permissions = ['only-one', { permission: 'shared', resource: 'https://one.example' }];
    const { json: account } = await app.api('POST', ACCOUNTS, { name: 'This', permissions });
    assert.deepEqual(account.permissions, permissions);
    const [listed] = (await app.api('GET', `${ACCOUNTS}?slug=${account.slug}`)).json;
    assert.deepEqual(listed.permissions, permissions);
    const claims = decodeJwt((await app.token(account)).json.access_token);
    assert.equal(claims.aud, 'https://one.example');
    assert.deepEqual(claims['permissions'], ['only-one', 'shared']);
    // The permission of the other resource server is another permission.
    const path = `${ACCOUNTS}/${account.clientId}`;
    const wider = [...permissions, { permission: 'shared', resource: 'https://two.example/' }];
    assert.equal((await app.api('PATCH', path, { permissions: wider })).json.permissions.length, 3);
    const other = await app.token(account, { resource: 'https://two.example' });
    assert.deepEqual(decodeJwt(other.json.access_token)['permissions'], ['shared']);
    for (const [resource, permission] of [
      ['https://three.example', 'shared'],
      ['https://two.example', 'only-one'],
      ['https://two.example', 'writ.audit.view'],
      ['api://default', 'writ.audit.view'],
    ]) {
      const wrong = await app.api('PATCH', path, { permissions: [{ permission, resource }] });
      assertRefused(app, wrong, 422, 'invalid_body', `${resource} ${permission}`);
    }
  });

  test('require an explicit audience when the first grants of an account span several', async () => {
    await register('https://north.example', ['north']);
    await register('https://south.example', ['south']);
    const body = { name: 'Compass', permissions: ['north', 'south'] };
    const refused = await app.api('POST', ACCOUNTS, body);
    assertRefused(app, refused, 422, 'audience_required');
    assert.match(refused.json.detail, /https:\/\/north\.example, https:\/\/south\.example/);
    const { json: account } = await app.api('POST', ACCOUNTS, { ...body, audience: 'https://south.example/' });
    assert.equal(account.audience, 'https://south.example');
    const moved = await app.api('PATCH', `${ACCOUNTS}/${account.clientId}`, { audience: 'https://north.example' });
    assert.equal(moved.json.audience, 'https://north.example');
    assert.equal(decodeJwt((await app.token(account)).json.access_token).aud, 'https://north.example');
  });

  test('set the lifetime, the algorithm and the type of their tokens', async () => {
    const path = await register('https://own.example', ['own'], {
      tokenTtl: 120,
      signingAlg: 'RS256',
      tokenType: 'JWT',
    });
    const { json: account } = await app.api('POST', ACCOUNTS, { name: 'Own', permissions: ['own'] });
    const token = await app.token(account);
    assert.equal(token.json.expires_in, 120);
    const { alg, typ } = decodeProtectedHeader(token.json.access_token);
    assert.deepEqual([alg, typ], ['RS256', 'JWT']);
    const jwks = createRemoteJWKSet(new URL(`${app.url}/.well-known/jwks.json`));
    const { payload } = await jwtVerify(token.json.access_token, jwks, { audience: 'https://own.example' });
    assert.equal((payload.exp ?? 0) - (payload.iat ?? 0), 120);
    // A change acts on the next token of an account that the node remembers.
    await app.api('PATCH', path, { tokenTtl: 60, signingAlg: 'PS256', tokenType: 'at+jwt' });
    const next = await app.token(account);
    assert.equal(next.json.expires_in, 60);
    const header = decodeProtectedHeader(next.json.access_token);
    assert.deepEqual([header.alg, header.typ], ['PS256', 'at+jwt']);
    // The lifetime of an account can only shorten that of the resource server.
    await app.api('PATCH', `${ACCOUNTS}/${account.clientId}`, { tokenTtl: 600 });
    assert.equal((await app.token(account)).json.expires_in, 60);
    await app.api('PATCH', `${ACCOUNTS}/${account.clientId}`, { tokenTtl: 30 });
    assert.equal((await app.token(account)).json.expires_in, 30);
    assertRefused(app, await app.api('PATCH', path, { tokenTtl: 86_401 }), 422, 'invalid_body');
  });

  test('in use are reduced and deleted only by cascade, and the refusal names who uses them', async () => {
    const path = await register('https://used.example', ['kept', 'gone']);
    const { json: account } = await app.api('POST', ACCOUNTS, { name: 'User', permissions: ['kept', 'gone'] });
    const { json: role } = await app.api('POST', '/api/roles', { name: 'Used role', permissions: ['gone'] });
    const fewer = { permissions: [{ name: 'kept' }] };
    const refused = await app.api('PATCH', path, fewer);
    assertRefused(app, refused, 409, 'in_use');
    assert.match(refused.json.detail, new RegExp(`role ${role.roleId} \\(gone\\)`));
    assert.match(refused.json.detail, new RegExp(`service account ${account.clientId} \\(gone\\)`));
    assert.doesNotMatch(refused.json.detail, /kept/);
    assert.equal((await app.api('PATCH', path, { ...fewer, name: 'Renamed' })).status, 409);
    assert.deepEqual((await app.api('GET', path)).json.permissions, [{ name: 'kept' }, { name: 'gone' }]);

    assert.equal((await app.api('PATCH', `${path}?cascade=true`, fewer)).status, 200);
    assert.deepEqual((await app.api('GET', `${ACCOUNTS}/${account.clientId}`)).json.permissions, ['kept']);
    assert.deepEqual((await app.api('GET', `/api/roles/${role.roleId}`)).json.permissions, []);
    assert.equal((await app.token(account)).json.scope, 'kept');

    assertRefused(app, await app.api('DELETE', path), 409, 'in_use');
    assert.equal((await app.api('DELETE', `${path}?cascade=true`)).status, 204);
    const after = await app.token(account);
    assert.equal(after.status, 200);
    assert.equal(after.json.scope, undefined);
    assert.equal((await app.token(account, { resource: 'https://used.example' })).json.error, 'invalid_target');
    assert.equal(lastRefusal(app)['reason'], 'invalid_target');
  });

  test('of a company have identifiers that begin with the company, and are hidden from everybody else', async () => {
    const path = `${IN_A}/resource-servers`;
    for (const identifier of [
      'https://a.example',
      'api://b/x',
      'api://a',
      'api://a/',
      'api://a/../b/x',
      'api://aa/x',
    ]) {
      const refused = await app.api('POST', path, { identifier, name: 'Not ours' }, adminA.bearer);
      assertRefused(app, refused, 422, 'invalid_body', identifier);
    }
    const own = { identifier: 'api://a/stock', name: 'Stock', permissions: [{ name: 'stock:count' }] };
    const made = await app.api('POST', path, own, adminA.bearer);
    assert.equal(made.status, 201, made.text);
    assert.equal(made.json.company, 'a');
    const { resourceServerId: id } = made.json;
    const repeated = await app.api('POST', path, own, adminA.bearer);
    assertRefused(app, repeated, 409, 'already_exists');
    assert.equal(repeated.headers.get('location'), `${path}/${id}`);
    for (const [elsewhere, bearer] of [
      [`/api/companies/b/resource-servers/${id}`, adminB.bearer],
      [`${ROOT_SERVERS}/${id}`, undefined],
    ] as const) {
      for (const method of ['GET', 'PATCH', 'DELETE']) {
        const body = method === 'PATCH' ? { name: 'Stolen' } : undefined;
        assertRefused(app, await app.api(method, elsewhere, body, bearer), 404, 'not_found', elsewhere);
      }
    }
    // An account of another company can have neither its permissions nor its audience.
    const foreign = await app.api('POST', '/api/companies/b/service-accounts', {
      name: 'Foreign',
      permissions: [{ permission: 'stock:count', resource: 'api://a/stock' }],
    });
    assertRefused(app, foreign, 422, 'invalid_body');
    const elsewhere = await app.api('POST', '/api/companies/b/service-accounts', {
      name: 'Elsewhere',
      audience: 'api://a/stock',
    });
    assertRefused(app, elsewhere, 422, 'invalid_body');
    // A caller that manages the resource server gives its permissions in the company without holding them.
    const ours = await app.api(
      'POST',
      `${IN_A}/service-accounts`,
      { name: 'Ours', permissions: ['stock:count'] },
      adminA.bearer,
    );
    assert.equal(ours.status, 201, ours.text);
    const token = await app.token(ours.json);
    assert.equal(decodeJwt(token.json.access_token).aud, 'api://a/stock');
    // The company sees the resource servers of root, and cannot change them.
    const roots = `${path}/default`;
    assert.equal((await app.api('GET', roots, undefined, adminA.bearer)).json.identifier, 'api://default');
    for (const method of ['PATCH', 'DELETE']) {
      const body = method === 'PATCH' ? { name: 'Ours' } : undefined;
      assertRefused(app, await app.api(method, roots, body, adminA.bearer), 403, 'forbidden');
    }
  });

  test('that are built in cannot be deleted, and the management API cannot be changed', async () => {
    for (const id of ['management', 'default']) {
      assertRefused(app, await app.api('DELETE', `${ROOT_SERVERS}/${id}?cascade=true`), 403, 'forbidden');
    }
    assertRefused(app, await app.api('PATCH', `${ROOT_SERVERS}/management`, { tokenTtl: 5 }), 403, 'forbidden');
  });
});

onEachDatabase('the default resource server', (kind) => {
  const app = useTestApp(kind);
  const path = `${ROOT_SERVERS}/default`;

  test('accepts any name until it declares names, and then only those', async () => {
    const { json: account } = await app.api('POST', ACCOUNTS, { name: 'First', permissions: ['x', 'y'] });
    const declared = { permissions: [{ name: 'x' }, { name: 'z' }] };
    const refused = await app.api('PATCH', path, declared);
    assertRefused(app, refused, 409, 'in_use');
    assert.match(refused.json.detail, /\(y\)/);
    assert.equal((await app.api('PATCH', `${path}?cascade=true`, declared)).status, 200);
    assert.equal((await app.token(account)).json.scope, 'x');
    const unknown = await app.api('PUT', `${ACCOUNTS}/${account.clientId}/permissions/y`);
    assertRefused(app, unknown, 422, 'invalid_body');
    assert.match(unknown.json.detail, /is declared by no resource server/);
    assert.equal((await app.api('PUT', `${ACCOUNTS}/${account.clientId}/permissions/z`)).status, 204);
    // Without declared names, it accepts any name again.
    assert.equal((await app.api('PATCH', path, { permissions: [] })).status, 200);
    assert.equal((await app.api('PUT', `${ACCOUNTS}/${account.clientId}/permissions/y`)).status, 204);
    assert.equal((await app.token(account)).json.scope, 'x y z');
  });
});
