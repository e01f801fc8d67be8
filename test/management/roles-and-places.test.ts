import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { decodeJwt } from 'jose';
import type { Reply } from '../support/api-contract.ts';
import { lastRefusal } from '../support/assertions.ts';
import { type ApiCaller, apiToken, assertRefused, makeCaller, makeCompany } from '../support/companies.ts';
import { newest, onEachDatabase } from '../support/databases.ts';
import { useTestApp } from '../support/test-app.ts';

const IN_A = '/api/companies/a';
const ACCOUNTS = `${IN_A}/service-accounts`;
const BUILT_IN = ['guest', 'reporter', 'developer', 'maintainer', 'project-admin', 'company-owner'];

onEachDatabase(
  'roles and places',
  (kind) => {
    const app = useTestApp(kind);
    let owner: ApiCaller;
    before(async () => {
      await makeCompany(app, 'a');
      await makeCompany(app, 'b');
      owner = await callerWith(['company-owner']);
    });

    /** Registers an account with roles, and gets a token of the account for the management API. */
    async function callerWith(roles: readonly string[], path = ACCOUNTS): Promise<ApiCaller> {
      const { status, json, text } = await app.api('POST', path, {
        name: `With ${roles.join(' ')}`,
        roles,
        slug: slug(),
      });
      assert.equal(status, 201, text);
      return { ...json, bearer: await apiToken(app, json) };
    }

    let made = 0;
    const slug = (): string => `account-${(made += 1)}`;
    const account = async (body: object, bearer?: string): Promise<Reply> =>
      app.api('POST', ACCOUNTS, { name: 'Account', slug: slug(), ...body }, bearer);
    const permissionsOf = (token: Reply): unknown => decodeJwt(token.json.access_token)['permissions'];

    test('a built-in role gives the permissions that GET …/roles lists for it, among them all of the role below', async () => {
      const { json: roles } = await app.api('GET', `${IN_A}/roles`, undefined, owner.bearer);
      const byId = new Map<string, string[]>(
        roles.map((role: { roleId: string; permissions: string[] }) => [role.roleId, role.permissions]),
      );
      assert.deepEqual(new Set(byId.keys()), new Set(BUILT_IN));
      let below: string[] = [];
      for (const roleId of BUILT_IN) {
        const permissions = byId.get(roleId) ?? [];
        for (const permission of below) assert.ok(permissions.includes(permission), `${roleId} ${permission}`);
        below = permissions;
        assert.deepEqual([...(await callerPermissions(roleId))].toSorted(), permissions, roleId);
      }
      assert.deepEqual(byId.get('guest'), ['writ.companies.view']);
      assert.deepEqual(byId.get('maintainer'), [
        'writ.activity.view',
        'writ.companies.view',
        'writ.serviceaccounts.view',
      ]);
      assert.ok(byId.get('project-admin')?.includes('writ.roles.bind'));
      assert.equal(below.length, 11);
      // Root also sees the role root, which no company can give.
      const { json: ofRoot } = await app.api('GET', '/api/roles');
      assert.ok(ofRoot.some((role: { roleId: string }) => role.roleId === 'root'));
      assertRefused(app, await account({ roles: ['root'] }), 422, 'invalid_body');
    });

    async function callerPermissions(roleId: string): Promise<string[]> {
      const caller = await callerWith([roleId]);
      return decodeJwt(caller.bearer)['permissions'] as string[];
    }

    test('a role of a company is created, changed and deleted, which acts on every account that has it', async () => {
      const permissions = ['orders:read', 'writ.serviceaccounts.view'];
      const sent = { name: 'On call', description: 'Who is', permissions };
      // A caller puts only permissions into a role that the caller holds.
      const beyond = await app.api('POST', `${IN_A}/roles`, sent, owner.bearer);
      assertRefused(app, beyond, 403, 'forbidden');
      assert.match(beyond.json.detail, /orders:read\. /);
      const role = await app.api('POST', `${IN_A}/roles`, sent);
      assert.equal(role.status, 201, role.text);
      assert.equal(role.json.roleId, 'on-call');
      assert.deepEqual(role.json.permissions, permissions);
      assert.deepEqual([role.json.company, role.json.builtIn], ['a', false]);
      const path = `${IN_A}/roles/on-call`;
      assert.equal(role.headers.get('location'), path);
      const repeated = await app.api('POST', `${IN_A}/roles`, sent);
      assertRefused(app, repeated, 409, 'already_exists');
      assert.equal(repeated.headers.get('location'), path);

      const spans = await account({ roles: ['on-call'] });
      assertRefused(app, spans, 422, 'audience_required');
      const { json: holder } = await account({ roles: ['on-call'], audience: 'api://default' });
      assert.deepEqual(permissionsOf(await app.token(holder)), ['orders:read']);
      const more = await app.api('PATCH', path, { permissions: [...permissions, 'orders:write'] });
      assert.equal(more.status, 200, more.text);
      assert.deepEqual(permissionsOf(await app.token(holder)), ['orders:read', 'orders:write']);

      const inUse = await app.api('DELETE', path);
      assertRefused(app, inUse, 409, 'in_use');
      assert.match(inUse.json.detail, new RegExp(`service account ${holder.clientId}`));
      assert.equal((await app.api('DELETE', `${path}?cascade=true`)).status, 204);
      assert.deepEqual(permissionsOf(await app.token(holder)), []);
      assertRefused(app, await app.api('GET', path), 404, 'not_found');
      const { json: events } = await app.api('GET', `${IN_A}/audit-events?target=on-call`);
      assert.deepEqual(
        events.map(({ action }: { action: string }) => action),
        ['role.deleted', 'role.changed', 'role.created'],
      );
    });

    test('a role of a company has an id that no visible role has, and is hidden from everybody else', async () => {
      for (const roleId of [...BUILT_IN, 'root']) {
        const taken = await app.api('POST', `${IN_A}/roles`, { roleId, name: 'Mine' });
        if (roleId !== 'root') assertRefused(app, taken, 409, 'already_exists', roleId);
      }
      await app.api('POST', `${IN_A}/roles`, { roleId: 'secret-role', name: 'Of a' });
      assertRefused(app, await app.api('GET', '/api/companies/b/roles/secret-role'), 404, 'not_found');
      assertRefused(app, await app.api('GET', '/api/roles/secret-role'), 404, 'not_found');
      const elsewhere = await app.api('POST', '/api/companies/b/service-accounts', {
        name: 'Elsewhere',
        roles: ['secret-role'],
      });
      assertRefused(app, elsewhere, 422, 'invalid_body');
      for (const method of ['PATCH', 'DELETE']) {
        const body = method === 'PATCH' ? { name: 'Mine' } : undefined;
        assertRefused(app, await app.api(method, `${IN_A}/roles/guest`, body, owner.bearer), 403, 'forbidden');
      }
      assertRefused(app, await app.api('DELETE', '/api/roles/guest?cascade=true'), 403, 'forbidden');
      assertRefused(app, await app.api('PATCH', '/api/roles/root', { name: 'Mine' }), 403, 'forbidden');
      const placed = await app.api('POST', `${IN_A}/roles`, { name: 'Placed', permissions: ['a', 'b@shop'] });
      assertRefused(app, placed, 422, 'invalid_body');
      assert.equal(placed.json.errors[0].pointer, '/permissions/1');
    });

    test('a built-in role gets permissions of other APIs from root, and keeps its own', async () => {
      const changed = await app.api('PATCH', '/api/roles/developer', { permissions: ['deploy'] });
      assert.equal(changed.status, 200, changed.text);
      const own = ['writ.activity.view', 'writ.companies.view', 'writ.serviceaccounts.view'];
      assert.deepEqual(changed.json.permissions, ['deploy', ...own]);
      // A list that also has the permissions of the role itself is no change.
      const same = await app.api('PATCH', '/api/roles/developer', { permissions: changed.json.permissions });
      assert.equal(same.headers.get('etag'), changed.headers.get('etag'));
      const foreign = await app.api('PATCH', '/api/roles/developer', { permissions: ['deploy', 'writ.audit.view'] });
      assertRefused(app, foreign, 422, 'invalid_body');
      assert.equal(foreign.json.errors[0].pointer, '/permissions/1');
      const { json: developer } = await account({ role: 'developer' });
      // A role in the form of Mia's clients never requires an audience.
      assert.equal(developer.audience, `${app.issuer}/api`);
      assert.deepEqual(permissionsOf(await app.token(developer)), own);
      assert.deepEqual(permissionsOf(await app.token(developer, { scope: 'deploy' })), ['deploy']);
      assert.equal((await app.api('PATCH', '/api/roles/developer', { permissions: [] })).status, 200);
      assert.equal((await app.token(developer, { scope: 'deploy' })).json.error, 'invalid_scope');
    });

    test('a role is granted only at the kinds of places that it allows', async () => {
      const cases: [string, boolean][] = [
        ['company-owner', true],
        ['company-owner@shop', false],
        ['project-admin@shop', true],
        ['project-admin@shop/prod', false],
        ['developer@shop/prod', false],
        ['guest@shop/prod', false],
        ['reporter@shop/prod', true],
        ['maintainer@shop/prod', true],
        ['maintainer@shop/prod/eu', true],
        ['maintainer@', false],
        ['maintainer@/shop', false],
        ['maintainer@shop/', false],
        ['maintainer@shop//prod', false],
        ['maintainer@..', false],
        ['maintainer@shop@prod', false],
        ['nobody', false],
      ];
      for (const [role, taken] of cases) {
        const reply = await account({ roles: [role] });
        if (taken) {
          assert.equal(reply.status, 201, `${role} ${reply.text}`);
          assert.deepEqual(reply.json.roles, [role]);
          assert.deepEqual(reply.json.companyRoles, role.includes('@') ? [] : [role]);
        } else {
          assertRefused(app, reply, 422, 'invalid_body', role);
          assert.equal(reply.json.errors[0].pointer, '/roles/0');
        }
      }
    });

    test('B-10 a token names the place of a permission, and a scope narrows it only to places below', async () => {
      const permissions = ['deploy.trigger@shop', 'deploy.view', 'logs.read@shop/prod'];
      const { json: placed } = await account({ permissions });
      assert.deepEqual(placed.permissions, permissions);
      assert.deepEqual(permissionsOf(await app.token(placed)), permissions);
      for (const scope of [
        'deploy.trigger@shop/prod',
        'deploy.trigger@shop/prod/eu deploy.view@anywhere',
        'logs.read@shop/prod/eu',
        'deploy.view deploy.view@shop',
      ]) {
        const token = await app.token(placed, { scope });
        assert.equal(token.status, 200, token.text);
        assert.deepEqual(permissionsOf(token), scope.split(' ').toSorted());
        assert.equal(token.json.scope, scope.split(' ').toSorted().join(' '));
      }
      for (const scope of [
        'deploy.trigger',
        'deploy.trigger@shops',
        'logs.read@shop',
        'logs.read@shop/test',
        'x@shop',
      ]) {
        const token = await app.token(placed, { scope: `deploy.view ${scope}` });
        assert.equal(token.json.error, 'invalid_scope', scope);
        assert.match(token.json.error_description, new RegExp(`: ${scope}$`));
        assert.equal(lastRefusal(app)['reason'], 'invalid_scope');
      }
      const path = `${ACCOUNTS}/${placed.clientId}`;
      assert.equal((await app.api('PUT', `${path}/permissions/deploy.trigger?place=other/test`)).status, 204);
      assert.equal((await app.api('DELETE', `${path}/permissions/deploy.trigger?place=shop`)).status, 204);
      assertRefused(app, await app.api('DELETE', `${path}/permissions/deploy.trigger`), 404, 'not_found');
      assertRefused(app, await app.api('PUT', `${path}/permissions/x?place=shop//prod`), 400, 'invalid_query');
      assert.deepEqual((await app.api('GET', path)).json.permissions, [
        'deploy.trigger@other/test',
        'deploy.view',
        'logs.read@shop/prod',
      ]);
      const listed = await app.api('GET', `${ACCOUNTS}?permission=deploy.trigger@other/test`);
      assert.deepEqual(
        listed.json.map(({ clientId }: { clientId: string }) => clientId),
        [placed.clientId],
      );
      assert.deepEqual((await app.api('GET', `${ACCOUNTS}?permission=deploy.trigger@other`)).json, []);
    });

    test('E-02 a project administrator grants roles in its project only, up to its own role', async () => {
      const admin = await callerWith(['project-admin@shop']);
      const { json: target } = await account({});
      const path = `${ACCOUNTS}/${target.clientId}`;
      const put = (role: string, place = ''): Promise<Reply> =>
        app.api('PUT', `${path}/roles/${role}${place === '' ? '' : `?place=${place}`}`, undefined, admin.bearer);
      assert.equal((await put('maintainer', 'shop/prod')).status, 204);
      assert.equal((await put('project-admin', 'shop')).status, 204);
      for (const [role, place] of [
        ['guest', ''],
        ['guest', 'other'],
        ['maintainer', 'shops/prod'],
      ] as const) {
        const refused = await put(role, place);
        assertRefused(app, refused, 403, 'insufficient_scope', `${role} ${place}`);
        assert.equal(refused.json.required, place === '' ? 'writ.roles.bind' : `writ.roles.bind@${place}`);
        assert.match(refused.headers.get('www-authenticate') ?? '', /insufficient_scope/);
      }
      const refused = await app.api('PATCH', path, { name: 'Mine' }, admin.bearer);
      assertRefused(app, refused, 403, 'insufficient_scope');
      assertRefused(app, await app.api('GET', path, undefined, admin.bearer), 403, 'insufficient_scope');
      assertRefused(app, await app.api('PATCH', path, {}, admin.bearer), 403, 'insufficient_scope');
      const patched = await app.api(
        'PATCH',
        path,
        { projectsRole: [{ projectId: 'shop', role: 'developer' }] },
        admin.bearer,
      );
      assert.equal(patched.status, 200, patched.text);
      assert.deepEqual(patched.json.roles, ['developer@shop', 'maintainer@shop/prod']);
      assert.equal(
        (await app.api('DELETE', `${path}/roles/developer?place=shop`, undefined, admin.bearer)).status,
        204,
      );
      // A caller with a narrowed token grants no role that gives more than the token.
      const narrow = await apiToken(app, admin, 'writ.roles.bind@shop');
      const below = await app.api('PUT', `${path}/roles/reporter?place=shop`, undefined, narrow);
      assertRefused(app, below, 403, 'forbidden');
    });

    test('E-02 E-04 a caller grants roles up to its own role, and never widens itself', async () => {
      const admin = await callerWith(['project-admin']);
      const { json: target } = await account({});
      const bind = (caller: ApiCaller, clientId: string, role: string): Promise<Reply> =>
        app.api('PUT', `${ACCOUNTS}/${clientId}/roles/${role}`, undefined, caller.bearer);
      assert.equal((await bind(admin, target.clientId, 'project-admin')).status, 204);
      const higher = await bind(admin, target.clientId, 'company-owner');
      assertRefused(app, higher, 403, 'forbidden');
      assert.match(higher.json.detail, /^Nobody grants what they do not hold: writ\./);
      // A caller may give a lower role that root has extended, but may not take the role for itself.
      await app.api('PATCH', '/api/roles/guest', { permissions: ['gift'] });
      assert.equal((await bind(admin, target.clientId, 'guest')).status, 204);
      const self = await bind(admin, admin.clientId, 'guest');
      assertRefused(app, self, 403, 'forbidden');
      assert.match(self.json.detail, /^No account may widen its own permissions: gift\. /);
      await app.api('PATCH', '/api/roles/guest', { permissions: [] });
      assert.equal((await bind(admin, admin.clientId, 'guest')).status, 204);

      // A caller may give others the permissions of a resource server that it manages, but not itself.
      const server = { identifier: 'api://a/self', name: 'Self', permissions: [{ name: 'self:serve' }] };
      assert.equal((await app.api('POST', `${IN_A}/resource-servers`, server, owner.bearer)).status, 201);
      const own = `${ACCOUNTS}/${owner.clientId}/permissions/self:serve`;
      assertRefused(app, await app.api('PUT', own, undefined, owner.bearer), 403, 'forbidden');
      const others = `${ACCOUNTS}/${target.clientId}/permissions/self:serve`;
      assert.equal((await app.api('PUT', others, undefined, owner.bearer)).status, 204);
      // A root account that may grant everything may not widen itself either.
      const granter = await makeCaller(app, '/api/service-accounts', [
        'writ.permissions.grant',
        'writ.serviceaccounts.manage',
      ]);
      const wider = await app.api(
        'PUT',
        `/api/service-accounts/${granter.clientId}/permissions/writ.companies.manage`,
        undefined,
        granter.bearer,
      );
      assertRefused(app, wider, 403, 'forbidden');
      assert.match(wider.json.detail, /^No account may widen its own permissions: writ\.companies\.manage\. /);
    });

    test('E-06 a change of a role adds only permissions that the caller could grant', async () => {
      const manager = await callerWith(['company-owner']);
      await app.api('POST', `${IN_A}/roles`, { roleId: 'growing', name: 'Growing' }, manager.bearer);
      const path = `${IN_A}/roles/growing`;
      const beyond = await app.api('PATCH', path, { permissions: ['orders:delete'] }, manager.bearer);
      assertRefused(app, beyond, 403, 'forbidden');
      assertRefused(app, await app.api('PATCH', path, { permissions: ['writ.companies.manage'] }), 403, 'forbidden');
      assert.equal((await app.api('PATCH', path, { permissions: ['writ.audit.view'] }, manager.bearer)).status, 200);
      const narrow = await apiToken(app, manager, 'writ.roles.manage');
      assert.equal((await app.api('PATCH', path, { permissions: [] }, narrow)).status, 200);
      const back = await app.api('PATCH', path, { permissions: ['writ.audit.view'] }, narrow);
      assertRefused(app, back, 403, 'forbidden');
    });
  },
  newest,
);
