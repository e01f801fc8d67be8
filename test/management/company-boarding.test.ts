import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Reply } from '../support/api-contract.ts';
import { assertion, clientKey, tokenByAssertion } from '../support/assertions.ts';
import { apiToken, assertRefused, makeCaller } from '../support/companies.ts';
import { onEachDatabase } from '../support/databases.ts';
import { eventually } from '../support/eventually.ts';
import { useTestApp } from '../support/test-app.ts';

onEachDatabase('the creation of a company with its first account', (kind) => {
  const app = useTestApp(kind);

  test('makes the company usable after one call, and shows the secret of the account once', async () => {
    const made = await app.api('POST', '/api/companies', { companyId: 'one-call', name: 'One call', owner: {} });
    assert.equal(made.status, 201, made.text);
    assert.equal(made.headers.get('location'), '/api/companies/one-call');
    const { owner, ...company } = made.json;
    assert.deepEqual((await app.api('GET', '/api/companies/one-call')).json, company);
    assert.deepEqual([owner.name, owner.slug, owner.company], ['Owner', 'owner', 'one-call']);
    assert.deepEqual(owner.roles, ['company-owner']);
    assert.equal(owner.clientSecret, owner.credentials[0].clientSecret);

    const bearer = await apiToken(app, owner);
    const path = '/api/companies/one-call/service-accounts';
    assert.equal((await app.api('POST', path, { name: 'Second' }, bearer)).status, 201);
    const read = await app.api('GET', `${path}/owner`);
    assert.equal(read.text.includes(owner.clientSecret), false);
    const { json: events } = await app.api('GET', '/api/companies/one-call/audit-events?limit=3');
    // The two events of one call have the same time, and no defined order.
    const actions = events.map(({ action }: { action: string }) => action).toSorted();
    assert.deepEqual(actions, ['company.created', 'service_account.created', 'service_account.created']);
  });

  test('takes a name and credentials for the account, as a registration does', async () => {
    const key = clientKey('ES256');
    const owner = { name: 'Pipeline', credentials: [{ type: 'public_key', publicKey: key.jwk }] };
    const { json } = await app.api('POST', '/api/companies', { companyId: 'by-key', name: 'By key', owner });
    const { clientId, slug, clientSecret, credentials } = json.owner;
    assert.deepEqual([slug, clientSecret, credentials.length], ['pipeline', undefined, 1]);
    assert.equal((await tokenByAssertion(app, assertion(key, clientId, app.issuer))).status, 200);
    const none = { companyId: 'later', name: 'Later', owner: { credentials: [] } };
    assert.deepEqual((await app.api('POST', '/api/companies', none)).json.owner.credentials, []);
  });

  test('creates both the company and the account, or neither', async () => {
    const owner = { credentials: [{ type: 'client_secret' }, { type: 'public_key', publicKey: 'no key' }] };
    const wrong = await app.api('POST', '/api/companies', { companyId: 'half', name: 'Half', owner });
    assertRefused(app, wrong, 422, 'invalid_body');
    assert.equal(wrong.json.errors[0].pointer, '/owner/credentials/1/publicKey');
    const full = { companyId: 'half', name: 'Half', limits: { serviceAccounts: 0 }, owner: {} };
    assertRefused(app, await app.api('POST', '/api/companies', full), 422, 'limit_reached');
    const forbidden = { companyId: 'half', name: 'Half', secretMaxAge: 0, owner: {} };
    assertRefused(app, await app.api('POST', '/api/companies', forbidden), 422, 'invalid_body');
    assertRefused(app, await app.api('GET', '/api/companies/half'), 404, 'not_found');
    assert.equal((await app.api('POST', '/api/companies', { companyId: 'half', name: 'Half' })).status, 201);
  });

  test('requires the permissions to manage accounts and to grant the role, besides writ.companies.manage', async () => {
    const body = (companyId: string): object => ({ companyId, name: companyId, owner: {} });
    const manager = await makeCaller(app, '/api/service-accounts', ['writ.companies.manage']);
    const refused = await app.api('POST', '/api/companies', body('managed'), manager.bearer);
    assertRefused(app, refused, 403, 'insufficient_scope');
    assert.equal(refused.json.required, 'writ.serviceaccounts.manage');
    const more = ['writ.companies.manage', 'writ.serviceaccounts.manage', 'writ.roles.bind'];
    const binder = await makeCaller(app, '/api/service-accounts', more);
    assertRefused(app, await app.api('POST', '/api/companies', body('managed'), binder.bearer), 403, 'forbidden');
    assertRefused(app, await app.api('GET', '/api/companies/managed'), 404, 'not_found');
    const granter = await makeCaller(app, '/api/service-accounts', [...more, 'writ.permissions.grant']);
    assert.equal((await app.api('POST', '/api/companies', body('managed'), granter.bearer)).status, 201);
  });
});

