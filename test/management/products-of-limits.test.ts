import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import pg from 'pg';
import type { Reply } from '../support/api-contract.ts';
import { type ApiCaller, apiToken, assertRefused, makeCaller, makeCompany } from '../support/companies.ts';
import { embeddedAndNewest, onEachDatabase, postgres18 } from '../support/databases.ts';
import { eventually } from '../support/eventually.ts';
import { useTestApp } from '../support/test-app.ts';

const IN_A = '/api/companies/a';
const ACCOUNTS = `${IN_A}/service-accounts`;
const NAMES = Array.from({ length: 1000 }, (_, index) => `big:${index}`);

onEachDatabase(
  'the product of two limits',
  (kind) => {
    const app = useTestApp(kind);
    let owner: ApiCaller;
    const post = (path: string, body: object): Promise<Reply> => app.api('POST', path, body, owner.bearer);
    before(async () => {
      await makeCompany(app, 'a');
      const { json } = await app.api('POST', ACCOUNTS, { name: 'Owner', roles: ['company-owner'] });
      owner = { ...json, bearer: await apiToken(app, json) };
      const identifier = 'api://a/big';
      const permissions = NAMES.map((name) => ({ name }));
      assert.equal((await post(`${IN_A}/resource-servers`, { identifier, name: 'Big', permissions })).status, 201);
      assert.equal((await post(`${IN_A}/roles`, { roleId: 'big', name: 'Big', permissions: NAMES })).status, 201);
    });

    /** The SQL statements that the server sent during an action. */
    async function sentBy(act: () => Promise<unknown>): Promise<readonly string[]> {
      const before = app.statements().length;
      await act();
      return app.statements().slice(before);
    }

    test('G-24 a role of 1000 permissions at 1000 places is refused by its numbers, before its rows are read', async () => {
      const roles = Array.from({ length: 1000 }, (_, index) => `big@p${index}`);
      const { json: account } = await post(ACCOUNTS, { name: 'Small' });
      const { json: group } = await post(`${IN_A}/groups`, { name: 'Small' });
      for (const [method, path, body] of [
        ['POST', ACCOUNTS, { name: 'Large', roles }],
        ['PATCH', `${ACCOUNTS}/${account.clientId}`, { roles }],
        ['POST', `${IN_A}/groups`, { name: 'Large', roles }],
        ['PATCH', `${IN_A}/groups/${group.groupId}`, { roles }],
      ] as const) {
        const statements = await sentBy(async () => {
          const refused = await app.api(method, path, body, owner.bearer);
          assertRefused(app, refused, 422, 'limit_reached', `${method} ${path}`);
          assert.match(refused.json.detail, /at most 10000 permissions.* here 1000000$/);
        });
        assert.ok(statements.length > 0);
        assert.deepEqual(
          statements.filter((sql) => /from "roles".*for key share/s.test(sql)),
          [],
        );
      }
      // The refusal is the same for a caller that may grant none of the permissions.
      const { json } = await app.api('POST', ACCOUNTS, {
        name: 'Registrar',
        permissions: ['writ.serviceaccounts.manage', 'writ.roles.bind'],
      });
      const registrar = await apiToken(app, json);
      const refused = await app.api('POST', ACCOUNTS, { name: 'Large', roles }, registrar);
      assertRefused(app, refused, 422, 'limit_reached');
    });

    test('G-24 a group gives no member more permissions than an account may have', async () => {
      const many = Array.from({ length: 11 }, (_, index) => `big@p${index}`);
      const grown = await post(`${IN_A}/groups`, { name: 'Group', roles: many.slice(1) });
      assert.equal(grown.status, 201, grown.text);
      const path = `${IN_A}/groups/${grown.json.groupId}`;
      const add = (role: string): Promise<Reply> => app.api('PUT', `${path}/roles/${role}`, undefined, owner.bearer);
      assertRefused(app, await add('big'), 422, 'limit_reached');
      // The members count with the permissions that they have beside the group.
      const { json: member } = await post(ACCOUNTS, {
        name: 'Member',
        permissions: ['own'],
        groups: [grown.json.groupId],
      });
      assert.equal(member.error, undefined);
      const joining = await post(ACCOUNTS, { name: 'Joining', roles: ['big'], audience: `${app.issuer}/api` });
      assert.equal(joining.status, 201, joining.text);
      assertRefused(
        app,
        await app.api('PATCH', path, { members: [joining.json.clientId] }, owner.bearer),
        422,
        'limit_reached',
      );
      const other = await post(`${IN_A}/groups`, { name: 'Other', members: [joining.json.clientId] });
      const fills = await app.api(
        'PATCH',
        `${IN_A}/groups/${other.json.groupId}`,
        { roles: many.slice(1) },
        owner.bearer,
      );
      assertRefused(app, fills, 422, 'limit_reached');
    });

    test('G-24 a role does not grow if an account with the role would have too many permissions', async () => {
      const small = await post(`${IN_A}/roles`, { roleId: 'small', name: 'Small', permissions: ['big:1'] });
      assert.equal(small.status, 201);
      const places = Array.from({ length: 20 }, (_, index) => `small@p${index}`);
      const { json: direct } = await post(ACCOUNTS, { name: 'Direct', roles: places });
      const grow = (count: number): Promise<Reply> =>
        app.api('PATCH', `${IN_A}/roles/small`, { permissions: NAMES.slice(0, count) }, owner.bearer);
      assertRefused(app, await grow(501), 422, 'limit_reached');
      assert.equal((await grow(500)).status, 200);
      await app.api('DELETE', `${ACCOUNTS}/${direct.clientId}`, undefined, owner.bearer);
      assert.equal((await grow(1)).status, 200);
      const { json: member } = await post(ACCOUNTS, { name: 'In a group' });
      await post(`${IN_A}/groups`, { name: 'Of the role', roles: places, members: [member.clientId] });
      assertRefused(app, await grow(501), 422, 'limit_reached');
      assert.equal((await grow(500)).status, 200);
    });

    test('G-24 a root account, which has no company, gets no more permissions by one write after the other', async () => {
      const permissions = NAMES.map((name) => `wide-${name}`);
      const role = await app.api('POST', '/api/roles', { roleId: 'wide', name: 'Wide', permissions });
      assert.equal(role.status, 201, role.text);
      const roles = Array.from({ length: 10 }, (_, index) => `wide@p${index}`);
      const full = await app.api('POST', '/api/service-accounts', {
        name: 'Full',
        roles,
        audience: `${app.issuer}/api`,
      });
      assert.equal(full.status, 201, full.text);
      const path = `/api/service-accounts/${full.json.clientId}`;
      const more = await app.api('PUT', `${path}/permissions/more`);
      assertRefused(app, more, 422, 'limit_reached');
      assert.match(more.json.detail, /^An account has at most 10000 permissions.* here 10001$/);
      assert.equal(more.json.limit, undefined);
    });

    test('G-24 a page of companies ends early when they have many grantable permissions, and the list continues', async () => {
      const ids = Array.from({ length: 22 }, (_, index) => `much-${index}`);
      for (const companyId of ids) await makeCompany(app, companyId);
      await app.knex.raw(
        `insert into grantable (company_id, resource_server, permission, qualified)
         select company_id, 'default', 'g:' || number, false from companies, generate_series(1, 1000) as number
         where company_id like 'much-%'`,
      );
      const pages: number[] = [];
      for (let next: string | undefined = '/api/companies?search=much-'; next !== undefined;) {
        const { json, headers }: Reply = await app.api('GET', next);
        pages.push(json.length);
        next = /<([^>]+)>/.exec(headers.get('link') ?? '')?.[1];
      }
      assert.deepEqual(pages, [20, 2]);
    });

    test('G-24 a page of credentials ends early when they name many permissions, and the list continues', async () => {
      const { json: account } = await post(ACCOUNTS, { name: 'Restricted', credentials: [] });
      const names = JSON.stringify(Array.from({ length: 1000 }, (_, number) => `p:${number}`));
      await app.knex.raw(
        `insert into credentials
           (credential_id, client_id, company_id, type, secret_hash, hint, data, permissions, created_at)
         select 'cred_many' || n, ?, 'a', 'client_secret', sha256(n::text::bytea), 'x', '{}', ?::jsonb, date_trunc('second', now())
         from generate_series(1, 50) as n`,
        [account.clientId, names],
      );
      const pages: number[] = [];
      for (let next: string | undefined = `${IN_A}/credentials?clientId=${account.clientId}`; next !== undefined;) {
        const { json, headers }: Reply = await app.api('GET', next, undefined, owner.bearer);
        pages.push(json.length);
        next = /<([^>]+)>/.exec(headers.get('link') ?? '')?.[1];
      }
      assert.deepEqual(pages, [20, 20, 10]);
    });

    test('G-24 an account that already has more permissions is read only up to the limit', async () => {
      const { json: account } = await post(ACCOUNTS, { name: 'Grown', roles: ['big'], audience: `${app.issuer}/api` });
      // A release without the limit may have left such rows.
      await app.knex.raw(
        `insert into roles (role_key, company_id, role_id, name, created_at, updated_at, revision)
         select 'role_old' || n, 'a', 'old' || n, 'Old', date_trunc('second', now()), now(), 1 from generate_series(1, 60) n`,
      );
      await app.knex.raw(
        `insert into role_permissions (role_key, permission, resource_server, qualified)
         select 'role_old' || n, permission, resource_server, false from role_permissions, generate_series(1, 60) n
         where role_key = (select role_key from roles where role_id = 'big')`,
      );
      await app.knex.raw(
        `insert into grants (grant_id, client_id, company_id, kind, name, role_key, place, qualified)
         select 'grant_old' || n, ?, 'a', 'role', 'old' || n, 'role_old' || n, '', false from generate_series(1, 60) n`,
        [account.clientId],
      );
      const path = `${ACCOUNTS}/${account.clientId}`;
      const { json } = await app.api('GET', `${path}/effective-permissions`, undefined, owner.bearer);
      assert.ok(json.permissions.length <= 10_000);
      const { rows } = await app.knex.raw(`select length(rights_of_account(?, 'a', 'default')::text) as bytes`, [
        account.clientId,
      ]);
      assert.ok(rows[0].bytes < 1_500_000, `${rows[0].bytes} bytes`);
    });

    test('G-24 a page of a list ends early when its items have many permissions, and the list continues', async () => {
      // The test before this one has added sixty roles with a thousand permissions each.
      for (const [path, id, most] of [
        [`${IN_A}/roles`, 'roleId', 21],
        [`${IN_A}/resource-servers`, 'identifier', 1000],
        [ACCOUNTS, 'clientId', 1000],
        [`${IN_A}/groups`, 'groupId', 1000],
      ] as const) {
        const seen: string[] = [];
        let next: string | undefined = path;
        let pages = 0;
        while (next !== undefined) {
          const { status, json, headers }: Reply = await app.api('GET', next, undefined, owner.bearer);
          assert.equal(status, 200);
          assert.ok(json.length > 0 && json.length <= most, `${json.length} of ${path}`);
          seen.push(...json.map((item: Record<string, string>) => item[id]));
          const link: string | undefined = /<([^>]+)>/.exec(headers.get('link') ?? '')?.[1];
          next = link === undefined ? undefined : new URL(link, `${app.url}${path}`).href.slice(app.url.length);
          pages += 1;
        }
        assert.equal(new Set(seen).size, seen.length);
        if (id === 'roleId') {
          assert.ok(pages >= 3, `${pages} pages`);
          assert.equal(seen.filter((roleId) => roleId.startsWith('old')).length, 60);
        }
      }
    });
  },
  embeddedAndNewest,
);

