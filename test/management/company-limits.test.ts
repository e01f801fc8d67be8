import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Reply } from '../support/api-contract.ts';
import { clientKey } from '../support/assertions.ts';
import { apiToken, assertRefused, makeCaller, makeCompany } from '../support/companies.ts';
import { onEachDatabase, postgres18, type TestDatabase } from '../support/databases.ts';
import { testClock } from '../support/test-clock.ts';
import { startTestApp, type TestApp, useTestApp } from '../support/test-app.ts';

type Limits = Readonly<Record<string, number | null>>;

/** Asserts that a limit refused a request, and that the answer has its name, its value and the used amount. */
function assertReached(app: TestApp, reply: Reply, name: string, most: number, used: number): void {
  assertRefused(app, reply, 422, 'limit_reached');
  assert.deepEqual(reply.json.limit, { name, most, used });
  assert.match(
    reply.json.detail,
    new RegExp(`at most ${most} .* ${used}\\. A root account .* raise its limit ${name}$`),
  );
}

onEachDatabase('the limits of a company', (kind) => {
  const clock = testClock();
  const app = useTestApp(kind, { WRIT_COMPANY_LIMITS: 'groups=2, roles=1' }, { clock });
  let made = 0;
  async function company(limits: Limits = {}): Promise<string> {
    made += 1;
    const reply = await app.api('POST', '/api/companies', { companyId: `limited-${made}`, name: 'Limited', limits });
    assert.equal(reply.status, 201, reply.text);
    return `/api/companies/limited-${made}`;
  }
  const post = async (path: string, body: object, status = 201): Promise<Reply> => {
    const reply = await app.api('POST', path, body);
    assert.equal(reply.status, status, reply.text);
    return reply;
  };

  test('take precedence over the limits of the server, each by itself', async () => {
    const path = await company({ serviceAccounts: 2 });
    const read = async (): Promise<Limits> => (await app.api('GET', path)).json.limits;
    const none = { credentials: null, groups: null, roles: null, resourceServers: null, permissions: null };
    assert.deepEqual(await read(), { serviceAccounts: 2, ...none });
    await app.api('PATCH', path, { limits: { credentials: 3 } });
    assert.deepEqual(await read(), { serviceAccounts: 2, ...none, credentials: 3 });
    await app.api('PATCH', path, { limits: { serviceAccounts: null } });
    assert.deepEqual(await read(), { serviceAccounts: null, ...none, credentials: 3 });
    const { json: events } = await app.api('GET', '/api/audit-events?action=company.changed&limit=1');
    const { from, to } = events[0].details.limits;
    assert.deepEqual([from, to], [{ serviceAccounts: 2, credentials: 3 }, { credentials: 3 }]);
    for (const name of ['1', '2']) await post(`${path}/groups`, { name });
    assertReached(app, await app.api('POST', `${path}/groups`, { name: '3' }), 'groups', 2, 2);
    await post(`${path}/roles`, { name: '1', permissions: [] });
    assertReached(app, await app.api('POST', `${path}/roles`, { name: '2', permissions: [] }), 'roles', 1, 1);
    await app.api('PATCH', path, { limits: { groups: 3 } });
    await post(`${path}/groups`, { name: '3' });
    assertReached(app, await app.api('POST', `${path}/groups`, { name: '4' }), 'groups', 3, 3);
  });

  test('refuse everything beyond them, and do not hold for root', async () => {
    const path = await company({ serviceAccounts: 1, resourceServers: 1, groups: 0 });
    const { json: only } = await post(`${path}/service-accounts`, { name: 'Only' });
    const second = await app.api('POST', `${path}/service-accounts`, { name: 'Second' });
    assertReached(app, second, 'serviceAccounts', 1, 1);
    const server = (name: string): object => ({
      identifier: `api://${path.split('/')[3]}/${name}`,
      name,
      permissions: [],
    });
    await post(`${path}/resource-servers`, server('one'));
    const more = await app.api('POST', `${path}/resource-servers`, server('two'));
    assertReached(app, more, 'resourceServers', 1, 1);
    assertReached(app, await app.api('POST', `${path}/groups`, { name: 'G' }), 'groups', 0, 0);
    // A deletion makes room.
    assert.equal((await app.api('DELETE', `${path}/service-accounts/${only.clientId}`)).status, 204);
    await post(`${path}/service-accounts`, { name: 'Second' });
    await app.api('PATCH', path, { limits: { serviceAccounts: 0 } });
    assertReached(app, await app.api('POST', `${path}/service-accounts`, { name: 'T' }), 'serviceAccounts', 0, 1);
    for (const name of ['One', 'Two', 'Three']) await post('/api/service-accounts', { name });
  });

  test('count neither expired credentials nor credentials with a successor', async () => {
    const path = await company({ credentials: 3 });
    const credentials = [{ type: 'client_secret', name: 'short', expiresIn: 60 }, { type: 'client_secret' }];
    const { json } = await post(`${path}/service-accounts`, { name: 'Counted', credentials });
    const of = `${path}/service-accounts/${json.clientId}/credentials`;
    const both = { name: 'Two', credentials };
    assertReached(app, await app.api('POST', `${path}/service-accounts`, both), 'credentials', 3, 2);
    const key = { type: 'public_key', publicKey: clientKey('ES256').jwk };
    const { json: third } = await post(of, key);
    const add = (): Promise<Reply> => app.api('POST', of, { type: 'client_secret' });
    assertReached(app, await add(), 'credentials', 3, 3);
    const [short, long] = json.credentials;
    await post(`${of}/${long.credentialId}/rotate`, { overlap: 3600 });
    assertReached(app, await add(), 'credentials', 3, 3);
    // A disabled credential counts: it may be enabled again.
    await app.api('PATCH', `${of}/${third.credentialId}`, { state: 'disabled' });
    assertReached(app, await add(), 'credentials', 3, 3);

    clock.forward(61_000);
    assert.equal((await add()).status, 201);
    const again = { expiresIn: 60 };
    const revived = await app.api('PATCH', `${of}/${short.credentialId}`, again);
    assertReached(app, revived, 'credentials', 3, 3);
    const successor = await app.api('POST', `${of}/${short.credentialId}/rotate`, {});
    assertReached(app, successor, 'credentials', 3, 3);
    assert.equal((await app.api('DELETE', `${of}/${third.credentialId}`)).status, 204);
    assert.equal((await app.api('PATCH', `${of}/${short.credentialId}`, again)).status, 200);
    assert.equal((await app.api('PATCH', `${of}/${short.credentialId}`, again)).status, 200);
  });

  test('count an expired credential with extend for one more day: a late record of a use may still extend it', async () => {
    const path = await company({ credentials: 1 });
    const credentials = [{ type: 'client_secret', expiresIn: 60, extend: true }];
    const { json } = await post(`${path}/service-accounts`, { name: 'Extended', credentials });
    const add = () =>
      app.api('POST', `${path}/service-accounts/${json.clientId}/credentials`, { type: 'client_secret' });
    clock.forward(61_000);
    assertReached(app, await add(), 'credentials', 1, 1);
    await app
      .knex('credentials')
      .where({ client_id: json.clientId })
      .update({ expires_at: new Date(clock().getTime() - 86_400_001) });
    assert.equal((await add()).status, 201);
  });

  test('hold although a node of the release before adds rows and raises no counts', async () => {
    const path = await company({ groups: 2 });
    const companyId = String(path.split('/')[3]);
    await post(`${path}/groups`, { name: '1' });
    await app.knex.raw(`select company_to_count(?, array['groups'], now())`, [companyId]);
    await app.knex('groups').insert({ company_id: companyId, group_id: 'of-before', name: 'Of before' });
    assertReached(app, await app.api('POST', `${path}/groups`, { name: '3' }), 'groups', 2, 2);
  });

  test('use counts that are never too low, and that are corrected when they reach a limit', async () => {
    const path = await company({ serviceAccounts: 8, credentials: 8 });
    const companyId = String(path.split('/')[3]);
    const accounts = `${path}/service-accounts`;
    const counted = async (): Promise<Record<string, number>> => {
      const { rows } = await app.knex.raw(
        `select at_most, (select count(*)::int from service_accounts where company_id = :id) as "serviceAccounts",
           (select count(*)::int from credentials where company_id = :id and state <> 'ending'
             and (expires_at is null or expires_at > :now)) as credentials
         from company_counts where company_id = :id`,
        { id: companyId, now: clock() },
      );
      const [{ at_most: most, serviceAccounts, credentials }] = rows;
      assert.ok(most.serviceAccounts >= serviceAccounts && most.credentials >= credentials, JSON.stringify(rows));
      return most;
    };
    const register = async (): Promise<Reply['json']> =>
      (await post(accounts, { name: 'Counted', slug: `counted-${(made += 1)}` })).json;
    await register();
    assert.deepEqual(await counted(), { serviceAccounts: 1, credentials: 1 });
    const one = await register();
    const of = `${accounts}/${one.clientId}/credentials`;
    const [first] = one.credentials;
    await post(`${of}/${first.credentialId}/rotate`, { overlap: 60 });
    // Both credentials count: the old one may expire before other transactions can see its successor.
    assert.equal((await counted())['credentials'], 3);
    const machine = await register();
    const bearer = await apiToken(app, machine);
    assert.equal((await app.api('POST', '/api/self/rotate', {}, bearer)).status, 201);
    assert.equal((await counted())['credentials'], 5);
    await app.api('DELETE', `${accounts}/${machine.clientId}`);
    const { json: short } = await post(of, { type: 'client_secret', expiresIn: 60 });
    await counted();
    clock.forward(61_000);
    await app.api('PATCH', `${of}/${short.credentialId}`, { expiresIn: 60 });
    await counted();
    await app.api('DELETE', `${accounts}/${one.clientId}`);
    // A deletion lowers no count: it does not have to wait for requests that add.
    assert.equal((await counted())['serviceAccounts'], 3);
    for (let round = 0; round < 12; round += 1) {
      const { clientId } = await register();
      await counted();
      if (round % 2 === 0) await app.api('DELETE', `${accounts}/${clientId}`);
    }
    assert.equal((await counted())['serviceAccounts'], 8);
    const { json: list } = await app.api('GET', accounts);
    assert.equal(list.length, 7);
    await register();
    assertReached(app, await app.api('POST', accounts, { name: 'One too many' }), 'serviceAccounts', 8, 8);
    await counted();
  });

  test('hold for the permissions of one account, whether grants, roles or groups give them', async () => {
    const path = await company({ permissions: 3 });
    const accounts = `${path}/service-accounts`;
    const four = { permissions: ['a', 'b', 'c', 'd'] };
    assertReached(app, await app.api('POST', accounts, { name: 'New', ...four }), 'permissions', 3, 4);
    const { json } = await post(accounts, { name: 'Full', permissions: ['a', 'b'] });
    const own = `${accounts}/${json.clientId}`;
    assertReached(app, await app.api('PATCH', own, four), 'permissions', 3, 4);
    await post(`${path}/roles`, { roleId: 'r', name: 'R', permissions: ['c'] });
    await post(`${path}/groups`, { groupId: 'g', name: 'G', roles: ['r'], members: [json.clientId] });
    const raised = { permissions: ['c', 'd'] };
    assertReached(app, await app.api('PATCH', `${path}/roles/r`, raised), 'permissions', 3, 4);
    assertReached(app, await app.api('PATCH', `${path}/groups/g`, { permissions: ['d'] }), 'permissions', 3, 4);
    const joining = { groupId: 'h', name: 'H', permissions: ['d'], members: [json.clientId] };
    assertReached(app, await app.api('POST', `${path}/groups`, joining), 'permissions', 3, 4);
    assertReached(app, await app.api('PUT', `${own}/permissions/d`), 'permissions', 3, 4);
    assert.equal((await app.api('DELETE', `${own}/permissions/a`)).status, 204);
    assert.equal((await app.api('PUT', `${own}/permissions/d`)).status, 204);
    // A lowered limit takes no permission away.
    await app.api('PATCH', path, { limits: { permissions: 1 } });
    assert.equal((await app.api('PATCH', own, { name: 'Fuller' })).status, 200);
    assert.deepEqual((await app.api('GET', own)).json.permissions, ['b', 'd']);
  });

  test('are changed by root only, within the bounds of the server', async () => {
    await makeCompany(app, 'own');
    const owner = await makeCaller(app, '/api/companies/own/service-accounts', ['writ.serviceaccounts.manage']);
    const refused = await app.api('PATCH', '/api/companies/own', { limits: { groups: 9 } }, owner.bearer);
    assertRefused(app, refused, 403, 'insufficient_scope');
    for (const [limits, status] of [
      [{ groups: -1 }, 422],
      [{ groups: 1e9 }, 422],
      [{ groups: 1.5 }, 400],
      [{ grups: 1 }, 400],
      [[], 400],
    ] as const) {
      const reply = await app.api('PATCH', '/api/companies/own', { limits });
      assertRefused(app, reply, status, 'invalid_body', JSON.stringify(limits));
    }
  });
});

