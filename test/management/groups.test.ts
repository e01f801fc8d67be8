import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { decodeJwt } from 'jose';
import type { Reply } from '../support/api-contract.ts';
import { type ApiCaller, apiToken, assertRefused, makeCaller, makeCompany } from '../support/companies.ts';
import { onEachDatabase } from '../support/databases.ts';
import { useTestApp } from '../support/test-app.ts';

const IN_A = '/api/companies/a';
const ACCOUNTS = `${IN_A}/service-accounts`;
const GROUPS = `${IN_A}/groups`;

onEachDatabase('groups', (kind) => {
  const app = useTestApp(kind);
  let owner: ApiCaller;
  let one: ApiCaller;
  let two: ApiCaller;
  before(async () => {
    await makeCompany(app, 'a');
    await makeCompany(app, 'b');
    const { json } = await app.api('POST', ACCOUNTS, { name: 'Owner', role: 'company-owner' });
    owner = { ...json, bearer: await apiToken(app, json) };
    one = await makeCaller(app, ACCOUNTS, []);
    two = await makeCaller(app, ACCOUNTS, []);
  });

  const permissionsOf = async (account: ApiCaller, resource: string): Promise<unknown> =>
    decodeJwt((await app.token(account, { resource })).json.access_token)['permissions'];

  test('give their permissions to members, until the member is removed or the group is deleted', async () => {
    const made = await app.api('POST', GROUPS, {
      name: 'Billing team',
      roles: ['reporter'],
      permissions: ['invoices:read', 'invoices:write@shop'],
      members: [one.clientId],
    });
    assert.equal(made.status, 201, made.text);
    const { createdAt, updatedAt, ...rest } = made.json;
    assert.equal(createdAt, updatedAt);
    assert.deepEqual(rest, {
      groupId: 'billing-team',
      name: 'Billing team',
      company: 'a',
      roles: ['reporter'],
      permissions: ['invoices:read', 'invoices:write@shop'],
      members: [one.clientId],
      createdBy: 'sa_root_of_the_tests',
      _id: 'billing-team',
      role: 'reporter',
    });
    const path = `${GROUPS}/billing-team`;
    assert.equal(made.headers.get('location'), path);
    const invoices = ['invoices:read', 'invoices:write@shop'];
    assert.deepEqual(await permissionsOf(one, 'api://default'), invoices);
    assert.deepEqual((await app.api('GET', `${ACCOUNTS}/${one.clientId}`)).json.groups, ['billing-team']);
    assert.equal((await app.token(two, { resource: 'api://default' })).json.error, 'invalid_target');

    assert.equal((await app.api('PUT', `${path}/members/${two.clientId}`)).status, 204);
    assert.equal((await app.api('PUT', `${path}/members/${two.clientId}`)).status, 204);
    assert.deepEqual(await permissionsOf(two, 'api://default'), invoices);
    assert.equal((await app.api('PATCH', path, { permissions: ['invoices:read'] })).status, 200);
    assert.deepEqual(await permissionsOf(two, 'api://default'), ['invoices:read']);
    assert.equal((await app.api('PUT', `${path}/permissions/logs?place=shop`)).status, 204);
    assert.deepEqual(await permissionsOf(one, 'api://default'), ['invoices:read', 'logs@shop']);
    assert.equal((await app.api('PUT', `${path}/roles/maintainer?place=shop`)).status, 204);
    assert.equal((await app.api('DELETE', `${path}/roles/reporter`)).status, 204);
    assert.deepEqual((await app.api('GET', path)).json.roles, ['maintainer@shop']);

    assert.equal((await app.api('DELETE', `${path}/members/${two.clientId}`)).status, 204);
    assertRefused(app, await app.api('DELETE', `${path}/members/${two.clientId}`), 404, 'not_found');
    assert.equal((await app.token(two, { resource: 'api://default' })).json.error, 'invalid_target');
    assert.equal((await app.api('DELETE', path)).status, 204);
    assertRefused(app, await app.api('GET', path), 404, 'not_found');
    assert.equal((await app.token(one, { resource: 'api://default' })).json.error, 'invalid_target');
    assert.equal((await app.api('GET', `${ACCOUNTS}/${one.clientId}`)).status, 200);
    const { json: events } = await app.api('GET', `${IN_A}/audit-events?target=billing-team`);
    assert.equal(events.at(0).action, 'group.deleted');
    assert.equal(events.at(-1).action, 'group.created');
    assert.deepEqual(events.at(-1).details.membersAdded, [one.clientId]);
  });

  test('are joined and left by a change of the account, too', async () => {
    await app.api('POST', GROUPS, { name: 'First', permissions: ['first'] });
    await app.api('POST', GROUPS, { name: 'Second', permissions: ['second'] });
    const { json: joined } = await app.api('POST', ACCOUNTS, { name: 'Joiner', groups: ['second', 'first'] });
    assert.deepEqual(joined.groups, ['first', 'second']);
    assert.deepEqual(await permissionsOf(joined, 'api://default'), ['first', 'second']);
    const path = `${ACCOUNTS}/${joined.clientId}`;
    assert.deepEqual((await app.api('PATCH', path, { groups: ['second'] })).json.groups, ['second']);
    assert.deepEqual(await permissionsOf(joined, 'api://default'), ['second']);
    const unknown = await app.api('PATCH', path, { groups: ['second', 'third'] });
    assertRefused(app, unknown, 422, 'invalid_body');
    assert.equal(unknown.json.errors[0].pointer, '/groups/1');
    const root = await app.api('POST', '/api/service-accounts', { name: 'Rootless', groups: ['first'] });
    assertRefused(app, root, 422, 'invalid_body');
    const listed = await app.api('GET', `${ACCOUNTS}?slug=joiner`);
    assert.deepEqual(listed.json[0].groups, ['second']);
  });

  test('E-01 belong to one company, and have only members of that company', async () => {
    await app.api('POST', GROUPS, { name: 'Walled' });
    const { json: foreign } = await app.api('POST', '/api/companies/b/service-accounts', { name: 'Foreign' });
    const { json: root } = await app.api('POST', '/api/service-accounts', { name: 'Of root' });
    for (const { clientId } of [foreign, root, { clientId: 'sa_none' }]) {
      for (const reply of [
        await app.api('PUT', `${GROUPS}/walled/members/${clientId}`),
        await app.api('POST', `${GROUPS}/walled/members`, { members: [one.clientId, clientId] }),
        await app.api('PATCH', `${GROUPS}/walled`, { members: [clientId] }),
        await app.api('POST', GROUPS, { name: 'Another', members: [clientId] }),
      ]) {
        assertRefused(app, reply, 422, 'invalid_body', clientId);
      }
    }
    assert.deepEqual((await app.api('GET', `${GROUPS}/walled`)).json.members, []);
    assertRefused(app, await app.api('GET', `${GROUPS}/another`), 404, 'not_found');
    assertRefused(app, await app.api('GET', '/api/companies/b/groups/walled'), 404, 'not_found');
    assert.equal((await app.api('POST', '/api/companies/b/groups', { name: 'Walled' })).status, 201);
    assertRefused(app, await app.api('POST', GROUPS, { name: 'Walled' }), 409, 'already_exists');
  });

  test('E-02 do not let a caller give permissions that the caller does not hold', async () => {
    const as = (method: string, path: string, body?: object): Promise<Reply> =>
      app.api(method, path, body, owner.bearer);
    assertRefused(app, await as('POST', GROUPS, { name: 'Wide', permissions: ['orders:read'] }), 403, 'forbidden');
    assert.equal((await as('POST', GROUPS, { name: 'Wide', roles: ['maintainer'] })).status, 201);
    assertRefused(app, await as('PATCH', `${GROUPS}/wide`, { permissions: ['orders:read'] }), 403, 'forbidden');
    assertRefused(app, await as('PUT', `${GROUPS}/wide/permissions/orders:read`), 403, 'forbidden');
    // A caller that adds a member gives the permissions of the group to the member.
    assert.equal((await app.api('PUT', `${GROUPS}/wide/permissions/orders:read`)).status, 204);
    for (const reply of [
      await as('PUT', `${GROUPS}/wide/members/${one.clientId}`),
      await as('POST', `${GROUPS}/wide/members`, { members: [owner.clientId] }),
      await as('PATCH', `${GROUPS}/wide`, { members: [two.clientId] }),
      await as('PATCH', `${ACCOUNTS}/${two.clientId}`, { groups: ['wide'] }),
      await as('POST', ACCOUNTS, { name: 'Straight in', groups: ['wide'] }),
    ]) {
      assertRefused(app, reply, 403, 'forbidden');
    }
    // A member of a group cannot widen itself through the group.
    const server = { identifier: 'api://a/team', name: 'Team', permissions: [{ name: 'team:run' }] };
    await as('POST', `${IN_A}/resource-servers`, server);
    await app.api('PUT', `${GROUPS}/wide/members/${owner.clientId}`);
    const self = await as('PUT', `${GROUPS}/wide/permissions/team:run`);
    assertRefused(app, self, 403, 'forbidden');
    assert.match(self.json.detail, /^No account may widen its own permissions: team:run\. /);
    assert.equal((await as('POST', GROUPS, { name: 'Others', permissions: ['team:run'] })).status, 201);
    assertRefused(app, await as('PUT', `${GROUPS}/others/members/${owner.clientId}`), 403, 'forbidden');
  });

  test('are listed by search and in pages', async () => {
    const { json: groups } = await app.api('GET', `${GROUPS}?search=wal`);
    assert.deepEqual(
      groups.map(({ groupId }: { groupId: string }) => groupId),
      ['walled'],
    );
    const page = await app.api('GET', `${GROUPS}?limit=1`);
    assert.match(page.headers.get('link') ?? '', /rel="next"/);
  });

  test('appear in effective permissions, which also show the token that the token endpoint would issue', async () => {
    await app.api('POST', `${IN_A}/roles`, { name: 'Crew', permissions: ['crew:work'] });
    await app.api('POST', GROUPS, { name: 'Ways', roles: ['crew@shop'], permissions: ['ways'] });
    const { json: account } = await app.api('POST', ACCOUNTS, {
      name: 'Many ways',
      permissions: ['direct@shop/prod'],
      roles: ['crew'],
      groups: ['ways'],
      tokenTtl: 60,
    });
    const path = `${ACCOUNTS}/${account.clientId}/effective-permissions`;
    const { json, status } = await app.api('GET', path, undefined, owner.bearer);
    assert.equal(status, 200);
    const resource = 'api://default';
    assert.deepEqual(json.permissions, [
      { permission: 'crew:work', place: null, resource, group: null, role: 'crew' },
      { permission: 'direct', place: 'shop/prod', resource, group: null, role: null },
      { permission: 'crew:work', place: 'shop', resource, group: 'ways', role: 'crew' },
      { permission: 'ways', place: null, resource, group: 'ways', role: null },
    ]);
    // The shown token or refusal is the same as from the token endpoint.
    for (const query of [
      {},
      { scope: 'ways' },
      { scope: 'direct@shop/prod/eu crew:work@x' },
      { scope: 'direct' },
      { resource: `${app.issuer}/api` },
      { resource: 'https://nowhere.example' },
      { resource: `${app.issuer}/api`, scope: 'ways' },
    ]) {
      const planned = (await app.api('GET', `${path}?${new URLSearchParams(query).toString()}`)).json;
      const got = await app.token(account, query);
      if (got.status === 200) {
        const claims = decodeJwt(got.json.access_token);
        assert.equal(planned.refusal, null);
        assert.deepEqual(planned.token, {
          aud: claims.aud,
          scope: claims['scope'] ?? '',
          permissions: claims['permissions'],
          expiresIn: got.json.expires_in,
          alg: 'ES256',
          typ: 'at+jwt',
          senderConstraints: [],
        });
      } else {
        const { error, error_description } = got.json;
        assert.deepEqual(planned.refusal, { error, error_description });
        assert.equal(planned.token, null);
      }
    }
    await app.api('PATCH', `${ACCOUNTS}/${account.clientId}`, { state: 'disabled' });
    assert.equal((await app.api('GET', path)).json.refusal.error, 'invalid_client');
  });
});
