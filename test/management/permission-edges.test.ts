import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { decodeJwt } from 'jose';
import type { Reply } from '../support/api-contract.ts';
import { type ApiCaller, apiToken, assertRefused, makeCaller, makeCompany } from '../support/companies.ts';
import { postgres18 } from '../support/databases.ts';
import { useTestApp } from '../support/test-app.ts';

const IN_A = '/api/companies/a';
const ACCOUNTS = `${IN_A}/service-accounts`;
const GROUPS = `${IN_A}/groups`;

describe('edge cases of the permission model', () => {
  const app = useTestApp(postgres18);
  let owner: ApiCaller;
  let projectAdmin: ApiCaller;
  before(async () => {
    await makeCompany(app, 'a');
    owner = await withRoles('company-owner');
    projectAdmin = await withRoles('project-admin@shop');
  });

  let made = 0;
  async function register(body: object, bearer?: string): Promise<Reply> {
    made += 1;
    return app.api('POST', ACCOUNTS, { name: 'Account', slug: `account-${made}`, ...body }, bearer);
  }
  async function withRoles(...roles: string[]): Promise<ApiCaller> {
    const { json } = await register({ roles });
    return { ...json, bearer: await apiToken(app, json) };
  }

  test('E-02 a caller grants a built-in role only if it holds the permissions of all lower roles, too', async () => {
    await app.api('PATCH', '/api/roles/developer', { permissions: ['deploy:run'] });
    const permissions = ['writ.companies.view', 'writ.serviceaccounts.view', 'writ.activity.view'];
    const bare = await makeCaller(app, ACCOUNTS, [...permissions, 'writ.roles.bind', 'writ.serviceaccounts.manage']);
    const bind = (id: string, role: string): Promise<Reply> =>
      app.api('PUT', `${ACCOUNTS}/${id}/roles/${role}`, undefined, bare.bearer);
    const { json: other } = await register({});
    for (const role of ['developer', 'maintainer', 'project-admin']) {
      for (const id of [bare.clientId, other.clientId]) {
        const refused = await bind(id, role);
        assertRefused(app, refused, 403, 'forbidden', role);
        assert.match(refused.json.detail, /deploy:run/);
      }
    }
    assert.equal((await bind(other.clientId, 'reporter')).status, 204);
    // The caller cannot add a credential to an account that has such a role.
    const admin = await withRoles('project-admin');
    await app.api('PUT', `${ACCOUNTS}/${bare.clientId}/permissions/writ.credentials.manage`);
    const bearer = await apiToken(app, bare);
    const credentials = `${ACCOUNTS}/${admin.clientId}/credentials`;
    assertRefused(app, await app.api('POST', credentials, { type: 'client_secret' }, bearer), 403, 'forbidden');
    // The caller cannot add a narrowed credential either, if it may grant roles.
    await app.api('PUT', `${ACCOUNTS}/${bare.clientId}/permissions/writ.companies.view`);
    const little = { type: 'client_secret', permissions: ['writ.roles.bind', ...permissions] };
    const narrow = await app.api('POST', credentials, little, bearer);
    assertRefused(app, narrow, 403, 'forbidden');
    assert.match(narrow.json.detail, /deploy:run/);
    const harmless = { type: 'client_secret', permissions };
    assert.equal((await app.api('POST', credentials, harmless, bearer)).status, 201);
    // A caller with a role at least as high may add the credential.
    assert.equal((await app.api('POST', credentials, { type: 'client_secret' }, owner.bearer)).status, 201);
    await app.api('PATCH', '/api/roles/developer', { permissions: [] });
  });

  test('E-02 a caller changes a group only at places where the caller may grant roles', async () => {
    await app.api('POST', GROUPS, { name: 'g1', permissions: ['orders:read', 'x@other/prod', 'y@shop'] });
    const as = (method: string, path: string, body?: object): Promise<Reply> =>
      app.api(method, `${GROUPS}/g1${path}`, body, projectAdmin.bearer);
    for (const path of ['/permissions/orders:read', '/permissions/x?place=other/prod']) {
      assertRefused(app, await as('DELETE', path), 403, 'insufficient_scope', path);
    }
    assert.equal((await as('DELETE', '/permissions/y?place=shop')).status, 204);
    for (const body of [{}, { name: 'mine' }, { members: [] }, { permissions: [] }, { role: 'guest' }]) {
      assertRefused(app, await as('PATCH', '', body), 403, 'insufficient_scope', JSON.stringify(body));
    }
    // miactl sends this body to edit the role of a group in a project.
    const edited = await as('PATCH', '', { projectsRole: [{ projectId: 'shop', role: 'maintainer' }] });
    assert.equal(edited.status, 200, edited.text);
    assert.deepEqual(edited.json.roles, ['maintainer@shop']);
    const elsewhere = await as('PATCH', '', { projectsRole: [{ projectId: 'other', role: 'guest' }] });
    assertRefused(app, elsewhere, 403, 'insufficient_scope');
  });

  test('a change of nothing still needs the permission, because its answer shows the account', async () => {
    const { json: account } = await register({ permissions: ['p'], metadata: { secret: 'plan' } });
    const path = `${ACCOUNTS}/${account.clientId}`;
    for (const body of [{}, { projectsRole: [] }, { roles: [] }, { groups: [] }]) {
      const refused = await app.api('PATCH', path, body, projectAdmin.bearer);
      assertRefused(app, refused, 403, 'insufficient_scope', JSON.stringify(body));
    }
  });

  test('G-24 the permissions of an account and the size of its tokens are limited, by whichever way they grow', async () => {
    const names = Array.from({ length: 1000 }, (_, index) => `big:${index}`);
    const identifier = 'api://a/big';
    await app.api('POST', `${IN_A}/resource-servers`, {
      identifier,
      name: 'Big',
      permissions: names.map((name) => ({ name })),
    });
    const role = await app.api(
      'POST',
      `${IN_A}/roles`,
      { roleId: 'big', name: 'Big', permissions: names },
      owner.bearer,
    );
    assert.equal(role.status, 201, role.text);
    const many = Array.from({ length: 11 }, (_, index) => `big@p${index}`);
    const audience = `${app.issuer}/api`;
    const refused = await register({ roles: many, audience }, owner.bearer);
    assertRefused(app, refused, 422, 'limit_reached');
    assert.match(refused.json.detail, /at most 10000 permissions, .* here 11000$/);
    const { json: account } = await register({ roles: many.slice(1), audience }, owner.bearer);
    const path = `${ACCOUNTS}/${account.clientId}`;
    assertRefused(app, await app.api('PUT', `${path}/roles/big`, undefined, owner.bearer), 422, 'limit_reached');
    // Permissions that a group brings later are cut off at the limit.
    await app.api('POST', GROUPS, { name: 'Bigger', roles: ['big'], members: [account.clientId] }, owner.bearer);
    const { json } = await app.api('GET', `${path}/effective-permissions`);
    assert.equal(json.permissions.length, 10_000);
    const huge = await app.token(account, { resource: identifier });
    assert.equal(huge.json.error, 'invalid_scope');
    // A request cannot ask for a token that is too large.
    const scope = Array.from({ length: 300 }, (_, index) => `big:1@p1/${index}`).join(' ');
    const larger = await app.token(account, { resource: identifier, scope });
    assert.equal(larger.json.error, 'invalid_scope');
    assert.match(larger.json.error_description, /name a smaller scope$/);
  });

  test('effective permissions read a scope as the token endpoint does', async () => {
    const { json: account } = await app.api('POST', '/api/service-accounts', {
      name: 'Tried',
      permissions: ['a', 'b'],
    });
    const tried = async (scope: string): Promise<{ token: { scope: string } | null; refusal: object | null }> => {
      const path = `/api/service-accounts/${account.clientId}/effective-permissions?scope=${encodeURIComponent(scope)}&resource=`;
      return (await app.api('GET', path)).json;
    };
    for (const [scope, given] of [
      ['a  b ', 'a b'],
      [' b', 'b'],
      [' ', 'a b'],
      ['', 'a b'],
    ] as const) {
      assert.equal((await tried(scope)).token?.scope, given, JSON.stringify(scope));
      assert.equal((await app.token(account, { scope })).json.scope, given, JSON.stringify(scope));
    }
    for (const scope of ['a b\tc', 'b\n', 'a "b"']) {
      const { json } = await app.token(account, { scope });
      const { error, error_description } = json;
      assert.match(error_description, /^'.*\?.*' has a character that no scope-token may have$/);
      assert.deepEqual(await tried(scope).then(({ refusal }) => refusal), { error, error_description });
    }
  });

  test('control characters are answered with 404 in a path and with 422 in a body', async () => {
    await app.api('POST', GROUPS, { name: 'Clean' });
    for (const [method, path] of [
      ['GET', '/api/resource-servers/%00'],
      ['PATCH', '/api/resource-servers/%00'],
      ['DELETE', `${IN_A}/resource-servers/a%00b`],
      ['PUT', `${GROUPS}/clean/members/%00`],
      ['DELETE', `${GROUPS}/clean/members/%0A`],
      ['GET', '/api/roles/%00'],
    ] as const) {
      assertRefused(app, await app.api(method, path, method === 'PATCH' ? {} : undefined), 404, 'not_found', path);
    }
    const nul = 'a\u0000b';
    for (const [method, path, body] of [
      ['POST', GROUPS, { name: 'x', members: [nul] }],
      ['POST', `${GROUPS}/clean/members`, { members: [nul] }],
      ['DELETE', `${GROUPS}/clean/members`, { memberIds: [nul] }],
      ['POST', ACCOUNTS, { name: 'x', permissions: [{ permission: 'p', resource: nul }] }],
      ['POST', ACCOUNTS, { name: 'x', audience: nul }],
      ['POST', ACCOUNTS, { name: 'x', groups: [nul] }],
      ['POST', ACCOUNTS, { name: 'x', roles: [nul] }],
      ['POST', `${IN_A}/roles`, { name: 'x', permissions: [{ permission: 'p', resource: nul }] }],
    ] as const) {
      assertRefused(app, await app.api(method, path, body), 422, 'invalid_body', path);
    }
  });

  test('an account whose audience was deleted can be changed, and gets tokens for the default resource server', async () => {
    const paths: string[] = [];
    for (const name of ['one', 'two', 'three']) {
      const body = { identifier: `https://${name}.example`, name, permissions: [{ name: `${name}:use` }] };
      paths.push(String((await app.api('POST', '/api/resource-servers', body)).headers.get('location')));
    }
    const { json: account } = await register({
      permissions: ['one:use', 'two:use', 'three:use', 'plain'],
      audience: 'https://one.example',
    });
    await app.api('DELETE', `${paths[0]}?cascade=true`);
    const path = `${ACCOUNTS}/${account.clientId}`;
    for (const body of [
      { state: 'disabled' },
      { state: 'enabled', name: 'Renamed' },
      { permissions: ['two:use', 'plain', 'more'] },
    ]) {
      const changed = await app.api('PATCH', path, body);
      assert.equal(changed.status, 200, `${JSON.stringify(body)} ${changed.text}`);
      assert.equal(changed.json.audience, 'api://default');
    }
    assert.deepEqual(decodeJwt((await app.token(account)).json.access_token)['permissions'], ['more', 'plain']);
  });

  test('a caller that manages a resource server may give its permissions through roles and groups', async () => {
    const server = { identifier: 'api://a/ops', name: 'Ops', permissions: [{ name: 'ops:run' }, { name: 'ops:stop' }] };
    await app.api('POST', `${IN_A}/resource-servers`, server, owner.bearer);
    const role = { roleId: 'ops', name: 'Ops', permissions: ['ops:run', 'ops:stop'] };
    assert.equal((await app.api('POST', `${IN_A}/roles`, role, owner.bearer)).status, 201);
    const { json: account } = await register({ roles: ['ops@shop'] }, owner.bearer);
    assert.deepEqual(account.roles, ['ops@shop']);
    const group = await app.api(
      'POST',
      GROUPS,
      { name: 'Ops team', roles: ['ops'], members: [account.clientId] },
      owner.bearer,
    );
    assert.equal(group.status, 201, group.text);
  });

  test('one of two permissions with the same name is removed alone, and a removal by an ambiguous name is refused', async () => {
    const qualified = { permission: 'zz', resource: 'api://default' };
    await app.api('POST', '/api/resource-servers', {
      identifier: 'https://zz.example',
      name: 'ZZ',
      permissions: [{ name: 'zz' }],
    });
    const { json: account } = await register({ permissions: ['zz', qualified], audience: 'https://zz.example' });
    const path = `${ACCOUNTS}/${account.clientId}`;
    assert.equal((await app.api('DELETE', `${path}/permissions/zz`)).status, 204);
    assert.deepEqual((await app.api('GET', path)).json.permissions, [qualified]);
    const both = [qualified, { permission: 'zz', resource: 'https://zz.example' }];
    await app.api('PATCH', path, { permissions: both });
    assertRefused(app, await app.api('DELETE', `${path}/permissions/zz`), 409, 'ambiguous_permission');
    assert.deepEqual((await app.api('GET', path)).json.permissions, both);
    // The audit names the resource server of the permission.
    const [event] = (await app.api('GET', `${IN_A}/audit-events?target=${account.clientId}`)).json;
    assert.deepEqual(event.details.permissionsAdded, [both[1]]);
  });

  test('a member that joins or leaves raises the revision of the group and of the account', async () => {
    const group = await app.api('POST', GROUPS, { name: 'Revised' });
    const { json: account } = await register({});
    const path = `${ACCOUNTS}/${account.clientId}`;
    const seen = (await app.api('GET', path)).headers.get('etag') ?? '';
    await app.api('PATCH', path, { groups: ['revised'] });
    const stale = { 'If-Match': group.headers.get('etag') ?? '' };
    const lost = await app.api('PATCH', `${GROUPS}/revised`, { members: [] }, undefined, stale);
    assertRefused(app, lost, 412, 'precondition_failed');
    await app.api('DELETE', `${GROUPS}/revised/members/${account.clientId}`);
    const old = await app.api('PATCH', path, { name: 'x' }, undefined, { 'If-Match': seen });
    assertRefused(app, old, 412, 'precondition_failed');
    const now = (await app.api('GET', path)).headers.get('etag') ?? '';
    await app.api('PUT', `${GROUPS}/revised/members/${account.clientId}`);
    const again = await app.api('PATCH', path, { name: 'x' }, undefined, { 'If-Match': now });
    assertRefused(app, again, 412, 'precondition_failed');
  });

  test('a company cannot create a role with the id of a built-in role', async () => {
    for (const roleId of ['root', 'guest']) {
      assertRefused(app, await app.api('POST', `${IN_A}/roles`, { roleId, name: 'x' }), 409, 'already_exists');
    }
  });

  test('a body that gives roles in two forms is refused', async () => {
    const { json: account } = await register({ roles: ['developer'] });
    const twice = await app.api('PATCH', `${ACCOUNTS}/${account.clientId}`, { roles: [], role: 'developer' });
    assertRefused(app, twice, 422, 'invalid_body');
  });

  test('the later of two roles for one project counts', async () => {
    const { json: account } = await register({ roles: ['developer'] });
    const projectsRole = [
      { projectId: 'p1', role: 'guest' },
      { projectId: 'p1', role: 'maintainer' },
    ];
    const changed = await app.api('PATCH', `${ACCOUNTS}/${account.clientId}`, { projectsRole });
    assert.deepEqual(changed.json.roles, ['developer', 'maintainer@p1']);
  });

  test('an account is found by the longest permission at the longest place', async () => {
    const { json: account } = await register({ roles: ['developer'] });
    const place = Array(8).fill('x'.repeat(64)).join('/');
    await app.api('PUT', `${ACCOUNTS}/${account.clientId}/permissions/${'n'.repeat(128)}?place=${place}`);
    const listed = await app.api('GET', `${ACCOUNTS}?permission=${'n'.repeat(128)}@${place}`);
    assert.equal(listed.json[0]?.clientId, account.clientId, listed.text);
  });

  test('a list of identities with empty projects and foreign parameters has no projects', async () => {
    const identities = await app.api('GET', `${IN_A}/identities?projectIds=,,&cursor=x&limit=y`);
    assert.equal(identities.status, 200, identities.text);
    assert.ok(identities.json.every(({ projects }: { projects: unknown[] }) => projects.length === 0));
  });

  test('a caller with a role at one place sees the company', async () => {
    const tenants = await app.api('GET', '/api/backend/tenants/', undefined, projectAdmin.bearer);
    assert.deepEqual(
      tenants.json.map(({ tenantId }: { tenantId: string }) => tenantId),
      ['a'],
    );
  });
});