describe('the limits of a company on two nodes', () => {
  let database: TestDatabase;
  const nodes: TestApp[] = [];
  before(async () => {
    database = await postgres18.create();
    for (let count = 0; count < 2; count += 1) nodes.push(await startTestApp(database));
  });
  after(async () => {
    await Promise.all(nodes.map((node) => node.close()));
    await database.drop();
  });

  test('E-12 hold for many requests at once on both nodes', async () => {
    const [node] = nodes;
    assert.ok(node);
    const limits = { serviceAccounts: 7, credentials: 9, groups: 3, roles: 3, resourceServers: 3 };
    await node.api('POST', '/api/companies', { companyId: 'raced', name: 'Raced', limits });
    const at = (index: number): TestApp => nodes[index % 2] ?? node;
    const statuses = async (path: string, body: (index: number) => object): Promise<Record<string, number>> => {
      const replies = await Promise.all(
        Array.from({ length: 24 }, (_, index) => at(index).api('POST', `/api/companies/raced/${path}`, body(index))),
      );
      const counts: Record<string, number> = {};
      for (const { status } of replies) counts[status] = (counts[status] ?? 0) + 1;
      return counts;
    };
    assert.deepEqual(await statuses('service-accounts', (index) => ({ name: `A${index}` })), { 201: 7, 422: 17 });
    assert.deepEqual(await statuses('groups', (index) => ({ name: `G${index}` })), { 201: 3, 422: 21 });
    const role = (index: number): object => ({ name: `R${index}`, permissions: [] });
    assert.deepEqual(await statuses('roles', role), { 201: 3, 422: 21 });
    const server = (index: number): object => ({
      identifier: `api://raced/${index}`,
      name: `${index}`,
      permissions: [],
    });
    assert.deepEqual(await statuses('resource-servers', server), { 201: 3, 422: 21 });
    const { json } = await node.api('GET', '/api/companies/raced/service-accounts?limit=1');
    const credentials = `service-accounts/${json[0].clientId}/credentials`;
    assert.deepEqual(await statuses(credentials, () => ({ type: 'client_secret' })), { 201: 2, 422: 22 });
  });
});
