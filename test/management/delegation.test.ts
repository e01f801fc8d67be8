import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import type { Reply } from '../support/api-contract.ts';
import { type ApiCaller, apiToken, assertRefused, makeCaller, makeCompany } from '../support/companies.ts';
import { postgres18 } from '../support/databases.ts';
import { useTestApp } from '../support/test-app.ts';

const ORDERS = 'https://orders.example.com';
const STOCK = 'https://stock.example.com';
const COMPANY = '/api/companies/a';
const ACCOUNTS = `${COMPANY}/service-accounts`;

describe('the permissions that root has made grantable in a company', () => {
  const app = useTestApp(postgres18);
  let owner: ApiCaller;
  before(async () => {
    await declare(ORDERS, ['orders:read', 'orders:write', 'orders:purge', 'read']);
    await declare(STOCK, ['stock:count', 'read']);
    await makeCompany(app, 'a');
    await makeCompany(app, 'b');
    owner = await withRole('company-owner');
    await grantable('orders:read', { permission: 'read', resource: ORDERS }, { resource: STOCK });
  });

  async function declare(identifier: string, names: readonly string[]): Promise<Reply> {
    const permissions = names.map((name) => ({ name }));
    const reply = await app.api('POST', '/api/resource-servers', { identifier, name: identifier, permissions });
    assert.equal(reply.status, 201, reply.text);
    return reply;
  }
  async function grantable(...items: readonly (string | object)[]): Promise<Reply> {
    const reply = await app.api('PATCH', COMPANY, { grantable: items });
    assert.equal(reply.status, 200, reply.text);
    return reply;
  }
  let made = 0;
  const register = (body: object, bearer?: string): Promise<Reply> => {
    made += 1;
    return app.api('POST', ACCOUNTS, { name: `Account ${made}`, ...body }, bearer);
  };
  async function withRole(role: string): Promise<ApiCaller> {
    const { json } = await register({ roles: [role] });
    return { ...json, bearer: await apiToken(app, json) };
  }

  test('are read back as they were written, whole resource servers first', async () => {
    const { json } = await app.api('GET', COMPANY);
    assert.deepEqual(json.grantable, [{ resource: STOCK }, 'orders:read', { permission: 'read', resource: ORDERS }]);
    const { json: list } = await app.api('GET', '/api/companies?search=a');
    assert.deepEqual(list[0].grantable, json.grantable);
    const { json: other } = await app.api('GET', '/api/companies/b');
    assert.deepEqual(other.grantable, []);
  });

  test('are granted by an owner that does not hold them, at any place, to accounts, groups and roles', async () => {
    const granted = await register(
      { audience: ORDERS, permissions: ['orders:read@shop', 'stock:count', { permission: 'read', resource: STOCK }] },
      owner.bearer,
    );
    assert.equal(granted.status, 201, granted.text);
    const { clientId } = granted.json;
    const put = await app.api('PUT', `${ACCOUNTS}/${clientId}/permissions/orders:read`, undefined, owner.bearer);
    assert.equal(put.status, 204, put.text);
    const group = { name: 'Readers', permissions: ['orders:read'], members: [clientId] };
    assert.equal((await app.api('POST', `${COMPANY}/groups`, group, owner.bearer)).status, 201);
    const role = { name: 'Counter', roleId: 'counter', permissions: ['stock:count'] };
    assert.equal((await app.api('POST', `${COMPANY}/roles`, role, owner.bearer)).status, 201);
    const bound = await app.api('PUT', `${ACCOUNTS}/${clientId}/roles/counter?place=shop`, undefined, owner.bearer);
    assert.equal(bound.status, 204, bound.text);
    const { status, json } = await app.token(granted.json, { resource: ORDERS });
    assert.equal(status, 200);
    assert.equal(json.scope, 'orders:read orders:read@shop');
  });

  test('let an owner add and rotate credentials of accounts that hold them, and enable such accounts', async () => {
    const { json } = await register({ audience: ORDERS, permissions: ['orders:read'] });
    const credentials = `${ACCOUNTS}/${json.clientId}/credentials`;
    const added = await app.api('POST', credentials, { type: 'client_secret', name: 'second' }, owner.bearer);
    assert.equal(added.status, 201, added.text);
    const rotated = await app.api('POST', `${credentials}/${added.json.credentialId}/rotate`, {}, owner.bearer);
    assert.equal(rotated.status, 201, rotated.text);
    for (const state of ['disabled', 'enabled']) {
      const changed = await app.api('PATCH', `${ACCOUNTS}/${json.clientId}`, { state }, owner.bearer);
      assert.equal(changed.status, 200, changed.text);
    }
    // The owner cannot add a credential to an account with further permissions.
    const { json: stronger } = await register({ audience: ORDERS, permissions: ['orders:read', 'orders:purge'] });
    const path = `${ACCOUNTS}/${stronger.clientId}/credentials`;
    const refused = await app.api('POST', path, { type: 'client_secret' }, owner.bearer);
    assertRefused(app, refused, 403, 'forbidden');
    assert.match(refused.json.detail, /orders:purge/);
    const little = { type: 'client_secret', permissions: ['orders:read'] };
    assert.equal((await app.api('POST', path, little, owner.bearer)).status, 201);
  });

  test('allow no other permission, nothing for the caller itself, and nothing in another company', async () => {
    const next = await register({ permissions: ['orders:write'] }, owner.bearer);
    assertRefused(app, next, 403, 'forbidden');
    const self = await app.api('PUT', `${ACCOUNTS}/${owner.clientId}/permissions/orders:read`, undefined, owner.bearer);
    assertRefused(app, self, 403, 'forbidden');
    assert.match(self.json.detail, /widen its own permissions: orders:read/);
    const ownGroup = { name: 'Own', permissions: ['orders:read'], members: [owner.clientId] };
    assertRefused(app, await app.api('POST', `${COMPANY}/groups`, ownGroup, owner.bearer), 403, 'forbidden');
    const { json: elsewhere } = await app.api('POST', '/api/companies/b/service-accounts', {
      name: 'Owner of b',
      roles: ['company-owner'],
    });
    const bearer = await apiToken(app, elsewhere);
    const foreign = { name: 'Foreign', permissions: ['orders:read'] };
    assertRefused(app, await app.api('POST', '/api/companies/b/service-accounts', foreign, bearer), 403, 'forbidden');
    // The same holds for a root account without writ.permissions.grant.
    const root = await makeCaller(app, '/api/service-accounts', ['writ.serviceaccounts.manage']);
    const atRoot = { name: 'At root', permissions: ['orders:read'] };
    assertRefused(app, await app.api('POST', '/api/service-accounts', atRoot, root.bearer), 403, 'forbidden');
    assert.equal((await register({ permissions: ['orders:read'] }, root.bearer)).status, 201);
  });

  test('are granted only with writ.serviceaccounts.manage in the whole company, also in the token', async () => {
    const binder = await makeCaller(app, ACCOUNTS, ['writ.roles.bind', 'writ.serviceaccounts.manage@shop']);
    const group = { name: 'Bound', permissions: ['orders:read'] };
    assertRefused(app, await app.api('POST', `${COMPANY}/groups`, group, binder.bearer), 403, 'forbidden');
    const narrow = await apiToken(app, owner, 'writ.roles.bind');
    assertRefused(app, await app.api('POST', `${COMPANY}/groups`, group, narrow), 403, 'forbidden');
    const keeper = await makeCaller(app, ACCOUNTS, ['writ.credentials.manage']);
    const { json } = await register({ audience: ORDERS, permissions: ['orders:read'] });
    const credential = { type: 'client_secret' };
    const path = `${ACCOUNTS}/${json.clientId}/credentials`;
    assertRefused(app, await app.api('POST', path, credential, keeper.bearer), 403, 'forbidden');
  });

  test('are changed by root only, and recorded as added and removed', async () => {
    const own = await app.api('PATCH', COMPANY, { grantable: ['orders:purge'] }, owner.bearer);
    assertRefused(app, own, 403, 'insufficient_scope');
    const before = await app.api('GET', COMPANY);
    const same = await grantable({ resource: STOCK }, 'orders:read', { permission: 'read', resource: ORDERS });
    assert.equal(same.headers.get('etag'), before.headers.get('etag'));
    const { json } = await grantable({ resource: STOCK }, 'orders:write', { permission: 'read', resource: ORDERS });
    assert.deepEqual(json.grantable, [{ resource: STOCK }, 'orders:write', { permission: 'read', resource: ORDERS }]);
    const { json: events } = await app.api('GET', '/api/audit-events?action=company.changed&target=a&limit=1');
    assert.deepEqual(events[0].details, { grantableAdded: ['orders:write'], grantableRemoved: ['orders:read'] });
    await grantable({ resource: STOCK }, 'orders:read', { permission: 'read', resource: ORDERS });
  });

  test('cannot be granted after root removes them, and stay with accounts that hold them', async () => {
    const { json } = await register({ audience: ORDERS, permissions: ['orders:read'] }, owner.bearer);
    await app.api('POST', '/api/companies', { companyId: 'as-before', name: 'Other', grantable: ['orders:read'] });
    await grantable({ resource: STOCK }, { permission: 'read', resource: ORDERS });
    assert.deepEqual((await app.api('GET', '/api/companies/as-before')).json.grantable, ['orders:read']);
    assertRefused(app, await register({ permissions: ['orders:read'] }, owner.bearer), 403, 'forbidden');
    const token = await app.token(json);
    assert.equal(token.json.scope, 'orders:read');
    const path = `${ACCOUNTS}/${json.clientId}/credentials`;
    assertRefused(app, await app.api('POST', path, { type: 'client_secret' }, owner.bearer), 403, 'forbidden');
    await grantable({ resource: STOCK }, 'orders:read', { permission: 'read', resource: ORDERS });
  });

  test('are removed with their resource server, and when their permission is not declared any more', async () => {
    const { json } = await declare('https://gone.example.com', ['gone:one', 'gone:two']);
    await app.api('PATCH', '/api/companies/b', {
      grantable: ['gone:one', 'gone:two', { resource: 'https://gone.example.com' }],
    });
    const server = `/api/resource-servers/${json.resourceServerId}`;
    const read = async (): Promise<unknown> => (await app.api('GET', '/api/companies/b')).json.grantable;
    const changed = await app.api('PATCH', server, { permissions: [{ name: 'gone:one' }] });
    assert.equal(changed.status, 200, changed.text);
    assert.deepEqual(await read(), [{ resource: 'https://gone.example.com' }, 'gone:one']);
    assert.equal((await app.api('DELETE', server)).status, 204);
    assert.deepEqual(await read(), []);
  });

  test('stay bound to their resource server when they are sent again, although their name is ambiguous by then', async () => {
    const b = '/api/companies/b';
    await app.api('PATCH', b, { grantable: ['late:one'] });
    await declare('https://late.example.com', ['late:one']);
    await declare('https://later.example.com', ['late:one']);
    // The name is ambiguous at this point, and the server does not look it up again.
    const again = await app.api('PATCH', b, { grantable: ['late:one', 'orders:read'] });
    assert.equal(again.status, 200, again.text);
    assert.deepEqual(again.json.grantable, ['late:one', 'orders:read']);
    const { json: events } = await app.api('GET', '/api/audit-events?action=company.changed&target=b&limit=1');
    assert.deepEqual(events[0].details, { grantableAdded: ['orders:read'] });
    const { json } = await app.api('POST', `${b}/service-accounts`, { name: 'Owner', roles: ['company-owner'] });
    const grant = async (resource: string): Promise<Reply> =>
      app.api(
        'POST',
        `${b}/service-accounts`,
        { name: `For ${resource}`, permissions: [{ permission: 'late:one', resource }] },
        await apiToken(app, json),
      );
    assertRefused(app, await grant('https://late.example.com'), 403, 'forbidden');
  });

  test('are refused with a pointer to an invalid item', async () => {
    const refuse = async (item: unknown, status: number, code: string): Promise<Reply['json']> => {
      const reply = await app.api('PATCH', COMPANY, { grantable: ['orders:read', item] });
      assertRefused(app, reply, status, code, JSON.stringify(item));
      return reply.json;
    };
    const management = `${app.issuer}/api`;
    for (const [item, message] of [
      ['writ.roles.bind', /belongs to the management API/],
      [{ permission: 'writ.roles.bind', resource: management }, /belongs to the management API/],
      [{ resource: management }, /belongs to the management API/],
      [{ resource: 'https://none.example.com' }, /names no resource server/],
      ['orders:read@shop', /at every place/],
      [{ permission: 'none', resource: ORDERS }, /is not declared/],
    ] as const) {
      const { errors } = await refuse(item, 422, 'invalid_body');
      assert.equal(errors[0].pointer, '/grantable/1');
      assert.match(errors[0].message, message);
    }
    await refuse('read', 409, 'ambiguous_permission');
    await refuse({ resource: ORDERS, place: 'shop' }, 400, 'invalid_body');
    const { json } = await app.api('GET', COMPANY);
    assert.equal(json.grantable.length, 3);
    const twice = await app.api('POST', '/api/companies', {
      companyId: 'c',
      name: 'C',
      grantable: ['orders:read', 'orders:read', { permission: 'orders:read', resource: ORDERS }],
    });
    assert.equal(twice.status, 201, twice.text);
    assert.equal(twice.json.grantable.length, 1);
  });
});
