import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { promisify } from 'node:util';
import { decodeJwt } from 'jose';
import type { Reply } from '../support/api-contract.ts';
import { type ApiCaller, apiToken, assertRefused, makeCaller, makeCompany } from '../support/companies.ts';
import { assertion, clientKey, tokenByAssertion } from '../support/assertions.ts';
import { embeddedAndNewest, onEachDatabase, postgres18 } from '../support/databases.ts';
import { useTestApp } from '../support/test-app.ts';
import { describe } from 'node:test';

const IN_A = '/api/companies/a';
const ACCOUNTS = `${IN_A}/service-accounts`;

onEachDatabase(
  'Mia’s clients',
  (kind) => {
    const app = useTestApp(kind);
    let owner: ApiCaller;
    before(async () => {
      await makeCompany(app, 'a');
      await makeCompany(app, 'b');
      const { json } = await app.api('POST', ACCOUNTS, { name: 'Owner', role: 'company-owner' });
      owner = { ...json, bearer: await apiToken(app, json) };
    });

    const as = (method: string, path: string, body?: unknown): Promise<Reply> =>
      app.api(method, path, body, owner.bearer);
    /** Lists identities, as miactl does to find the roles of an account. */
    const identities = async (query = ''): Promise<{ identityId: string; name: string }[]> => {
      const { status, json, text } = await as('GET', `${IN_A}/identities${query}`);
      assert.equal(status, 200, text);
      return json;
    };

    test('list the companies that the caller sees, and may send further parameters', async () => {
      const own = await as('GET', '/api/backend/tenants/?per_page=200&page=1');
      assert.deepEqual(own.json, [{ tenantId: 'a', name: 'a', repository: {}, pipelines: {} }]);
      const all = await app.api('GET', '/api/backend/tenants/');
      assert.deepEqual(
        all.json.map(({ tenantId }: { tenantId: string }) => tenantId),
        ['b', 'a'],
      );
      assert.deepEqual((await as('GET', `${IN_A}/users?sort=name`)).json, []);
      const none = await makeCaller(app, ACCOUNTS, []);
      assertRefused(
        app,
        await app.api('GET', '/api/backend/tenants/', undefined, none.bearer),
        403,
        'insufficient_scope',
      );
    });

    test('register accounts with a role and a secret or a key, and see their authentication methods', async () => {
      const basic = await as('POST', ACCOUNTS, {
        name: 'Basic',
        role: 'reporter',
        tokenEndpointAuthMethod: 'client_secret_basic',
      });
      assert.equal(basic.status, 201, basic.text);
      assert.ok(basic.json.clientSecret && basic.json.clientIdIssuedAt > 0);
      assert.equal(basic.json.company, 'a');
      const key = clientKey('RS256', 'miactl');
      const jwt = await as('POST', ACCOUNTS, {
        name: 'Jwt',
        role: 'guest',
        tokenEndpointAuthMethod: 'private_key_jwt',
        publicKey: { ...key.jwk, use: 'sig', alg: 'RSA256', kid: 'miactl' },
      });
      assert.equal(jwt.status, 201, jwt.text);
      assert.equal(jwt.json.clientSecret, undefined);
      const listed = (await as('GET', ACCOUNTS)).json as Record<string, unknown>[];
      const shown = listed.map(({ name, authMethod, companyRoles }) => ({ name, authMethod, companyRoles }));
      assert.deepEqual(shown.slice(0, 2), [
        { name: 'Jwt', authMethod: 'private_key_jwt', companyRoles: ['guest'] },
        { name: 'Basic', authMethod: 'client_secret_basic', companyRoles: ['reporter'] },
      ]);
      const token = await tokenByAssertion(app, assertion(key, jwt.json.clientId, app.issuer));
      assert.deepEqual(decodeJwt(token.json.access_token)['permissions'], ['writ.companies.view']);
      // A caller gives no higher role than its own.
      const { json } = await app.api('POST', ACCOUNTS, {
        name: 'Lower',
        role: 'project-admin',
        permissions: ['writ.serviceaccounts.manage'],
      });
      const lower = await apiToken(app, json);
      const add = (role: string): Promise<Reply> => app.api('POST', ACCOUNTS, { name: `Added ${role}`, role }, lower);
      assertRefused(app, await add('company-owner'), 403, 'forbidden');
      assert.equal((await add('project-admin')).status, 201);
    });

    test('edit the roles of an account in the company, its projects and its environments, and read them back', async () => {
      const { json: account } = await as('POST', ACCOUNTS, { name: 'Edited', role: 'guest' });
      const path = `${ACCOUNTS}/${account.clientId}`;
      const roles = async (body: object): Promise<string[]> => {
        const { status, json, text } = await as('PATCH', path, body);
        assert.equal(status, 200, text);
        return json.roles;
      };
      assert.deepEqual(await roles({ role: 'developer' }), ['developer']);
      assert.deepEqual(await roles({ projectsRole: [{ projectId: 'shop', role: 'maintainer' }] }), [
        'developer',
        'maintainer@shop',
      ]);
      // Beside environments, an empty role of the project changes nothing.
      const environment = (envId: string, role: string): object => ({
        projectsRole: [{ projectId: 'shop', role: '', environmentsRole: [{ envId, role }] }],
      });
      assert.deepEqual(await roles(environment('prod', 'reporter')), [
        'developer',
        'maintainer@shop',
        'reporter@shop/prod',
      ]);
      await roles(environment('test', 'maintainer'));
      await roles({ projectsRole: [{ projectId: 'other', role: 'guest' }] });
      const seen = (await identities('?identityType=serviceaccount&projectIds=shop,nothing')).find(
        ({ identityId }) => identityId === account.clientId,
      );
      assert.deepEqual(seen, {
        identityId: account.clientId,
        identityType: 'serviceaccount',
        name: 'Edited',
        companyRoles: ['developer'],
        projects: [
          {
            _id: 'shop',
            roles: ['maintainer'],
            environments: [
              { envId: 'prod', roles: ['reporter'] },
              { envId: 'test', roles: ['maintainer'] },
            ],
          },
        ],
      });
      assert.deepEqual(await roles({ ...environment('test', ''), role: 'reporter' }), [
        'guest@other',
        'maintainer@shop',
        'reporter',
        'reporter@shop/prod',
      ]);
      // Without environments, an empty role removes the role of that project only.
      assert.deepEqual(await roles({ projectsRole: [{ projectId: 'shop', role: '' }] }), [
        'guest@other',
        'reporter',
        'reporter@shop/prod',
      ]);
      assert.deepEqual(await roles({ role: '' }), ['guest@other', 'reporter@shop/prod']);
      for (const projectsRole of [
        [{ projectId: '..', role: 'guest' }],
        [{ projectId: 'shop/prod', role: 'guest' }],
        [{ projectId: 'shop', environmentsRole: [{ envId: '', role: 'reporter' }] }],
        [{ role: 'guest' }],
        'shop',
      ]) {
        const refused = await as('PATCH', path, { projectsRole });
        assert.ok([400, 422].includes(refused.status), refused.text);
        assert.ok(refused.json.errors[0].pointer.startsWith('/projectsRole'));
      }
      const environments = [{ projectId: 'shop', environmentsRole: [{ envId: 'prod', role: 'developer' }] }];
      assertRefused(app, await as('PATCH', path, { projectsRole: environments }), 422, 'invalid_body');
      assert.equal((await as('DELETE', path)).status, 204);
      assert.ok((await identities()).every(({ identityId }) => identityId !== account.clientId));
    });

    test('create groups, add members by slug and by client id, and remove members', async () => {
      const one = (await as('POST', ACCOUNTS, { name: 'Joins by slug', role: 'guest' })).json;
      const two = (await as('POST', ACCOUNTS, { name: 'Joins by id', role: 'guest' })).json;
      const made = await as('POST', `${IN_A}/groups`, { name: 'Ops team', role: 'developer', members: [one.slug] });
      assert.equal(made.status, 201, made.text);
      assert.deepEqual([made.json._id, made.json.role, made.json.members], ['ops-team', 'developer', [one.clientId]]);
      const path = `${IN_A}/groups/ops-team`;
      const joined = await as('POST', `${path}/members`, { emails: [two.clientId] });
      assert.deepEqual(joined.json.members, [one.clientId, two.clientId].toSorted());
      assert.equal((await as('PATCH', path, { role: 'reporter' })).json.role, 'reporter');
      const [seen] = await identities('?identityType=group');
      assert.deepEqual(seen, {
        identityId: 'ops-team',
        identityType: 'group',
        name: 'Ops team',
        companyRoles: ['reporter'],
        projects: [],
      });
      const left = await as('DELETE', `${path}/members`, { memberIds: [one.clientId, 'nobody'] });
      assert.deepEqual(left.json.members, [two.clientId]);
      assert.equal((await as('DELETE', path)).status, 204);
      assert.deepEqual(await identities('?identityType=group'), []);
      assert.deepEqual(await identities('?identityType=user'), []);
    });
  },
  embeddedAndNewest,
);

