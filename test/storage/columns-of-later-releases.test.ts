import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Reply } from '../support/api-contract.ts';
import { exchange } from '../support/accounts.ts';
import { assertion, clientKey, tokenByAssertion } from '../support/assertions.ts';
import { apiToken } from '../support/companies.ts';
import { embeddedAndNewest, onEachDatabase } from '../support/databases.ts';
import { eventually } from '../support/eventually.ts';
import type { TestApp } from '../support/test-app.ts';
import { useTestApp } from '../support/test-app.ts';

/** Makes calls of every kind, in a company and for root. @returns the parts of the answers that all runs share */
async function tour(app: TestApp, run: string): Promise<string[]> {
  const answers: string[] = [];
  const noted = (what: string, { status, json, text }: Reply): Reply['json'] => {
    const shape = new Set([json ?? []].flat().flatMap((one: object) => Object.keys(one)));
    answers.push(`${what}: ${status} ${[...shape].toSorted().join(' ')}`);
    assert.ok(status < 300 || what.startsWith('refused'), `${what}: ${status} ${text}`);
    return json;
  };
  const call = async (method: string, path: string, body?: unknown, bearer?: string): Promise<Reply['json']> =>
    noted(
      `${method} ${path.replaceAll(/(?:sa|cred|rs)_\w+/g, '…').replaceAll(run, '')}`,
      await app.api(method, path, body, bearer),
    );

  const company = `tour-${run}`;
  await call('POST', '/api/companies', {
    companyId: company,
    name: 'Tour',
    secretMaxAge: 'P90D',
    limits: { roles: 9 },
  });
  await call('PATCH', `/api/companies/${company}`, {
    keyMaxAge: 'P90D',
    grantable: ['a', { resource: 'api://default' }],
  });
  await call('GET', '/api/companies');
  for (const collection of ['/api', `/api/companies/${company}`]) {
    const inCompany = collection !== '/api';
    const key = clientKey('ES256');
    const role = `role-${run}${inCompany ? '-c' : ''}`;
    const identifier = inCompany ? `api://${company}/orders` : `https://orders.example/${run}`;
    const accounts = `${collection}/service-accounts`;
    await call('POST', `${collection}/roles`, { roleId: role, name: 'Role', permissions: ['a'] });
    await call('PATCH', `${collection}/roles/${role}`, { permissions: ['a', 'b'] });
    const asker = await call('POST', accounts, { name: `Asker ${run}` });
    const server = await call('POST', `${collection}/resource-servers`, {
      identifier,
      name: 'Orders',
      permissions: [{ name: `see.${run}.${inCompany}` }],
      introspectedBy: [asker.clientId],
      signingAlg: 'ES256',
    });
    await call('PATCH', `${collection}/resource-servers/${server.resourceServerId}`, { tokenTtl: 300 });
    const made = await call('POST', accounts, {
      name: `Account ${run}`,
      permissions: ['a@shop', `see.${run}.${inCompany}`, { permission: 'c', resource: 'api://default' }],
      audience: 'api://default',
      roles: [role, `${role}@shop/prod`],
      metadata: { team: 'tour' },
      credentials: [
        { type: 'client_secret', name: 'secret', expiresIn: 'P10D', extend: true },
        { type: 'public_key', name: 'key', publicKey: key.jwk, assertionMaxTtl: 120 },
        { type: 'api_key', name: 'tool', audience: identifier },
      ],
    });
    const one = `${accounts}/${made.clientId}`;
    const client = { clientId: made.clientId, clientSecret: made.clientSecret };
    await call('GET', one);
    await call('GET', `${accounts}?search=account`);
    await call('GET', `${one}/effective-permissions?resource=api://default`);
    await call('PATCH', one, { permissions: ['a', 'd@shop'], metadata: { team: null, more: 1 }, tokenTtl: 'PT5M' });
    for (const method of ['PUT', 'DELETE']) {
      await call(method, `${one}/permissions/e`);
      await call(method, `${one}/roles/${role}`);
    }
    await call('PUT', `${one}/permissions/see.${run}.${inCompany}`);
    if (inCompany) {
      const groups = `${collection}/groups`;
      await call('POST', groups, { groupId: 'team', name: 'Team', roles: [role], members: [made.clientId] });
      await call('PATCH', `${groups}/team`, { permissions: ['a', 'g'], members: [made.clientId, asker.clientId] });
      await call('DELETE', `${groups}/team/members`, { memberIds: [asker.clientId] });
      await call('POST', `${groups}/team/members`, { members: [asker.clientId] });
      await call('DELETE', `${groups}/team/members/${asker.clientId}`);
      await call('PUT', `${groups}/team/members/${asker.clientId}`);
      await call('PUT', `${groups}/team/permissions/h`);
      await call('GET', groups);
      await call('GET', `${groups}/team`);
      await call('GET', `${collection}/identities`);
      await call('PATCH', one, { groups: ['team'] });
    }

    const tokens = [
      noted('token by secret', await app.token(client, { resource: 'api://default' })),
      noted('token by key', await tokenByAssertion(app, assertion(key, made.clientId, app.issuer))),
      noted('token for an API key', await exchange(app, made.apiKey)),
    ].map(({ access_token: token }) => String(token));
    for (const token of tokens) {
      assert.equal(noted('introspect', await app.asClient('/oauth/introspect', client, { token })).active, true);
      noted('revoke', await app.asClient('/oauth/revoke', client, { token }));
      assert.equal(noted('introspect', await app.asClient('/oauth/introspect', client, { token })).active, false);
    }
    noted('refused secret', await app.token({ ...client, clientSecret: 'wrong' }));
    await call('POST', `${one}/diagnose-assertion`, { assertion: assertion(key, made.clientId, app.issuer) });

    const credentials = `${one}/credentials`;
    await call('POST', credentials, { type: 'client_secret', name: 'second', permissions: ['a'] });
    await call('POST', credentials, { type: 'public_key', name: 'third', publicKey: clientKey('Ed25519').jwk });
    await call('POST', credentials, { type: 'api_key', name: 'fourth', audience: identifier });
    const all: { credentialId: string; type: string; name: string }[] = await call('GET', credentials);
    // Credentials of one moment come in a random order.
    all.sort((one, other) => one.name.localeCompare(other.name));
    for (const { credentialId, type } of all) {
      await call('PATCH', `${credentials}/${credentialId}`, { description: 'On tour' });
      await call('GET', `${credentials}/${credentialId}`);
      await call('POST', `${credentials}/${credentialId}/rotate`, {
        overlap: 'P1D',
        ...(type === 'public_key' && { publicKey: clientKey('ES256').jwk }),
      });
    }
    await call('DELETE', `${credentials}/${all.at(-1)?.credentialId}`);
    await call('GET', '/api/self', undefined, await apiToken(app, asker));
    await call('POST', '/api/self/rotate', {}, await apiToken(app, asker));

    const activity = async (): Promise<Reply['json']> => (await app.api('GET', `${one}/activity`)).json;
    await eventually(20_000, async () => {
      const { uses, refusals } = await activity();
      return uses.length === 3 && refusals.length === 1;
    });
    await call('GET', `${one}/activity`);
    await call('GET', `${collection}/activity`);
    await call('GET', `${collection}/audit-events`);
    await call('DELETE', one);
    await call('DELETE', `${collection}/resource-servers/${server.resourceServerId}`);
    await call('DELETE', `${collection}/roles/${role}?cascade=true`);
  }
  await call('DELETE', `/api/companies/${company}?cascade=true`);
  return answers;
}

onEachDatabase(
  'a node of this release on a database of a later release',
  (kind) => {
    const app = useTestApp(kind, {}, { activityPause: 50 });

    test('gives the same answers after every table has got a column with a default', async () => {
      const before = await tour(app, 'first');
      const { rows } = await app.knex.raw<{ rows: { name: string }[] }>(
        `select table_name as name from information_schema.tables
         where table_schema = 'public' and table_type = 'BASE TABLE' and table_name not like 'knex%' order by 1`,
      );
      assert.ok(rows.length > 15, String(rows.length));
      for (const { name } of rows) {
        await app.knex.raw('alter table ?? add column added_later integer not null default 7', [name]);
      }
      assert.deepEqual(await tour(app, 'second'), before);
      for (const { name } of rows) {
        assert.deepEqual(await app.knex(name).whereNot('added_later', 7), [], name);
      }
    });
  },
  embeddedAndNewest,
);
