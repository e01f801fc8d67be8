import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import type { Reply } from '../support/api-contract.ts';
import { makeCompany } from '../support/companies.ts';
import { postgres18 } from '../support/databases.ts';
import { useTestApp } from '../support/test-app.ts';

const ROUNDS = 8;
const ACCOUNTS = '/api/service-accounts';

/** Each parallel write is answered by a rule, and the result is one that the writes would leave one after the other. */
describe('parallel writes in the permission model', () => {
  const app = useTestApp(postgres18);
  before(() => makeCompany(app, 'a'));

  let made = 0;
  const unique = (): string => `n${(made += 1)}`;
  const api = (method: string, path: string, body?: object): Promise<Reply> => app.api(method, path, body);

  async function server(
    names: readonly string[],
    path = '/api/resource-servers',
  ): Promise<{ path: string; identifier: string }> {
    const identifier = path.includes('companies') ? `api://a/${unique()}` : `https://${unique()}.example`;
    const reply = await api('POST', path, { identifier, name: 'S', permissions: names.map((name) => ({ name })) });
    assert.equal(reply.status, 201, reply.text);
    return { path: String(reply.headers.get('location')), identifier };
  }
  async function account(body: object = {}, path = ACCOUNTS): Promise<string> {
    const reply = await api('POST', path, { name: 'A', slug: unique(), ...body });
    assert.equal(reply.status, 201, reply.text);
    return `${path}/${reply.json.clientId}`;
  }
  function assertAnswered(replies: readonly Reply[]): void {
    for (const { status, text } of replies) assert.ok(status < 500, text);
  }

  test('grant a permission to no account after its declaration is deleted', async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const name = unique();
      const { path } = await server([name, 'stays']);
      const accounts = await Promise.all([1, 2, 3, 4].map(() => account()));
      const replies = await Promise.all([
        ...accounts.slice(0, 2).map((one) => api('PUT', `${one}/permissions/${name}`)),
        api('PATCH', `${path}?cascade=true`, { permissions: [{ name: 'stays' }] }),
        ...accounts.slice(2).map((one) => api('PUT', `${one}/permissions/${name}`)),
      ]);
      assertAnswered(replies);
      const { rows } = await app.knex.raw<{ rows: unknown[] }>(
        `select from grants where name = ? and resource_server <> 'default'`,
        [name],
      );
      assert.equal(rows.length, 0);
    }
  });

  test('let an account that joins four groups at once be in at most 100 groups', async () => {
    const accounts = '/api/companies/a/service-accounts';
    const groups = '/api/companies/a/groups';
    const join = async (): Promise<string> => {
      const { json } = await api('POST', groups, { groupId: unique(), name: 'G' });
      return json.groupId;
    };
    const there = await Promise.all(Array.from({ length: 98 }, join));
    for (let round = 0; round < ROUNDS; round += 1) {
      const path = await account({ groups: there }, accounts);
      const id = path.slice(accounts.length + 1);
      const more = await Promise.all([join(), join(), join(), join()]);
      const replies = await Promise.all(more.map((groupId) => api('PUT', `${groups}/${groupId}/members/${id}`)));
      assert.deepEqual(replies.map(({ status }) => status).toSorted(), [204, 204, 422, 422]);
      assert.equal((await api('GET', path)).json.groups.length, 100);
    }
  });

  test('do not bring a permission back into a role that is renamed while its declaration is deleted', async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const [name, roleId] = [unique(), unique()];
      const { path } = await server([name, 'kept']);
      await api('POST', '/api/roles', { roleId, name: 'R', permissions: [name] });
      const withdraw = round % 2 === 0 ? 'PATCH' : 'DELETE';
      const replies = await Promise.all([
        api('PATCH', `/api/roles/${roleId}`, { name: 'Renamed' }),
        api(withdraw, `${path}?cascade=true`, withdraw === 'PATCH' ? { permissions: [{ name: 'kept' }] } : undefined),
        api('PATCH', `/api/roles/${roleId}`, { name: 'Renamed again' }),
      ]);
      assertAnswered(replies);
      assert.deepEqual((await api('GET', `/api/roles/${roleId}`)).json.permissions, []);
    }
  });

  test('leave a deleted resource server as the audience of no account', async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const name = unique();
      const { path, identifier } = await server([name]);
      const accounts = await Promise.all([1, 2, 3].map(() => account()));
      const replies = await Promise.all([
        ...accounts.map((one) => api('PATCH', one, { audience: identifier })),
        api('DELETE', `${path}?cascade=true`),
        ...accounts.map((one) => api('PUT', `${one}/permissions/${name}`)),
      ]);
      assertAnswered(replies);
      for (const one of accounts) assert.notEqual((await api('GET', one)).json.audience, identifier);
    }
  });

  test('add a member that joins a group while the group adds it, without a failure', async () => {
    const accounts = '/api/companies/a/service-accounts';
    for (let round = 0; round < ROUNDS; round += 1) {
      const groupId = unique();
      await api('POST', '/api/companies/a/groups', { groupId, name: 'G' });
      const all = await Promise.all([1, 2, 3].map(() => account({}, accounts)));
      const ids = all.map((path) => path.slice(path.lastIndexOf('/') + 1));
      const replies = await Promise.all([
        ...all.map((path) => api('PATCH', path, { groups: [groupId] })),
        ...ids.map((id) => api('PUT', `/api/companies/a/groups/${groupId}/members/${id}`)),
        api('POST', `/api/companies/a/groups/${groupId}/members`, { members: ids }),
      ]);
      assertAnswered(replies);
      assert.deepEqual((await api('GET', `/api/companies/a/groups/${groupId}`)).json.members, ids.toSorted());
    }
  });

  test('do not keep a company from being deleted with everything in it', async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const company = `c-${unique()}`;
      await makeCompany(app, company);
      const base = `/api/companies/${company}`;
      const one = await account({}, `${base}/service-accounts`);
      const id = one.slice(one.lastIndexOf('/') + 1);
      await api('POST', `${base}/groups`, { groupId: 'g', name: 'G' });
      await api('POST', `${base}/roles`, { roleId: 'r', name: 'R' });
      const replies = await Promise.all([
        api('PUT', `${base}/groups/g/members/${id}`),
        api('PATCH', one, { groups: ['g'], roles: ['r'] }),
        api('DELETE', `${base}?cascade=true`),
        api('PATCH', `${base}/roles/r`, { permissions: ['p'] }),
        api('POST', `${base}/groups`, { name: 'Late', members: [id] }),
      ]);
      assertAnswered(replies);
      assert.equal((await api('GET', base)).status, 404);
    }
  });
});
