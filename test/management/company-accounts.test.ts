import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { decodeJwt } from 'jose';
import { lastRefusal } from '../support/assertions.ts';
import {
  type ApiCaller,
  apiToken,
  assertRefused,
  COMPANY_PERMISSIONS,
  makeCaller,
  makeCompany,
} from '../support/companies.ts';
import { ROOT } from '../support/config.ts';
import { onEachDatabase, postgres18 } from '../support/databases.ts';
import { useTestApp } from '../support/test-app.ts';

const IN_A = '/api/companies/a/service-accounts';
const IN_B = '/api/companies/b/service-accounts';

onEachDatabase('the accounts of a company', (kind) => {
  const app = useTestApp(kind);
  let adminA: ApiCaller;
  let adminB: ApiCaller;
  before(async () => {
    await makeCompany(app, 'a');
    await makeCompany(app, 'b');
    adminA = await makeCaller(app, IN_A, COMPANY_PERMISSIONS);
    adminB = await makeCaller(app, IN_B, COMPANY_PERMISSIONS);
  });

  test('are registered in it, and their tokens name the company', async () => {
    const made = await app.api('POST', IN_A, { name: 'Worker' }, adminA.bearer);
    assert.equal(made.status, 201, made.text);
    assert.equal(made.json.company, 'a');
    assert.equal(made.json.createdBy, adminA.clientId);
    assert.equal(made.headers.get('location'), `${IN_A}/${made.json.clientId}`);
    const { json } = await app.token(made.json);
    assert.equal(decodeJwt(json.access_token)['company_id'], 'a');
    const root = await app.token(ROOT);
    assert.equal('company_id' in decodeJwt(root.json.access_token), false);
    assert.deepEqual(
      (await app.api('GET', `${IN_A}/worker`, undefined, adminA.bearer)).json.clientId,
      made.json.clientId,
    );
  });

  test('E-01 E-16 do not exist for the callers of another company, and take no name there', async () => {
    const { json: own } = await app.api('POST', IN_A, { name: 'Same name' }, adminA.bearer);
    const elsewhere = await app.api('POST', IN_B, { name: 'Same name' }, adminB.bearer);
    assert.equal(elsewhere.status, 201);
    const unknown = await app.api('GET', `${IN_B}/sa_unknown`, undefined, adminB.bearer);
    for (const [path, bearer] of [
      [`${IN_A}/${own.clientId}`, adminB.bearer],
      [`${IN_B}/${own.clientId}`, adminB.bearer],
      [`${IN_B}/${own.clientId}`, undefined],
      ['/api/companies/nowhere/service-accounts/x', undefined],
    ] as const) {
      for (const [method, body] of [
        ['GET', undefined],
        ['PATCH', { name: 'Stolen' }],
        ['DELETE', undefined],
      ] as const) {
        const reply = await app.api(method, path, body, bearer);
        assertRefused(app, reply, 404, 'not_found', `${method} ${path}`);
      }
    }
    const foreign = await app.api('GET', `${IN_B}/${own.clientId}`, undefined, adminB.bearer);
    assert.deepEqual({ ...foreign.json, requestId: '' }, { ...unknown.json, requestId: '' });
    assertRefused(app, await app.api('GET', `/api/service-accounts/${own.clientId}`), 404, 'not_found');
    assert.equal((await app.api('GET', `${IN_A}/${own.clientId}`, undefined, adminA.bearer)).json.name, 'Same name');
    const listed = (await app.api('GET', IN_B, undefined, adminB.bearer)).json;
    assert.ok(listed.every(({ company }: { company: string }) => company === 'b'));
  });

  test('E-03 E-05 get their company from the path, never from the body, and register no root account', async () => {
    for (const company of ['b', null, '', 0, [], {}]) {
      const reply = await app.api('POST', IN_A, { name: 'Odd', company }, adminA.bearer);
      assertRefused(app, reply, 400, 'invalid_body');
      assert.deepEqual(reply.json.errors, [{ pointer: '/company', message: 'is not a member that is known here' }]);
    }
    assertRefused(
      app,
      await app.api('POST', '/api/service-accounts', { name: 'Root' }, adminA.bearer),
      403,
      'forbidden',
    );
    assertRefused(app, await app.api('GET', '/api/service-accounts', undefined, adminA.bearer), 403, 'forbidden');
    assertRefused(app, await app.api('POST', IN_B, { name: 'There' }, adminA.bearer), 404, 'not_found');
    assertRefused(app, await app.api('GET', '/api/audit-events', undefined, adminA.bearer), 403, 'forbidden');
    const companies = await app.api('GET', '/api/companies', undefined, adminA.bearer);
    assert.deepEqual(
      companies.json.map(({ companyId }: { companyId: string }) => companyId),
      ['a'],
    );
    assertRefused(app, await app.api('GET', '/api/companies/b', undefined, adminA.bearer), 404, 'not_found');
    assertRefused(
      app,
      await app.api('PATCH', '/api/companies/a', { name: 'x' }, adminA.bearer),
      403,
      'insufficient_scope',
    );
  });

  test('E-02 E-04 get no permission that the caller does not hold, and cannot widen themselves', async () => {
    for (const permission of [
      'writ.companies.manage',
      'writ.permissions.grant',
      'writ.tokens.introspect',
      'orders:read',
    ]) {
      const made = await app.api('POST', IN_A, { name: 'Strong', permissions: [permission] }, adminA.bearer);
      assertRefused(app, made, 403, 'forbidden', permission);
      const self = `${IN_A}/${adminA.clientId}`;
      const widened = [...COMPANY_PERMISSIONS, permission];
      assertRefused(app, await app.api('PATCH', self, { permissions: widened }, adminA.bearer), 403, 'forbidden');
      const put = await app.api('PUT', `${self}/permissions/${permission}`, undefined, adminA.bearer);
      assertRefused(app, put, 403, 'forbidden');
    }
    // A caller with a narrowed token grants only the permissions in the token.
    const narrow = await apiToken(app, adminA, 'writ.serviceaccounts.manage');
    const path = `${IN_A}/${adminA.clientId}/permissions/writ.audit.view`;
    await app.api('DELETE', path);
    assertRefused(app, await app.api('PUT', path, undefined, narrow), 403, 'forbidden');
    assert.equal((await app.api('PUT', path)).status, 204);
  });

  test('E-11 hold no permission beyond their company, even if root grants it or a row in the database says so', async () => {
    const reply = await app.api('POST', IN_A, { name: 'Beyond', permissions: ['writ.permissions.grant'] });
    assertRefused(app, reply, 403, 'forbidden');
    assert.match(reply.json.detail, /^Only root accounts may hold writ\.permissions\.grant$/);

    const forged = await makeCaller(app, IN_A, ['writ.serviceaccounts.view']);
    await app.knex('grants').insert(
      ['writ.permissions.grant', 'writ.companies.manage', 'root'].map((name, index) => ({
        grant_id: `grant_forged_${index}`,
        client_id: forged.clientId,
        company_id: 'a',
        kind: name === 'root' ? 'role' : 'permission',
        name,
        ...(name === 'root' ? { role_key: 'root' } : { resource_server: 'management' }),
      })),
    );
    // The insert was not announced: this change lets the node read the account again.
    await app.api('PATCH', `${IN_A}/${forged.clientId}`, { description: 'Read anew' });
    const bearer = await apiToken(app, forged);
    assert.deepEqual(decodeJwt(bearer)['permissions'], ['writ.serviceaccounts.view']);
    assertRefused(app, await app.api('POST', '/api/companies', { name: 'Mine' }, bearer), 403, 'forbidden');
    assertRefused(app, await app.api('GET', IN_B, undefined, bearer), 404, 'not_found');
    assertRefused(app, await app.api('GET', '/api/service-accounts', undefined, bearer), 403, 'forbidden');
    // The account with the forged role does not count as a root account.
    const last = await app.api('DELETE', `/api/service-accounts/${ROOT.clientId}`);
    assertRefused(app, last, 409, 'last_root');
  });

  test('B-26 E-10 that are disabled or deleted get no token, and their earlier tokens are refused', async () => {
    const account = await makeCaller(app, IN_A, ['writ.serviceaccounts.view']);
    const path = `${IN_A}/${account.clientId}`;
    let { bearer } = account;
    const list = (): ReturnType<typeof app.api> => app.api('GET', IN_A, undefined, bearer);
    assert.equal((await list()).status, 200);
    const disabled = await app.api('PATCH', path, { state: 'disabled' }, adminA.bearer);
    assert.equal(disabled.json.state, 'disabled');
    assert.equal((await app.token(account)).status, 401);
    assert.equal(lastRefusal(app)['reason'], 'account_disabled');
    assertRefused(app, await list(), 401, 'unauthorized');
    await app.api('PATCH', path, { state: 'enabled' }, adminA.bearer);
    // The earlier token stays revoked.
    assertRefused(app, await list(), 401, 'unauthorized');
    bearer = await apiToken(app, account);
    assert.equal((await list()).status, 200);
    await app.api('DELETE', `${path}/permissions/writ.serviceaccounts.view`, undefined, adminA.bearer);
    assertRefused(app, await list(), 403, 'insufficient_scope');
    await app.api('DELETE', path, undefined, adminA.bearer);
    assertRefused(app, await list(), 401, 'unauthorized');
  });
});

describe('the accounts of two companies', () => {
  const app = useTestApp(postgres18);

  test('may share slugs and ids across companies, but not within one company', async () => {
    await makeCompany(app, 'a');
    await makeCompany(app, 'b');
    assert.equal((await app.api('POST', IN_A, { name: 'x', slug: 'same', credentials: [] })).status, 201);
    assert.equal((await app.api('POST', IN_B, { name: 'x', slug: 'same' })).status, 201);
    assert.equal((await app.api('POST', '/api/service-accounts', { name: 'x', slug: 'same' })).status, 201);
    assertRefused(app, await app.api('POST', IN_A, { name: 'x', slug: 'same' }), 409, 'already_exists');
    // The id gets the form of a slug. The id of the first root account may have this form, too.
    await app.knex('service_accounts').where({ slug: 'same', company_id: 'a' }).update({ client_id: 'idlike' });
    const clash = await app.api('POST', IN_A, { name: 'x', slug: 'idlike' });
    assertRefused(app, clash, 409, 'already_exists');
    assert.equal(clash.headers.get('location'), `${IN_A}/idlike`);
    assert.equal((await app.api('POST', IN_B, { name: 'x', slug: 'idlike' })).status, 201);
  });
});
