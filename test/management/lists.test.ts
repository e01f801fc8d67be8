import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Reply } from '../support/api-contract.ts';
import { assertRefused, makeCompany } from '../support/companies.ts';
import { onEachDatabase } from '../support/databases.ts';
import { useTestApp } from '../support/test-app.ts';

const PATH = '/api/companies/listed/service-accounts';

onEachDatabase('a list', (kind) => {
  const app = useTestApp(kind);

  const slugs = ({ json }: Reply): string[] => json.map(({ slug }: { slug: string }) => slug);
  const next = ({ headers }: Reply): string | undefined => /^<(.*)>; rel="next"$/.exec(headers.get('link') ?? '')?.[1];

  test('comes in pages without gaps and repetitions, while accounts are registered and deleted', async () => {
    await makeCompany(app, 'listed');
    const names = Array.from({ length: 7 }, (_, index) => `number-${index}`);
    for (const name of names) await app.api('POST', PATH, { name });
    // Two accounts get the same time. The pages must tell them apart.
    await app
      .knex('service_accounts')
      .whereIn('slug', ['number-2', 'number-3'])
      .update({ created_at: new Date(0) });
    const whole = slugs(await app.api('GET', PATH));
    assert.deepEqual(whole.toSorted(), names);
    assert.equal((await app.api('GET', PATH)).headers.get('link'), null);

    const seen: string[] = [];
    let path: string | undefined = `${PATH}?limit=2&search=number`;
    let pages = 0;
    while (path !== undefined) {
      const page = await app.api('GET', path);
      assert.equal(page.status, 200);
      seen.push(...slugs(page));
      path = next(page);
      pages += 1;
      if (pages === 1) {
        await app.api('POST', PATH, { name: 'number-new' });
        await app.api('DELETE', `${PATH}/${seen[0]}`);
      }
    }
    assert.deepEqual(seen, whole);
    assert.equal(pages, 4);
  });

  test('is filtered by search, state, slug, permission and role', async () => {
    const root = '/api/service-accounts';
    await app.api('POST', root, { name: 'Alpha One', permissions: ['orders:read'] });
    await app.api('POST', root, { name: 'Alpha Two', permissions: ['orders:write'], state: 'disabled' });
    const list = async (query: string): Promise<string[]> => slugs(await app.api('GET', `${root}?${query}`));
    assert.deepEqual(await list('search=ALPHA'), ['alpha-two', 'alpha-one']);
    assert.deepEqual(await list('search=alpha%20o'), ['alpha-one']);
    assert.deepEqual(await list('state=disabled'), ['alpha-two']);
    assert.deepEqual(await list('slug=alpha-one'), ['alpha-one']);
    assert.deepEqual(await list('permission=orders:read'), ['alpha-one']);
    assert.deepEqual(await list('role=root'), ['root']);
    assert.deepEqual(await list('search=alpha&permission=orders:read&state=disabled'), []);
    assert.deepEqual(await list('search=_lpha'), []);
  });

  test('E-08 E-09 E-17 refuses unknown, repeated and invalid parameters', async () => {
    const root = '/api/service-accounts';
    const { headers } = await app.api('GET', `${root}?limit=1`);
    const cursor = String(/cursor=([\w-]+)/.exec(String(headers.get('link')))?.[1]);
    assert.equal((await app.api('GET', `${root}?cursor=${cursor}`)).status, 200);
    const audit = await app.api('GET', '/api/audit-events?limit=1');
    const elsewhere = String(/cursor=([\w-]+)/.exec(String(audit.headers.get('link')))?.[1]);
    const flipped = Buffer.from(cursor, 'base64url');
    flipped.writeUInt8(flipped.readUInt8(flipped.length - 3) ^ 1, flipped.length - 3);
    for (const query of [
      'limit=0',
      'limit=-1',
      'limit=1001',
      'limit=1e9',
      'limit=x',
      'limit=1.5',
      'limit=',
      'limit=1&limit=2',
      'offset=5',
      'sort=name',
      'order=name;drop%20table',
      'state=deleted',
      'state[$ne]=enabled',
      'state=enabled&state=disabled',
      'slug[]=a',
      'slug=A%20b',
      'search=',
      'search=%00',
      `search=${'x'.repeat(129)}`,
      'permission=a%00b',
      "role=' or 1=1--%20",
      'cursor=',
      'cursor=x',
      `cursor=${cursor.slice(0, -2)}`,
      `cursor=${flipped.toString('base64url')}`,
      `cursor=${Buffer.from(JSON.stringify([0, 'sa_x'])).toString('base64url')}`,
      '__proto__=x',
      'company=b',
      `cursor=${elsewhere}`,
    ]) {
      const reply = await app.api('GET', `${root}?${query}`);
      assertRefused(app, reply, 400, 'invalid_query', query);
      assert.match(
        reply.json.detail,
        /the parameters are state, clientId, slug, role, permission, lastUsedBefore, expiringBefore, search, company, limit, cursor$/,
      );
    }
    assertRefused(app, await app.api('GET', `${root}/root?verbose=1`), 400, 'invalid_query');
    assertRefused(app, await app.api('POST', `${root}?dry=1`, { name: 'x' }), 400, 'invalid_query');
  });
});

onEachDatabase('a list with built-in entries', (kind) => {
  const app = useTestApp(kind);

  for (const path of ['/api/roles', '/api/resource-servers']) {
    test(`at ${path} has the same entries in pages as in one answer`, async () => {
      const whole = (await app.api('GET', path)).json;
      assert.ok(whole.length > 1);
      const paged: unknown[] = [];
      let next: string | undefined = `${path}?limit=1`;
      while (next !== undefined) {
        const { json, headers }: Reply = await app.api('GET', next);
        paged.push(...json);
        const link: string | undefined = /<([^>]+)>/.exec(headers.get('link') ?? '')?.[1];
        next = link === undefined ? undefined : new URL(link, `${app.url}${path}`).href.slice(app.url.length);
      }
      assert.deepEqual(paged, whole);
    });
  }
});
