import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import pg from 'pg';
import type { Reply } from '../support/api-contract.ts';
import type { RootCredential } from '../../src/domain/service-accounts/root-account.ts';
import { recoverRootAccount } from '../../src/start/recover-root-account.ts';
import { CHANNEL } from '../../src/storage/change-feed.ts';
import { clientKey } from '../support/assertions.ts';
import { apiToken, makeCompany } from '../support/companies.ts';
import { quietSurroundings, ROOT, testConfig } from '../support/config.ts';
import { postgres18, type TestDatabase } from '../support/databases.ts';
import { eventually } from '../support/eventually.ts';
import { startTestApp, type TestApp } from '../support/test-app.ts';

type Write = (method: string, path: string, body?: object, bearer?: string) => Promise<Reply>;

const COMPANY = '/api/companies/told';
const EVERYONE = { kind: 'everyone' };
const OF_COMPANY = { kind: 'everyone', company: 'told' };
const STATUSES = { kind: 'statuses' };
const of = (clientId: string): object => ({ kind: 'account', clientId });

describe('the announcements of a write', () => {
  let database: TestDatabase;
  let one: TestApp;
  let two: TestApp;
  let listening: pg.Client;
  let heard: unknown[] = [];
  before(async () => {
    database = await postgres18.create();
    one = await startTestApp(database);
    two = await startTestApp(database);
    listening = new pg.Client(database.url);
    await listening.connect();
    listening.on('notification', ({ payload = '' }) => {
      const message = JSON.parse(payload);
      // With a call, a node finds out whether it hears announcements.
      if (message.kind !== 'call') heard.push(message);
    });
    await listening.query(`listen ${CHANNEL}`);
    await makeCompany(one, 'told');
  });
  after(async () => {
    await listening.end();
    await Promise.all([one.close(), two.close()]);
    await database.drop();
  });

  const write: Write = async (method, path, body, bearer) => {
    const reply = await one.api(method, path, body, bearer);
    assert.ok(reply.status < 300, `${method} ${path} ${reply.text}`);
    return reply;
  };

  /** Does some work, and collects its announcements as a set. */
  async function announced(work: () => Promise<unknown>): Promise<Set<string>> {
    await listening.query('select 1');
    heard = [];
    await work();
    // PostgreSQL delivers the notifications of earlier commits before it answers a query.
    await listening.query('select 1');
    return new Set(heard.map((change) => JSON.stringify(change)));
  }

  async function assertAnnounced(work: () => Promise<unknown>, ...changes: readonly object[]): Promise<void> {
    const expected = new Set(changes.map((change) => JSON.stringify(change)));
    assert.deepEqual(await announced(work), expected);
  }

  async function register(name: string, input: object = {}, path = COMPANY): Promise<Reply['json']> {
    return (await write('POST', `${path}/service-accounts`, { name, ...input })).json;
  }

  test('name an account when any part of it changes', async () => {
    for (const [path, name] of [
      [COMPANY, 'One'],
      ['/api', 'Of root'],
    ] as const) {
      const { clientId } = await register(name, {}, path);
      const account = `${path}/service-accounts/${clientId}`;
      const changed = (body: object) => () => write('PATCH', account, body);
      await assertAnnounced(changed({ permissions: ['a'] }), of(clientId));
      await assertAnnounced(changed({ tokenTtl: 60 }), of(clientId));
      await assertAnnounced(changed({ roles: ['reporter'] }), of(clientId));
      await assertAnnounced(() => write('PUT', `${account}/permissions/b`), of(clientId));
      await assertAnnounced(() => write('DELETE', `${account}/permissions/b`), of(clientId));
      await assertAnnounced(() => write('PUT', `${account}/roles/maintainer`), of(clientId));
      await assertAnnounced(() => write('DELETE', `${account}/roles/maintainer`), of(clientId));
      await assertAnnounced(changed({ state: 'disabled' }), of(clientId), STATUSES);
      await assertAnnounced(changed({ state: 'enabled' }), of(clientId), STATUSES);
      await assertAnnounced(() => write('DELETE', account), of(clientId), STATUSES);
    }
  });

  test('name an account when one of its credentials changes', async () => {
    const account = await register('Credentials', { permissions: ['writ.serviceaccounts.view'] });
    const { clientId } = account;
    const path = `${COMPANY}/service-accounts/${clientId}/credentials`;
    let credentialId = '';
    await assertAnnounced(async () => {
      ({ credentialId } = (await write('POST', path, { type: 'public_key', publicKey: clientKey('ES256').jwk })).json);
    }, of(clientId));
    const changed = (body: object) => () => write('PATCH', `${path}/${credentialId}`, body);
    await assertAnnounced(changed({ assertionMaxTtl: 30 }), of(clientId));
    await assertAnnounced(changed({ state: 'disabled' }), of(clientId), STATUSES);
    await assertAnnounced(changed({ state: 'enabled' }), of(clientId), STATUSES);
    await assertAnnounced(() => write('DELETE', `${path}/${credentialId}`), of(clientId), STATUSES);
    const bearer = await apiToken(one, account);
    await assertAnnounced(() => write('POST', '/api/self/rotate', {}, bearer), of(clientId));
    const { json } = await write('POST', path, { type: 'client_secret' });
    await assertAnnounced(() => write('POST', `${path}/${json.credentialId}/rotate`, {}), of(clientId));
  });

  test('name the members of a group, or the whole company when the group has more than 100 members', async () => {
    const ids: string[] = [];
    for (let member = 0; member < 101; member += 1) ids.push((await register(`Member ${member}`)).clientId);
    const [first = '', second = ''] = ids;
    const groups = `${COMPANY}/groups`;
    const few = `${groups}/few`;
    const create = (groupId: string, members: readonly string[]) => () =>
      write('POST', groups, { groupId, name: groupId, permissions: ['a'], members });
    await assertAnnounced(create('few', [first]), of(first));
    await assertAnnounced(() => write('PUT', `${few}/members/${second}`), of(second));
    await assertAnnounced(() => write('PATCH', few, { permissions: ['b'] }), of(first), of(second));
    await assertAnnounced(() => write('PUT', `${few}/roles/reporter`), of(first), of(second));
    await assertAnnounced(() => write('DELETE', `${few}/members/${first}`), of(first));
    await assertAnnounced(() => write('POST', `${few}/members`, { members: [first] }), of(first));
    await assertAnnounced(() => write('DELETE', `${few}/members`, { memberIds: [first] }), of(first));
    await assertAnnounced(() => write('DELETE', few), of(second));
    await assertAnnounced(create('hundred', ids.slice(1)), ...ids.slice(1).map(of));
    await assertAnnounced(create('many', ids), OF_COMPANY);
    await assertAnnounced(() => write('PATCH', `${groups}/many`, { permissions: ['b'] }), OF_COMPANY);
    await assertAnnounced(() => write('DELETE', `${groups}/many`), OF_COMPANY);
  });

  test('name the whole company when its role or resource server changes, and everyone for those of root', async () => {
    for (const [path, changes] of [
      [COMPANY, OF_COMPANY],
      ['/api', EVERYONE],
    ] as const) {
      const roles = `${path}/roles`;
      await assertAnnounced(() => write('POST', roles, { roleId: 'r', name: 'R', permissions: ['a'] }));
      await assertAnnounced(() => write('PATCH', `${roles}/r`, { permissions: ['b'] }), changes);
      await assertAnnounced(() => write('PATCH', `${roles}/r`, { name: 'Other' }));
      await assertAnnounced(() => write('DELETE', `${roles}/r`), changes);
      const servers = `${path}/resource-servers`;
      let server = '';
      await assertAnnounced(async () => {
        const identifier = changes === EVERYONE ? 'api://all' : 'api://told/some';
        const input = { name: 'S', identifier, permissions: [{ name: 'x' }] };
        const { json } = await write('POST', servers, input);
        server = `${servers}/${json.resourceServerId}`;
      });
      await assertAnnounced(() => write('PATCH', server, { tokenTtl: 60 }), changes);
      await assertAnnounced(() => write('PATCH', server, { tokenType: 'JWT' }), changes);
      await assertAnnounced(() => write('PATCH', server, { name: 'T' }));
      await assertAnnounced(() => write('DELETE', server), changes, STATUSES);
    }
  });

  test('B-27 act on another node that remembers the account', async () => {
    const account = await register('Remembered', { permissions: ['a'] });
    const many = await Promise.all(Array.from({ length: 101 }, (_, member) => register(`Among many ${member}`)));
    const scope = async (): Promise<string> => (await two.token(account)).json.scope ?? '';
    assert.equal(await scope(), 'a');
    const members = [account, ...many].map(({ clientId }) => clientId);
    const input = { permissions: ['b'], members };
    await write('POST', `${COMPANY}/groups`, { groupId: 'many', name: 'Many', ...input });
    await eventually(2000, async () => (await scope()) === 'a b');
    await write('DELETE', `${COMPANY}/groups/many`);
    await eventually(2000, async () => (await scope()) === 'a');
    await write('POST', `${COMPANY}/roles`, { roleId: 'r', name: 'R', permissions: ['c'] });
    await write('PUT', `${COMPANY}/service-accounts/${account.clientId}/roles/r`);
    await eventually(2000, async () => (await scope()) === 'a c');
    await write('DELETE', `${COMPANY}/roles/r?cascade=true`);
    await eventually(2000, async () => (await scope()) === 'a');
    await write('PATCH', COMPANY, { state: 'disabled' });
    await eventually(2000, async () => (await two.token(account)).status === 401);
    await write('PATCH', COMPANY, { state: 'enabled' });
    await eventually(2000, async () => (await scope()) === 'a');
  });

  test('name a company when it changes or is deleted', async () => {
    const changed = (body: object) => () => write('PATCH', COMPANY, body);
    await assertAnnounced(changed({ state: 'disabled' }), OF_COMPANY, STATUSES);
    await assertAnnounced(changed({ state: 'enabled' }), OF_COMPANY, STATUSES);
    await assertAnnounced(changed({ secretMaxAge: 86_400 }), OF_COMPANY, STATUSES);
    await assertAnnounced(() => write('DELETE', `${COMPANY}?cascade=true`), OF_COMPANY, STATUSES);
  });

  test('name a root account that is recovered from the command line, also a disabled one', async () => {
    const config = testConfig({ DATABASE_URL: database.url });
    const other = await register('Other root', { roles: ['root'] }, '/api');
    const bearer = await apiToken(one, other);
    await write('PATCH', '/api/service-accounts/root', { state: 'disabled' }, bearer);
    await eventually(2000, async () => (await two.token(ROOT)).status === 401);
    let recovered: RootCredential | undefined;
    await assertAnnounced(async () => {
      recovered = await recoverRootAccount(config, quietSurroundings());
    }, of(ROOT.clientId));
    const { clientId = '', clientSecret = '' } = recovered ?? {};
    assert.equal(clientId, ROOT.clientId);
    for (const secret of [clientSecret, ROOT.clientSecret]) {
      await eventually(2000, async () => (await two.token({ clientId, clientSecret: secret })).status === 200);
    }
    const events = `/api/audit-events?after=PT1H&action=service_account.changed&target=${clientId}`;
    const { json } = await one.api('GET', events, undefined, bearer);
    const { actor, details } = json.at(-1);
    assert.deepEqual(actor, { type: 'server', command: 'root recover' });
    assert.deepEqual(details, { state: { from: 'disabled', to: 'enabled' } });
    // The recovery of an enabled account records no change.
    await recoverRootAccount(config, quietSurroundings());
    const { json: again } = await one.api('GET', events, undefined, bearer);
    assert.equal(again.length, json.length);
  });
});
