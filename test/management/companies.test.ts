import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { lastRefusal } from '../support/assertions.ts';
import { apiToken, assertRefused, COMPANY_PERMISSIONS, makeCaller, makeCompany } from '../support/companies.ts';
import { embedded, onEachDatabase } from '../support/databases.ts';
import { useTestApp } from '../support/test-app.ts';

onEachDatabase('companies', (kind) => {
  const app = useTestApp(kind);

  test('are created, read, changed and deleted', async () => {
    const made = await app.api('POST', '/api/companies', { name: 'Acme Ltd' });
    assert.equal(made.status, 201);
    assert.equal(made.headers.get('location'), '/api/companies/acme-ltd');
    assert.equal(made.headers.get('etag'), '"1"');
    const { createdAt, updatedAt, createdBy, ...rest } = made.json;
    assert.deepEqual(rest, {
      companyId: 'acme-ltd',
      name: 'Acme Ltd',
      state: 'enabled',
      secretMaxAge: null,
      keyMaxAge: null,
      grantable: [],
      limits: {
        serviceAccounts: null,
        credentials: null,
        groups: null,
        roles: null,
        resourceServers: null,
        permissions: null,
      },
    });
    assert.equal(createdAt, updatedAt);
    assert.ok(createdBy);
    assert.deepEqual((await app.api('GET', '/api/companies/acme-ltd')).json, made.json);
    const doubled = await app.api('POST', '//api/companies', { companyId: 'doubled', name: 'x' });
    assert.equal(doubled.headers.get('location'), '//api/companies/doubled');

    const changed = await app.api('PATCH', '/api/companies/acme-ltd', { name: 'Acme' });
    assert.equal(changed.status, 200);
    assert.equal(changed.json.name, 'Acme');
    assert.equal(changed.headers.get('etag'), '"2"');

    assert.equal((await app.api('DELETE', '/api/companies/acme-ltd')).status, 204);
    assertRefused(app, await app.api('DELETE', '/api/companies/acme-ltd'), 404, 'not_found');
    assertRefused(app, await app.api('GET', '/api/companies/acme-ltd'), 404, 'not_found');
    assert.deepEqual(
      await app.knex('audit_events').where({ target: 'acme-ltd' }).orderBy('occurred_at').pluck('action'),
      ['company.created', 'company.changed', 'company.deleted'],
    );
  });

  test('E-15 are not created twice, and the id of a deleted company is never used again', async () => {
    await makeCompany(app, 'twice');
    const again = await app.api('POST', '/api/companies', { companyId: 'twice', name: 'Other' });
    assertRefused(app, again, 409, 'already_exists');
    assert.equal(again.headers.get('location'), '/api/companies/twice');
    const { json: account } = await app.api('POST', '/api/companies/twice/service-accounts', { name: 'Gone' });
    assert.equal((await app.api('DELETE', '/api/companies/twice?cascade=true')).status, 204);
    const gone = await app.api('POST', '/api/companies', { companyId: 'twice', name: 'Other' });
    assertRefused(app, gone, 409, 'already_exists');
    assert.equal(gone.headers.get('location'), null);
    assert.deepEqual(
      await app.knex('retired_ids').whereIn('id', ['twice', account.clientId]).orderBy('id').pluck('id'),
      [account.clientId, 'twice'].toSorted(),
    );
  });

  test('with accounts are deleted only by cascade, and then their accounts get no token', async () => {
    await makeCompany(app, 'full');
    const { json: account } = await app.api('POST', '/api/companies/full/service-accounts', { name: 'Worker' });
    assertRefused(app, await app.api('DELETE', '/api/companies/full'), 409, 'not_empty');
    assertRefused(app, await app.api('DELETE', '/api/companies/full?cascade=maybe'), 400, 'invalid_query');
    assert.equal((await app.token(account)).status, 200);
    assert.equal((await app.api('DELETE', '/api/companies/full?cascade=true')).status, 204);
    assert.equal((await app.token(account)).status, 401);
    assert.equal(lastRefusal(app)['reason'], 'account_unknown');
    for (const table of ['service_accounts', 'credentials', 'grants']) {
      assert.deepEqual(await app.knex(table).where({ company_id: 'full' }).select(), [], table);
    }
  });

  test('B-26 that are disabled let none of their accounts get a token or call the API', async () => {
    await makeCompany(app, 'paused');
    const admin = await makeCaller(app, '/api/companies/paused/service-accounts', COMPANY_PERMISSIONS);
    const self = (): ReturnType<typeof app.api> => app.api('GET', '/api/self', undefined, admin.bearer);
    const refusal = (): unknown => app.log().findLast((line) => line['event'] === 'management.refused')?.['reason'];
    assert.equal((await self()).status, 200);
    assert.equal((await app.api('PATCH', '/api/companies/paused', { state: 'disabled' })).status, 200);
    assert.equal((await app.token(admin)).status, 401);
    assert.equal(lastRefusal(app)['reason'], 'account_disabled');
    assert.equal(lastRefusal(app)['clientId'], admin.clientId);
    const refused = await self();
    assert.equal(refused.status, 401);
    assert.equal(refusal(), 'account_disabled');
    // Root may still manage the company.
    assert.equal((await app.api('GET', '/api/companies/paused/service-accounts')).json.length, 1);
    assert.equal((await app.api('PATCH', '/api/companies/paused', { state: 'enabled' })).status, 200);
    assert.equal((await self()).status, 401);
    assert.equal(refusal(), 'credential_revoked');
    assert.equal((await app.api('GET', '/api/self', undefined, await apiToken(app, admin))).status, 200);
  });

  test('are not created again under the same id while they are deleted', async () => {
    for (let round = 0; round < 8; round += 1) {
      const companyId = `reborn-${round}`;
      await makeCompany(app, companyId);
      const [deleted, ...made] = await Promise.all([
        app.api('DELETE', `/api/companies/${companyId}`),
        ...[1, 2, 3, 4].map(() => app.api('POST', '/api/companies', { companyId, name: 'Again' })),
      ]);
      assert.equal(deleted.status, 204);
      assert.ok(made.every(({ status }) => status === 409));
      assert.equal((await app.api('GET', `/api/companies/${companyId}`)).status, 404);
    }
  });

  test('an account with the id of a deleted company can be deleted', async () => {
    await makeCompany(app, 'shared-id');
    await app.api('DELETE', '/api/companies/shared-id');
    const { json } = await app.api('POST', '/api/service-accounts', { name: 'Shared', credentials: [] });
    await app.knex('service_accounts').where({ client_id: json.clientId }).update({ client_id: 'shared-id' });
    assert.equal((await app.api('DELETE', '/api/service-accounts/shared-id')).status, 204);
  });

  test('are deleted with their accounts, each in the audit, while other requests change those accounts', async () => {
    for (let round = 0; round < 4; round += 1) {
      const companyId = `crowded-${round}`;
      const path = `/api/companies/${companyId}/service-accounts`;
      await makeCompany(app, companyId);
      const accounts = await Promise.all(
        Array.from({ length: 6 }, (_, index) => app.api('POST', path, { name: `Account ${index}` })),
      );
      const ids = accounts.map(({ json }): string => json.clientId);
      const [deleted, ...others] = await Promise.all([
        app.api('DELETE', `/api/companies/${companyId}?cascade=true`),
        ...ids.slice(0, 3).map((id) => app.api('DELETE', `${path}/${id}`)),
        ...ids.slice(3).map((id) => app.api('PATCH', `${path}/${id}`, { name: 'Changed' })),
      ]);
      assert.equal(deleted.status, 204);
      for (const { status, text } of others) assert.ok([200, 204, 404].includes(status), text);
      const gone = await app.knex('audit_events').where({ action: 'service_account.deleted', company_id: companyId });
      assert.deepEqual(gone.map(({ target }) => target).toSorted(), ids.toSorted());
    }
  });

  test('are either deleted or get an account when both are requested at once', async () => {
    for (let round = 0; round < 5; round += 1) {
      const companyId = `race-${round}`;
      await makeCompany(app, companyId);
      const [made, deleted] = await Promise.all([
        app.api('POST', `/api/companies/${companyId}/service-accounts`, { name: 'Late' }),
        app.api('DELETE', `/api/companies/${companyId}`),
      ]);
      assert.ok(
        (made.status === 201 && deleted.status === 409) || (made.status === 404 && deleted.status === 204),
        `${made.status} ${deleted.status}`,
      );
    }
  });
});

