import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { clientKey } from '../support/assertions.ts';
import { assertRefused, makeCaller, makeCompany } from '../support/companies.ts';
import { onEachDatabase } from '../support/databases.ts';
import { testClock } from '../support/test-clock.ts';
import { useTestApp } from '../support/test-app.ts';
import { written } from '../support/written.ts';

const HOUR = 3_600_000;
const PAUSE = 50;

interface Listed {
  readonly credentialId: string;
  readonly clientId: string;
  readonly company: string | null;
  readonly name: string | null;
}

onEachDatabase('the credentials of many accounts', (kind) => {
  const clock = testClock();
  const app = useTestApp(kind, { WRIT_TOKEN_TTL: '86400' }, { clock, activityPause: PAUSE });
  const key = clientKey('EdDSA');
  let usedClientId = '';

  before(async () => {
    for (const companyId of ['one', 'two']) {
      await makeCompany(app, companyId);
      const used = await add(companyId, 'orders', [
        { type: 'client_secret', name: `${companyId} secret`, expiresIn: 'PT3H' },
        { type: 'client_secret', name: `${companyId} later`, expiresIn: 'PT6H' },
      ]);
      clock.forward(HOUR);
      await add(companyId, 'stock', [
        { type: 'public_key', name: `${companyId} key`, publicKey: { ...key.jwk, kid: companyId } },
        { type: 'api_key', name: `${companyId} API key`, audience: 'api://default', expiresIn: 'PT150M' },
      ]);
      if (companyId === 'one') continue;
      const { status, text } = await app.token(used);
      assert.equal(status, 200, text);
      usedClientId = used.clientId;
    }
    await written(PAUSE, app);
  });

  async function add(
    companyId: string,
    slug: string,
    credentials: object[],
  ): Promise<{ clientId: string; clientSecret: string }> {
    const account = { name: slug, slug, permissions: ['a'], credentials };
    const { status, json, text } = await app.api('POST', `/api/companies/${companyId}/service-accounts`, account);
    assert.equal(status, 201, text);
    return json;
  }

  const names = async (query: string): Promise<string[]> => {
    const { status, json, text } = await app.api('GET', `/api/credentials?company=*&${query}`);
    assert.equal(status, 200, text);
    return json.flatMap(({ name, company }: Listed) => (company === null ? [] : [name]));
  };

  test('are listed as they are in their account, with its ids and its company', async () => {
    const { json } = await app.api('GET', '/api/credentials?company=*');
    assert.equal(json.length, 9);
    const byId = (one: Listed, other: Listed): number => (one.credentialId < other.credentialId ? -1 : 1);
    const { json: accounts } = await app.api('GET', '/api/service-accounts?company=*');
    assert.equal(accounts.length, 5);
    for (const { clientId, company, slug } of accounts) {
      const owner = company === null ? '' : `/companies/${company}`;
      const { json: own } = await app.api('GET', `/api${owner}/service-accounts/${clientId}/credentials`);
      const listed = json.filter((one: Listed) => one.clientId === clientId).toSorted(byId);
      const expected = own.toSorted(byId).map((one: object) => ({ clientId, slug, company, ...one }));
      assert.deepEqual(listed, expected);
    }
  });

  test('are listed for root, for one company or for all, newest first and in pages', async () => {
    const whole = await names('');
    assert.deepEqual(new Set(whole.slice(0, 2)), new Set(['two key', 'two API key']));
    assert.deepEqual(new Set(whole.slice(6)), new Set(['one secret', 'one later']));
    const paged: string[] = [];
    for (let path = '/api/credentials?company=*&limit=2'; path !== '';) {
      const { json, headers } = await app.api('GET', path);
      assert.ok(json.length <= 2);
      paged.push(...json.flatMap(({ name, company }: Listed) => (company === null ? [] : [name])));
      path = /^<(.*)>; rel="next"$/.exec(headers.get('link') ?? '')?.[1] ?? '';
    }
    assert.deepEqual(paged, whole);
    const { json: ofRoot } = await app.api('GET', '/api/credentials');
    assert.deepEqual(
      ofRoot.map(({ company }: Listed) => company),
      [null],
    );
    const { json: ofOne } = await app.api('GET', '/api/companies/one/credentials');
    assert.deepEqual(
      ofOne.map(({ name }: Listed) => name),
      whole.slice(4),
    );
  });

  test('are filtered by age, expiry, last use, type, state and account', async () => {
    assert.deepEqual((await names('type=api_key')).toSorted(), ['one API key', 'two API key']);
    assert.deepEqual((await names('type=public_key')).toSorted(), ['one key', 'two key']);
    assert.deepEqual((await names('createdBefore=PT90M')).toSorted(), ['one later', 'one secret']);
    assert.deepEqual(await names('expiringBefore=PT75M'), ['one secret']);
    assert.deepEqual(await names('expiringBefore=PT30M'), []);
    const soon = ['one API key', 'one secret', 'two API key', 'two secret'];
    assert.deepEqual((await names('expiringBefore=PT3H')).toSorted(), soon);
    const unused = await names('lastUsedBefore=PT30M&type=client_secret');
    assert.deepEqual(unused.toSorted(), ['one later', 'one secret', 'two later']);
    assert.deepEqual((await names(`clientId=${usedClientId}`)).toSorted(), ['two later', 'two secret']);
    assert.deepEqual(await names('clientId=sa_nobody'), []);
    const { json } = await app.api('GET', '/api/companies/two/credentials?type=api_key');
    const [{ clientId, credentialId }] = json;
    const path = `/api/companies/two/service-accounts/${clientId}/credentials/${credentialId}`;
    await app.api('PATCH', path, { state: 'disabled' });
    assert.deepEqual(await names('state=disabled'), ['two API key']);
    await app.api('PATCH', path, { state: 'enabled' });
  });

  test('E-01 are listed for callers that may read the accounts, and for a company only its own', async () => {
    const accounts = '/api/companies/one/service-accounts';
    const viewer = await makeCaller(app, accounts, ['writ.serviceaccounts.view']);
    const { json } = await app.api('GET', '/api/companies/one/credentials', undefined, viewer.bearer);
    assert.ok(json.length > 4 && json.every(({ company }: Listed) => company === 'one'));
    const denied = async (path: string, status: number, code: string, bearer?: string): Promise<void> =>
      assertRefused(app, await app.api('GET', path, undefined, bearer), status, code, path);
    await denied('/api/companies/two/credentials', 404, 'not_found', viewer.bearer);
    await denied('/api/credentials', 403, 'forbidden', viewer.bearer);
    await denied('/api/credentials?company=*', 403, 'forbidden', viewer.bearer);
    await denied('/api/companies/one/credentials?company=*', 400, 'invalid_query', viewer.bearer);
    await denied('/api/credentials?company=one', 400, 'invalid_query');
    await denied('/api/companies/none/credentials', 404, 'not_found');
    const other = await makeCaller(app, accounts, ['writ.audit.view']);
    await denied('/api/companies/one/credentials', 403, 'insufficient_scope', other.bearer);
  });

  test('an account shows when its first credential expires', async () => {
    const path = '/api/companies/one/service-accounts';
    const expiries = async (slug: string): Promise<unknown[]> => {
      const { json: list } = await app.api('GET', `${path}?slug=${slug}`);
      const { json: account } = await app.api('GET', `${path}/${slug}`);
      return [list[0].nextExpiryAt, account.nextExpiryAt];
    };
    const { json } = await app.api('GET', '/api/companies/one/credentials');
    const [secret, later] = ['one secret', 'one later'].map((name) => json.find((one: Listed) => one.name === name));
    assert.deepEqual(await expiries('orders'), [secret.expiresAt, secret.expiresAt]);
    // A disabled credential does not count: its expiry has no effect.
    const single = `${path}/orders/credentials/${secret.credentialId}`;
    await app.api('PATCH', single, { state: 'disabled' });
    assert.deepEqual(await expiries('orders'), [later.expiresAt, later.expiresAt]);
    await app.api('PATCH', single, { state: 'enabled' });
    clock.forward(1.5 * HOUR);
    assert.deepEqual(await expiries('orders'), [later.expiresAt, later.expiresAt]);
    clock.forward(3 * HOUR);
    assert.deepEqual(await expiries('orders'), [null, null]);
    const { json: registered } = await app.api('POST', path, {
      name: 'New',
      credentials: [{ type: 'client_secret', expiresIn: 'PT1H' }],
    });
    assert.equal(registered.nextExpiryAt, registered.credentials[0].expiresAt);
  });
});
