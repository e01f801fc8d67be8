import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import type { Reply } from '../support/api-contract.ts';
import { type ApiCaller, COMPANY_PERMISSIONS, makeCaller, makeCompany } from '../support/companies.ts';
import { ROOT } from '../support/config.ts';
import { newest, onEachDatabase } from '../support/databases.ts';
import { useTestApp } from '../support/test-app.ts';

const IN = '/api/companies/veiled';

onEachDatabase(
  'the id of a root account',
  (kind) => {
    const app = useTestApp(kind);
    let admin: ApiCaller;
    let helper: ApiCaller;
    let goneId = '';
    const as = (method: string, path: string, body?: object): Promise<Reply> =>
      app.api(method, path, body, admin.bearer);

    before(async () => {
      await makeCompany(app, 'veiled');
      await makeCompany(app, 'other');
      admin = await makeCaller(app, `${IN}/service-accounts`, COMPANY_PERMISSIONS);
      helper = await makeCaller(app, '/api/service-accounts', ['writ.serviceaccounts.manage', 'writ.roles.manage']);
      const token = helper.bearer;
      await app.api('POST', `${IN}/service-accounts`, { name: 'By the helper' }, token);
      await app.api('POST', `${IN}/roles`, { roleId: 'by-the-helper', name: 'Role' }, token);
      await app.api('POST', `${IN}/groups`, { name: 'By root' });
      await app.api('POST', '/api/roles', { roleId: 'for-all', name: 'For all' });
      await app.api('POST', `${IN}/resource-servers`, { identifier: 'api://veiled/own', name: 'Own' });
      const shared = { identifier: 'https://shared.example', name: 'Shared' };
      await app.api('POST', '/api/resource-servers', { ...shared, introspectedBy: [helper.clientId, admin.clientId] });
      await as('POST', `${IN}/service-accounts`, { name: 'By the admin' });
      const gone = await makeCaller(app, `${IN}/service-accounts`, ['writ.serviceaccounts.manage']);
      await app.api('POST', `${IN}/service-accounts`, { name: 'By one who is gone' }, gone.bearer);
      await app.api('DELETE', `${IN}/service-accounts/${gone.clientId}`);
      goneId = gone.clientId;
    });

    test('is hidden from an account of a company in every answer', async () => {
      const paths = [
        IN,
        '/api/companies',
        `${IN}/service-accounts`,
        `${IN}/service-accounts/by-the-helper`,
        `${IN}/roles`,
        `${IN}/roles/by-the-helper`,
        `${IN}/roles/for-all`,
        `${IN}/groups`,
        `${IN}/groups/by-root`,
        `${IN}/resource-servers`,
        `${IN}/audit-events`,
        `${IN}/activity`,
        `${IN}/identities`,
        '/api/self',
        `${IN}/service-accounts/${admin.clientId}/effective-permissions`,
      ];
      let roots = 0;
      for (const path of paths) {
        const { status, text, json } = await as('GET', path);
        if (path === '/api/companies' && status === 403) continue;
        assert.equal(status, 200, `${path} ${text}`);
        for (const id of [ROOT.clientId, helper.clientId]) assert.equal(text.includes(id), false, `${path} ${text}`);
        roots += [json].flat().filter(({ createdBy, actor }) => [createdBy, actor?.clientId].includes('root')).length;
      }
      assert.ok(roots > 10, `${roots}`);
      assert.equal((await as('GET', IN)).json.createdBy, 'root');
      assert.equal((await as('PATCH', `${IN}/groups/by-root`, { name: 'Renamed' })).json.createdBy, 'root');
    });

    test('is shown to root, and a company sees the ids of its own accounts, also of deleted ones', async () => {
      assert.equal((await app.api('GET', IN)).json.createdBy, ROOT.clientId);
      const path = `${IN}/service-accounts/by-the-helper`;
      assert.equal((await app.api('GET', path)).json.createdBy, helper.clientId);
      assert.equal((await as('GET', `${IN}/service-accounts/by-the-admin`)).json.createdBy, admin.clientId);
      assert.equal((await as('GET', `${IN}/service-accounts/by-one-who-is-gone`)).json.createdBy, goneId);
    });

    test('is hidden in the audit of a company, together with the credential and the source', async () => {
      const { json: seen } = await as('GET', `${IN}/audit-events`);
      const { json: whole } = await app.api('GET', `${IN}/audit-events`);
      let own = 0;
      for (const [index, { actor, source, ...event }] of seen.entries()) {
        const told = whole[index];
        assert.equal(event.eventId, told.eventId);
        assert.ok(told.actor.credentialId && told.source);
        const byRoot = actor.clientId === 'root';
        if (!byRoot) own += 1;
        assert.deepEqual(
          [actor, source],
          byRoot ? [{ type: 'service_account', clientId: 'root' }, null] : [told.actor, told.source],
        );
      }
      assert.ok(own > 0 && own < seen.length);
    });

    test('finds no audit events for a company', async () => {
      const by = async (actor: string, bearer = admin.bearer): Promise<string[]> => {
        const { json, text, status } = await app.api('GET', `${IN}/audit-events?actor=${actor}`, undefined, bearer);
        assert.equal(status, 200, text);
        return json.map((event: { actor: { clientId: string } }) => event.actor.clientId);
      };
      for (const id of [ROOT.clientId, helper.clientId, 'sa_nobody']) assert.deepEqual(await by(id), []);
      const roots = await by('root');
      assert.ok(roots.length > 5);
      assert.deepEqual(new Set(roots), new Set(['root']));
      assert.deepEqual(new Set(await by(admin.clientId)), new Set([admin.clientId]));
      assert.deepEqual(await by(goneId), [goneId]);
      const root = await app.rootToken();
      assert.ok((await by(helper.clientId, root)).includes(helper.clientId));
    });
  },
  newest,
);