onEachDatabase('the deletion of a company', (kind) => {
  const app = useTestApp(kind);

  test('has a dry run, which counts what would be deleted and what is in use, and deletes nothing', async () => {
    const path = '/api/companies/leaving';
    await app.api('POST', '/api/companies', { companyId: 'leaving', name: 'Leaving' });
    const { json: idle } = await app.api('POST', `${path}/service-accounts`, { name: 'Idle' });
    const credentials = [{ type: 'client_secret' }, { type: 'client_secret' }];
    const { json: busy } = await app.api('POST', `${path}/service-accounts`, { name: 'Busy', credentials });
    await app.api('POST', `${path}/groups`, { name: 'G' });
    await app.api('POST', `${path}/roles`, { name: 'R', permissions: [] });
    const attempt = (query: string, headers?: Record<string, string>): Promise<Reply> =>
      app.api('DELETE', `${path}${query}`, undefined, undefined, headers);
    const counts = { serviceAccounts: 2, credentials: 3, groups: 1, roles: 1, resourceServers: 0 };
    const unused = await attempt('?cascade=true&dryRun=true');
    assert.equal(unused.status, 200, unused.text);
    assert.deepEqual(unused.json, { ...counts, usedInTheLastDay: 0, lastUsed: [] });

    for (const account of [idle, busy]) assert.equal((await app.token(account)).status, 200);
    // A use is recorded a moment later.
    const removal = async (): Promise<Reply['json']> => (await attempt('?cascade=true&dryRun=true')).json;
    await eventually(10_000, async () => (await removal()).usedInTheLastDay === 2);
    const yesterday = new Date(Date.now() - 86_401_000);
    await app.knex('last_uses').where({ client_id: idle.clientId }).update({ used_at: yesterday });
    const json = await removal();
    assert.deepEqual([json.serviceAccounts, json.usedInTheLastDay, json.lastUsed.length], [2, 1, 1]);
    const [{ lastUsedAt, ...used }] = json.lastUsed;
    assert.deepEqual(used, { clientId: busy.clientId, slug: 'busy', name: 'Busy' });
    assert.equal(lastUsedAt, (await app.api('GET', `${path}/service-accounts/busy`)).json.lastUsedAt);

    assertRefused(app, await attempt('?dryRun=true'), 409, 'not_empty');
    assertRefused(app, await attempt('?cascade=true&dryRun=true', { 'If-Match': '"7"' }), 412, 'precondition_failed');
    assertRefused(app, await app.api('DELETE', '/api/companies/none?dryRun=true'), 404, 'not_found');
    const admin = await makeCaller(app, `${path}/service-accounts`, ['writ.serviceaccounts.manage']);
    const own = await app.api('DELETE', `${path}?cascade=true&dryRun=true`, undefined, admin.bearer);
    assertRefused(app, own, 403, 'insufficient_scope');
    assert.equal((await app.api('GET', path)).status, 200);
    assert.equal((await app.token(busy)).status, 200);
    assert.equal((await attempt('?cascade=true&dryRun=false')).status, 204);
    assertRefused(app, await app.api('GET', path), 404, 'not_found');
  });
});