describe('a company that asks for much at once', () => {
  const app = useTestApp(postgres18);

  test('gets 429 for the requests beyond its line, and another company does not wait', async () => {
    const callers: ApiCaller[] = [];
    for (const company of ['a', 'b']) {
      await makeCompany(app, company);
      callers.push(await makeCaller(app, `/api/companies/${company}/service-accounts`, ['writ.serviceaccounts.view']));
    }
    const [one, other] = callers;
    // Every reader of groups waits until this transaction ends.
    const lock = new pg.Client(app.knex.client.connectionSettings.connectionString);
    await lock.connect();
    await lock.query('begin; lock table groups in access exclusive mode');
    const crowd = Array.from({ length: 300 }, () => app.api('GET', `${IN_A}/groups`, undefined, one?.bearer));
    const refused = (): number => app.log().filter(({ reason }) => reason === 'too_many_requests').length;
    await eventually(20_000, () => refused() === 300 - 256 - 4);
    assert.equal((await app.api('GET', '/api/companies/b/service-accounts', undefined, other?.bearer)).status, 200);
    await lock.query('commit');
    await lock.end();
    const replies = await Promise.all(crowd);
    const late = replies.filter(({ status }) => status !== 200);
    assert.equal(late.length, 40);
    for (const reply of late) {
      assertRefused(app, reply, 429, 'too_many_requests');
      assert.equal(reply.headers.get('retry-after'), '1');
    }
  });
});
