import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertRefused, COMPANY_PERMISSIONS, makeCaller, makeCompany } from '../support/companies.ts';
import { ROOT } from '../support/config.ts';
import { onEachDatabase } from '../support/databases.ts';
import { useTestApp } from '../support/test-app.ts';

interface Event {
  readonly eventId: string;
  readonly action: string;
  readonly target: string;
  readonly company: string | null;
  readonly actor: { readonly type: string; readonly clientId?: string; readonly credentialId?: string };
  readonly source: string | null;
  readonly requestId: string | null;
  readonly occurredAt: string;
}

onEachDatabase('the audit', (kind) => {
  const app = useTestApp(kind);

  const events = async (path: string, bearer?: string): Promise<Event[]> => {
    const { status, json, text } = await app.api('GET', path, undefined, bearer);
    assert.equal(status, 200, text);
    return json;
  };

  test('E-19 has every write, with its caller, source, time and request', async () => {
    await makeCompany(app, 'audited');
    const admin = await makeCaller(app, '/api/companies/audited/service-accounts', COMPANY_PERMISSIONS);
    const path = '/api/companies/audited/service-accounts';
    const id = { 'X-Request-Id': 'the-request-of-the-caller' };
    const { json: account } = await app.api('POST', path, { name: 'Watched' }, admin.bearer, id);
    await app.api('PATCH', `${path}/watched`, { state: 'disabled' }, admin.bearer);
    await app.api('PUT', `${path}/watched/permissions/writ.audit.view`, undefined, admin.bearer);
    await app.api('DELETE', `${path}/watched`, undefined, admin.bearer);
    const own = await events(`/api/companies/audited/audit-events?target=${account.clientId}`, admin.bearer);
    const { json: credentials } = await app.api('GET', `${path}/${admin.clientId}/credentials`);
    const by = { type: 'service_account', clientId: admin.clientId, credentialId: credentials[0].credentialId };
    assert.deepEqual(
      own.map(({ action, company, actor }) => [action, company, actor]),
      [
        ['service_account.deleted', 'audited', by],
        ['service_account.changed', 'audited', by],
        ['service_account.changed', 'audited', by],
        ['service_account.created', 'audited', by],
      ],
    );
    assert.ok(own.every(({ source }) => source === '127.0.0.1'));
    assert.equal(own.at(-1)?.requestId, 'the-request-of-the-caller');
    assert.ok(own.every(({ occurredAt }) => /^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(occurredAt)));
    const found = await events('/api/audit-events?requestId=the-request-of-the-caller');
    assert.deepEqual(found, own.slice(-1));
    assert.equal(JSON.stringify(await events('/api/audit-events')).includes(account.clientSecret), false);
  });

  test('E-01 shows a company only its own events, and root all events', async () => {
    await makeCompany(app, 'one');
    await makeCompany(app, 'two');
    const admin = await makeCaller(app, '/api/companies/one/service-accounts', COMPANY_PERMISSIONS);
    assert.ok(
      (await events('/api/companies/one/audit-events', admin.bearer)).every(({ company }) => company === 'one'),
    );
    assertRefused(
      app,
      await app.api('GET', '/api/companies/two/audit-events', undefined, admin.bearer),
      404,
      'not_found',
    );
    const all = await events('/api/audit-events');
    assert.ok(all.some(({ company }) => company === 'two') && all.some(({ company }) => company === null));
    assert.deepEqual(
      (await events(`/api/audit-events?action=company.created&actor=${ROOT.clientId}`))
        .map(({ target }) => target)
        .slice(0, 2),
      ['two', 'one'],
    );
  });

  test('lists the events of a period, whole and in pages', async () => {
    const whole = await events('/api/audit-events');
    const times = [...new Set(whole.map(({ occurredAt }) => occurredAt))];
    const [to, from] = [times[2], times[5]];
    assert.ok(from !== undefined && to !== undefined && from < to);
    const wanted = whole.filter(({ occurredAt }) => occurredAt >= from && occurredAt < to);
    assert.ok(wanted.length > 2);
    assert.deepEqual(await events(`/api/audit-events?from=${from}&to=${to}`), wanted);
    const first = await app.api('GET', `/api/audit-events?from=${from}&to=${to}&limit=2`);
    const next = /^<(.*)>; rel="next"$/.exec(first.headers.get('link') ?? '')?.[1];
    assert.deepEqual([...first.json, ...(await events(next ?? ''))], wanted);
    assert.deepEqual(await events('/api/audit-events?from=P1D'), whole);
    assert.deepEqual(await events('/api/audit-events?to=P1D'), []);
    assertRefused(app, await app.api('GET', '/api/audit-events?from=yesterday'), 400, 'invalid_query');
  });

  test('comes in pages, and refuses a caller without writ.audit.view', async () => {
    const whole = await events('/api/audit-events');
    const paged: Event[] = [];
    let path: string | undefined = '/api/audit-events?limit=3';
    while (path !== undefined) {
      const page = await app.api('GET', path);
      paged.push(...page.json);
      path = /^<(.*)>; rel="next"$/.exec(page.headers.get('link') ?? '')?.[1];
    }
    assert.deepEqual(paged, whole);
    const viewer = await makeCaller(app, '/api/service-accounts', ['writ.serviceaccounts.view']);
    const refused = await app.api('GET', '/api/audit-events', undefined, viewer.bearer);
    assertRefused(app, refused, 403, 'insufficient_scope');
    assert.equal((await app.api('POST', '/api/audit-events', {})).status, 405);
  });
});