describe('a company', () => {
  const app = useTestApp(embedded);

  test('is changed with If-Match only when a tag names its current revision', async () => {
    await makeCompany(app, 'seen');
    const change = (name: string, tag: string): ReturnType<typeof app.api> =>
      app.api('PATCH', '/api/companies/seen', { name }, undefined, { 'If-Match': tag });
    assert.equal((await change('seen', '"1"')).headers.get('etag'), '"1"');
    assert.equal((await change('One', '"1"')).status, 200);
    for (const tag of ['"1"', '"3"', 'W/"1"', '"1-gzip"', '"1", "7"', '"x", "7"']) {
      const reply = await change('Lost', tag);
      assertRefused(app, reply, 412, 'precondition_failed', tag);
      assert.match(reply.json.detail, /this is revision 2/, tag);
    }
    for (const tag of [
      '2',
      '',
      ',',
      '"x"',
      '""',
      '"2',
      '"02"',
      '"2-"',
      '"-2"',
      '"2-gzip-x y"',
      '"a,2,b"',
      'W/2',
      '"*"',
    ]) {
      const reply = await change('Lost', tag);
      assertRefused(app, reply, 412, 'precondition_failed', tag);
      assert.match(reply.json.detail, /no tag that this server made.*such as "3"/, tag);
    }
    assert.equal((await change('Two', '"1", "2"')).status, 200);
    assert.equal((await change('Three', '*')).status, 200);
    assert.equal((await app.api('GET', '/api/companies/seen')).headers.get('etag'), '"4"');
    const gone = await app.api('DELETE', '/api/companies/seen', undefined, undefined, { 'If-Match': '"1"' });
    assertRefused(app, gone, 412, 'precondition_failed');
    const two = await Promise.all([change('A', '"4"'), change('B', '"4"')]);
    assert.deepEqual(two.map(({ status }) => status).toSorted(), [200, 412]);
  });

  test('is changed with a tag that a compressing proxy has rewritten', async () => {
    await makeCompany(app, 'packed');
    const tags = [
      (n: number) => `"${n}"`,
      (n: number) => `W/"${n}"`,
      (n: number) => `w/"${n}"`,
      (n: number) => `"${n}-gzip"`,
      (n: number) => `"${n};gzip"`,
      (n: number) => `"${n}--gzip"`,
      (n: number) => `"${n}/gzip"`,
      (n: number) => `"${n}-br"`,
      (n: number) => `W/"${n}-zstd"`,
      (n: number) => `"${n + 7}", W/"${n}" , "x"`,
      (n: number) => ` "x","${n}"`,
      () => ' * ',
    ];
    for (const [index, tag] of tags.entries()) {
      const headers = { 'If-Match': tag(index + 1) };
      const name = `Name ${index}`;
      const reply = await app.api('PATCH', '/api/companies/packed', { name }, undefined, headers);
      assert.deepEqual([reply.status, reply.headers.get('etag')], [200, `"${index + 2}"`], headers['If-Match']);
    }
    const weak = { 'If-Match': `W/"${tags.length + 1}"` };
    assert.equal((await app.api('DELETE', '/api/companies/packed', undefined, undefined, weak)).status, 204);
    // A request that changes nothing ignores the header.
    assert.equal((await app.api('GET', '/api/companies', undefined, undefined, { 'If-Match': 'x' })).status, 200);
  });

  test('has an id that is a DNS label', async () => {
    for (const companyId of ['', 'A', 'a b', 'a_b', '-a', 'a-', 'a'.repeat(64), 'ä', '..', 'a/b']) {
      assertRefused(
        app,
        await app.api('POST', '/api/companies', { companyId, name: 'x' }),
        422,
        'invalid_body',
        companyId,
      );
    }
    for (const companyId of [null, 1, [], {}]) {
      assertRefused(app, await app.api('POST', '/api/companies', { companyId, name: 'x' }), 400, 'invalid_body');
    }
    const unnamed = await app.api('POST', '/api/companies', { name: '会社' });
    assertRefused(app, unnamed, 422, 'invalid_body');
    assert.equal(unnamed.json.errors[0].pointer, '/companyId');
  });

  test('is listed newest first, and found by its state and by the beginning of its id or name', async () => {
    for (const companyId of ['north-one', 'north-two', 'south']) await makeCompany(app, companyId);
    await app.api('PATCH', '/api/companies/north-two', { state: 'disabled', name: 'Zenith' });
    const ids = async (query: string): Promise<string[]> =>
      (await app.api('GET', `/api/companies${query}`)).json.map(({ companyId }: { companyId: string }) => companyId);
    assert.deepEqual((await ids('')).slice(0, 3), ['south', 'north-two', 'north-one']);
    assert.deepEqual(await ids('?search=NORTH'), ['north-two', 'north-one']);
    assert.deepEqual(await ids('?search=zen'), ['north-two']);
    assert.deepEqual(await ids('?search=north&state=enabled'), ['north-one']);
    assert.deepEqual(await ids('?search=%25'), []);
    await app.api('POST', '/api/companies', { companyId: 'eclair', name: 'Éclair' });
    assert.deepEqual(await ids('?search=%C3%89clair'), ['eclair']);
  });
});