describe('the permissions of the Mia-Platform Console', () => {
  const app = useTestApp(postgres18);

  test('are loaded by one command, which gives each built-in role its part of them', async () => {
    const load = async (): Promise<string> => {
      const script = join(import.meta.dirname, '../../examples/mia-console/load.mjs');
      const env = { ...process.env, TOKEN: await app.rootToken() };
      return (await promisify(execFile)(process.execPath, [script, app.url], { env })).stdout;
    };
    assert.match(await load(), /^\d+ permissions of https:\/\/console\.mia-platform\.example/);
    assert.equal(await load(), await load());
    await makeCompany(app, 'a');
    const resource = 'https://console.mia-platform.example';
    const permissions = async (role: string): Promise<string[]> => {
      const { json, status, text } = await app.api('POST', ACCOUNTS, {
        name: `As ${role}`,
        roles: [role],
        audience: resource,
      });
      assert.equal(status, 201, text);
      return decodeJwt((await app.token(json)).json.access_token)['permissions'] as string[];
    };
    const maintainer = await permissions('maintainer@shop');
    assert.ok(maintainer.includes('console.project.environment.deploy.trigger@shop'));
    assert.ok(!maintainer.some((name) => name.startsWith('console.company.delete')));
    assert.ok((await permissions('project-admin')).includes('console.company.project.users.manage'));
    const owner = await permissions('company-owner');
    assert.ok(owner.includes('console.company.delete') && !owner.includes('console.company.project.users.manage'));
    assert.ok(!(await permissions('guest')).includes('console.company.project.view'));
  });
});
