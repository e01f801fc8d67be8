import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { assertRefused, makeCaller, makeCompany } from '../support/companies.ts';
import { ROOT } from '../support/config.ts';
import { onEachDatabase } from '../support/databases.ts';
import { useTestApp } from '../support/test-app.ts';

interface Listed {
  readonly clientId: string;
  readonly slug: string;
  readonly company: string | null;
}

onEachDatabase('accounts across companies', (kind) => {
  const app = useTestApp(kind);
  const ids: string[] = [];
  before(async () => {
    for (const companyId of ['one', 'two']) {
      await makeCompany(app, companyId);
      for (const name of ['Orders', 'Stock']) {
        const { json } = await app.api('POST', `/api/companies/${companyId}/service-accounts`, { name });
        ids.push(json.clientId);
      }
    }
  });

  const list = async (query: string): Promise<Listed[]> => {
    const { status, json, text } = await app.api('GET', `/api/service-accounts?company=*${query}`);
    assert.equal(status, 200, text);
    return json;
  };

  test('are listed for root in one call, newest first and in pages', async () => {
    const all = await list('');
    assert.deepEqual(
      all.map(({ clientId }) => clientId),
      [...ids.toReversed(), ROOT.clientId],
    );
    const first = await app.api('GET', '/api/service-accounts?company=*&limit=2');
    const next = /^<(.*)>; rel="next"$/.exec(first.headers.get('link') ?? '')?.[1];
    const rest = await app.api('GET', next ?? '');
    assert.deepEqual([...first.json, ...rest.json].slice(0, 4), all.slice(0, 4));
    const own = await app.api('GET', '/api/service-accounts');
    assert.deepEqual(
      own.json.map(({ clientId }: Listed) => clientId),
      [ROOT.clientId],
    );
  });

  test('are found by client id and by search', async () => {
    const [, second = ''] = ids;
    const [found, ...others] = await list(`&clientId=${second}`);
    assert.deepEqual([found?.company, found?.slug, others], ['one', 'stock', []]);
    assert.deepEqual(await list('&clientId=sa_nobody'), []);
    const orders = await list('&search=ord');
    assert.deepEqual(
      orders.map(({ company }) => company),
      ['two', 'one'],
    );
    const inOne = await app.api('GET', `/api/companies/one/service-accounts?clientId=${ids[3]}`);
    assert.deepEqual(inOne.json, []);
  });

  test('are listed for root accounts only', async () => {
    const viewer = await makeCaller(app, '/api/companies/one/service-accounts', ['writ.serviceaccounts.view']);
    const refused = await app.api('GET', '/api/service-accounts?company=*', undefined, viewer.bearer);
    assertRefused(app, refused, 403, 'forbidden');
    const path = '/api/companies/one/service-accounts?company=*';
    assertRefused(app, await app.api('GET', path, undefined, viewer.bearer), 400, 'invalid_query');
    assertRefused(app, await app.api('GET', '/api/service-accounts?company=one'), 400, 'invalid_query');
  });
});
