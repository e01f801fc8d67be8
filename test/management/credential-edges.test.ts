import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import type { Reply } from '../support/api-contract.ts';
import { registerAccount } from '../support/accounts.ts';
import { apiToken, makeCompany } from '../support/companies.ts';
import { ROOT } from '../support/config.ts';
import { postgres18, type TestDatabase } from '../support/databases.ts';
import { statusOf, untilListed } from '../support/status-lists.ts';
import { startTestApp, useTestApp } from '../support/test-app.ts';
import { testClock } from '../support/test-clock.ts';

const ACCOUNTS = '/api/service-accounts';

describe('edge cases of credentials', () => {
  const app = useTestApp(postgres18);
  const rotateOwn = (bearer: string, body?: object): Promise<Reply> =>
    app.api('POST', '/api/self/rotate', body, bearer);

  test('E-12 a credential is either disabled or rotated by its account when both happen at once', async () => {
    for (let round = 0; round < 8; round += 1) {
      const one = await registerAccount(app);
      const bearer = await apiToken(app, one);
      const [disabled, rotated] = await Promise.all([
        app.api('PATCH', one.first, { state: 'disabled' }),
        rotateOwn(bearer),
      ]);
      // Either the credential is disabled and its rotation is refused, or it has a successor and cannot be disabled.
      if (disabled.status === 200) assert.ok([401, 403].includes(rotated.status), rotated.text);
      else assert.deepEqual([disabled.json.code, rotated.status], ['already_rotated', 201]);
    }
  });

  test('E-02 a narrowed token cannot rotate the whole credential', async () => {
    const one = await registerAccount(app, { permissions: ['writ.companies.view', 'writ.serviceaccounts.view'] });
    const narrow = await rotateOwn(await apiToken(app, one, 'writ.companies.view'), { overlap: 0 });
    assert.deepEqual([narrow.status, narrow.json.code], [403, 'forbidden']);
    assert.equal((await app.token(one)).status, 200);
    assert.equal((await rotateOwn(await apiToken(app, one))).status, 201);
  });

  test('the successors of a credential are deleted with it, even if a credential between them is already deleted', async () => {
    const one = await registerAccount(app);
    let current: { clientId: string; clientSecret: string } = one;
    for (let step = 0; step < 4; step += 1) {
      const { status, json } = await rotateOwn(await apiToken(app, current), { overlap: step === 0 ? 3600 : 0 });
      assert.equal(status, 201);
      current = { clientId: one.clientId, clientSecret: json.clientSecret };
    }
    // The credentials that ended on the way are deleted.
    const { json: left } = await app.api('GET', `${one.path}/credentials`);
    assert.equal(left.length, 3);
    const { rows } = await app.knex.raw(
      'select credential_id from status_entries where client_id = ? and revoked_at is null',
      [one.clientId],
    );
    assert.equal(rows.length, 3);
    assert.equal((await app.api('DELETE', one.first)).status, 204);
    assert.equal((await app.token(current)).status, 401);
    assert.deepEqual((await app.api('GET', `${one.path}/credentials`)).json, []);
  });

  test('E-13 an unused credential is not deleted with ifUnusedFor while its successor is in use', async () => {
    const one = await registerAccount(app);
    const { json } = await rotateOwn(await apiToken(app, one));
    await app.token({ clientId: one.clientId, clientSecret: json.clientSecret });
    await app.knex('last_uses').where({ client_id: one.clientId }).delete();
    await app.knex('last_uses').insert({
      client_id: one.clientId,
      credential_id: json.credentialId,
      used_at: new Date(),
      source: '192.0.2.1',
    });
    const refused = await app.api('DELETE', `${one.first}?ifUnusedFor=3600`);
    assert.deepEqual([refused.status, refused.json.code], [409, 'credential_in_use']);
    assert.equal((await app.api('GET', one.first)).status, 200);
  });

  test('the rotation of an API key during the deletion of its resource server is answered with 201 or 404', async () => {
    for (let round = 0; round < 6; round += 1) {
      const identifier = `https://edge.example.com/${round}`;
      const server = await app.api('POST', '/api/resource-servers', { identifier, name: 'Edge' });
      const one = await registerAccount(app, { credentials: [{ type: 'api_key', audience: identifier }] });
      const [rotated, deleted] = await Promise.all([
        app.api('POST', `${one.first}/rotate`),
        app.api('DELETE', `${server.headers.get('location')}?cascade=true`),
      ]);
      assert.ok([201, 404].includes(rotated.status), rotated.text);
      assert.equal(deleted.status, 204);
      const { json } = await app.api(
        'GET',
        `/api/audit-events?action=credential.deleted&requestId=${deleted.json?.requestId ?? deleted.headers.get('x-request-id')}`,
      );
      assert.ok(json.length >= 1);
    }
  });

  test('E-21 a duration in ISO 8601 has the same maximum as a duration in seconds', async () => {
    const one = await registerAccount(app);
    for (const expiresIn of ['PT31536001S', 'P9999W', 'P999999999D', 'PT9007199254740991S']) {
      const { status, json } = await app.api('POST', `${one.path}/credentials`, { type: 'client_secret', expiresIn });
      assert.deepEqual([status, json.errors[0].pointer], [422, '/expiresIn'], expiresIn);
      const rotated = await app.api('POST', `${one.first}/rotate`, { overlap: expiresIn });
      assert.deepEqual([rotated.status, rotated.json.errors[0].pointer], [422, '/overlap'], expiresIn);
    }
    for (const secretMaxAge of ['P9999W', 'PT315360001S']) {
      const { status } = await app.api('POST', '/api/companies', { name: 'Ages', secretMaxAge });
      assert.equal(status, 422, secretMaxAge);
    }
    assert.equal((await app.api('POST', `${one.first}/rotate`, { overlap: 'PT0S' })).status, 201);
  });

  test('E-21 a company does not see the introspectedBy of a resource server of root', async () => {
    await makeCompany(app, 'looking');
    const foreign = await registerAccount(app);
    const body = { identifier: 'https://shared.example.com', name: 'Shared', introspectedBy: [foreign.clientId] };
    const { headers } = await app.api('POST', '/api/resource-servers', body);
    const id = String(headers.get('location')).split('/').at(-1);
    const seen = await app.api('GET', `/api/companies/looking/resource-servers/${id}`);
    assert.deepEqual([seen.status, seen.json.introspectedBy], [200, []]);
    assert.deepEqual((await app.api('GET', `/api/resource-servers/${id}`)).json.introspectedBy, [foreign.clientId]);
  });

  test('a revocation is recorded once with its credential, and the revocation of an API key is refused', async () => {
    const one = await registerAccount(app, {
      credentials: [{ type: 'client_secret' }, { type: 'api_key', audience: 'api://default' }],
    });
    const revoke = (token: string): Promise<Reply> => app.asClient('/oauth/revoke', one, { token });
    const token = String((await app.token(one)).json.access_token);
    for (let time = 0; time < 2; time += 1) assert.equal((await revoke(token)).status, 200);
    const { json } = await app.api('GET', `/api/audit-events?action=token.revoked&actor=${one.clientId}`);
    assert.equal(json.length, 1);
    assert.equal(one.first, `${one.path}/credentials/${json[0].actor.credentialId}`);
    assert.equal(json[0].source, '127.0.0.1');
    const key = await app.api('POST', `${one.path}/credentials`, { type: 'api_key', audience: 'api://default' });
    const refused = await revoke(key.json.clientSecret);
    assert.deepEqual([refused.status, refused.json.error], [400, 'unsupported_token_type']);
  });

  test('an account gets a token after it and its company were enabled at the same moment', async () => {
    for (let round = 0; round < 8; round += 1) {
      await makeCompany(app, `both-${round}`);
      const one = await registerAccount(app, {}, `/api/companies/both-${round}/service-accounts`);
      const company = `/api/companies/both-${round}`;
      await app.api('PATCH', one.path, { state: 'disabled' });
      await app.api('PATCH', company, { state: 'disabled' });
      await Promise.all([
        app.api('PATCH', one.path, { state: 'enabled' }),
        app.api('PATCH', company, { state: 'enabled' }),
      ]);
      const { status, text } = await app.token(one);
      assert.equal(status, 200, text);
    }
  });

  test('a stream of revocations does not keep another revocation out of the status list', async () => {
    const noisy = await registerAccount(app);
    const victim = await registerAccount(app);
    const status = statusOf((await app.token(victim)).json.access_token);
    const quiet = new AbortController();
    const noise = (async () => {
      for (let turn = 0; !quiet.signal.aborted; turn += 1) {
        await app.api('PATCH', noisy.first, { state: turn % 2 === 0 ? 'disabled' : 'enabled' });
      }
    })();
    await setTimeout(300);
    assert.equal((await app.api('PATCH', victim.path, { state: 'disabled' })).status, 200);
    await untilListed(app, status, true, 2000);
    quiet.abort();
    await noise;
  });

  test('a company of 8000 accounts is disabled and enabled within the time limit of a statement', async () => {
    await makeCompany(app, 'large');
    await app.knex.raw(
      `insert into service_accounts (client_id, company_id, slug, name, audience, created_at, created_by, updated_at)
         select 'sa_large_' || n, 'large', 'large-' || n, 'x', 'default', now(), ?, now() from generate_series(1, 8000) n`,
      [ROOT.clientId],
    );
    await app.knex.raw(
      `insert into credentials (credential_id, client_id, company_id, type, secret_hash, hint, created_at)
         select 'cred_' || client_id, client_id, 'large', 'client_secret', sha256(client_id::bytea), 'x', now()
         from service_accounts where company_id = 'large'`,
    );
    await app.knex.raw('analyze');
    for (const state of ['disabled', 'enabled', 'disabled']) {
      // No statement may take five seconds: comparing every account with every other takes half a minute.
      assert.equal((await app.api('PATCH', '/api/companies/large', { state })).status, 200);
    }
  });
});

describe('the last credential of root', () => {
  let database: TestDatabase;
  before(async () => {
    database = await postgres18.create();
  });
  after(() => database.drop());

  test('cannot be deleted while the only other credential is ending, even if a policy has ended both', async () => {
    const clock = testClock();
    const open = await startTestApp(database, {}, { clock });
    const path = `${ACCOUNTS}/${ROOT.clientId}/credentials`;
    const [first] = (await open.api('GET', path)).json;
    const { json } = await open.api('POST', `${path}/${first.credentialId}/rotate`);
    await open.close();
    const app = await startTestApp(database, { WRIT_SECRET_MAX_AGE: '100', WRIT_TOKEN_TTL: '86400' }, { clock });
    const bearer = await apiToken(app, { clientId: ROOT.clientId, clientSecret: json.clientSecret });
    clock.forward(101_000);
    await app.knex('credentials').update({ expires_at: new Date(Date.now() - 1000) });
    const refused = await app.api('DELETE', `${path}/${json.credentialId}`, undefined, bearer);
    assert.deepEqual([refused.status, refused.json.code], [409, 'last_root'], refused.text);
    assert.equal((await app.token({ clientId: ROOT.clientId, clientSecret: json.clientSecret })).status, 200);
    await app.close();
  });
});
