import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import type { ApiDocument } from '../support/api-contract.ts';
import {
  type ApiCaller,
  apiToken,
  assertRefused,
  COMPANY_PERMISSIONS,
  makeCaller,
  makeCompany,
} from '../support/companies.ts';
import { postgres18 } from '../support/databases.ts';
import { useTestApp } from '../support/test-app.ts';

type Security = readonly Readonly<Record<string, readonly string[]>>[];

interface Operation {
  readonly method: string;
  readonly template: string;
  /** The permission that the caller must hold; `token`: no permission, only a token; `nothing`: not even a token. */
  readonly takes: string;
}

const ROOT_ONLY = [
  'writ.companies.manage',
  'writ.permissions.grant',
  'writ.signingkeys.manage',
  'writ.tokens.introspect',
];

/** Paths without a company that accounts of a company may call. */
const FOR_EVERYONE = ['/api/backend/tenants', '/api/companies', '/api/self', '/api/version'];

describe('every operation of the OpenAPI document', () => {
  const app = useTestApp(postgres18);
  let operations: Operation[];
  let adminA: ApiCaller;
  let plainA: ApiCaller;
  let viewerA: ApiCaller;
  let adminB: ApiCaller;
  let plainRoot: ApiCaller;
  const accounts: Record<string, string> = {};
  before(async () => {
    const document: ApiDocument = (await app.request('/api/openapi.json')).json;
    operations = Object.entries(document.paths).flatMap(([template, methods]) =>
      Object.entries(methods).map(([method, operation]) => {
        const { security } = operation as unknown as { security: Security };
        const [permission = 'token'] = security[0]?.['accessToken'] ?? [];
        return { method: method.toUpperCase(), template, takes: security.length === 0 ? 'nothing' : permission };
      }),
    );
    await makeCompany(app, 'a');
    await makeCompany(app, 'b');
    const inA = '/api/companies/a/service-accounts';
    adminA = await makeCaller(app, inA, COMPANY_PERMISSIONS);
    plainA = await makeCaller(app, inA, []);
    viewerA = await makeCaller(app, inA, ['writ.serviceaccounts.view']);
    adminB = await makeCaller(app, '/api/companies/b/service-accounts', COMPANY_PERMISSIONS);
    plainRoot = await makeCaller(app, '/api/service-accounts', []);
    for (const [name, path] of Object.entries({
      a: inA,
      b: '/api/companies/b/service-accounts',
      root: '/api/service-accounts',
    })) {
      accounts[name] = (await app.api('POST', path, { name: 'Target', permissions: ['p'] })).json.clientId;
    }
  });

  const path = (template: string, companyId: string, clientId = 'sa_none'): string =>
    template
      .replace('{companyId}', companyId)
      .replace('{clientId}', clientId)
      .replace('{permission}', 'p')
      .replace('{role}', 'guest')
      .replace(/\{\w+\}/, 'none');

  /** A valid body: no call is refused for its body. */
  function bodyOf({ method, template }: Operation): object | undefined {
    if (method === 'PATCH') return {};
    if (template.endsWith('/members') && method !== 'GET') {
      return method === 'POST' ? { members: [] } : { memberIds: [] };
    }
    if (method !== 'POST') return undefined;
    if (template.endsWith('/credentials')) return { type: 'client_secret' };
    if (template.endsWith('/rotate')) return {};
    if (template.endsWith('/test')) return { token: 'x' };
    if (template.endsWith('/impersonate')) return { reason: 'Ticket 1' };
    if (template.endsWith('/diagnose-assertion')) return { assertion: 'x' };
    if (template.endsWith('/trusted-issuers')) return { issuer: 'https://made.example', name: 'Made' };
    if (template.endsWith('/resource-servers')) return { identifier: 'https://made.example/x', name: 'Made' };
    return template.endsWith('/companies') ? { companyId: 'made', name: 'Made' } : { name: 'Made' };
  }

  test('E-01 refuses a caller without permission before it shows whether the target exists', async () => {
    assert.ok(operations.length >= 22);
    const elsewhere =
      (await app.token(adminA, { resource: 'api://default' }).then(({ json }) => json.access_token)) ?? '';
    let checked = 0;
    for (const operation of operations.filter(({ takes }) => takes !== 'nothing')) {
      const { method, template, takes } = operation;
      const companyPath = template.includes('{companyId}');
      const own = path(template, 'a', companyPath ? accounts['a'] : accounts['root']);
      const call = (target: string, bearer: string): ReturnType<typeof app.api> =>
        app.api(method, target, bodyOf(operation), bearer);
      const note = `${method} ${template}`;

      assertRefused(app, await call(own, ''), 401, 'unauthorized', note);
      assertRefused(app, await call(own, 'x'), 401, 'unauthorized', note);
      assertRefused(app, await call(own, elsewhere), 401, 'unauthorized', note);
      checked += 3;
      if (takes === 'token') {
        assert.ok((await call(own, plainA.bearer)).status < 300, note);
        continue;
      }
      // A root account without the permission gets the same refusal whether the target exists or not.
      for (const target of [own, path(template, 'nowhere', 'sa_none')]) {
        assertRefused(app, await call(target, plainRoot.bearer), 403, 'insufficient_scope', note);
      }
      if (companyPath) {
        for (const bearer of [adminB.bearer, plainA.bearer, viewerA.bearer]) {
          const refused = await call(own, bearer);
          if (bearer === adminB.bearer) assertRefused(app, refused, 404, 'not_found', note);
          else if (bearer === plainA.bearer) assertRefused(app, refused, 403, 'insufficient_scope', note);
          else if (takes !== 'writ.serviceaccounts.view') assertRefused(app, refused, 403, 'insufficient_scope', note);
        }
        assertRefused(app, await call(path(template, 'nowhere', 'sa_none'), adminA.bearer), 404, 'not_found', note);
        if (ROOT_ONLY.includes(takes))
          assertRefused(app, await call(own, adminA.bearer), 403, 'insufficient_scope', note);
        else {
          const narrow = await apiToken(app, adminA, COMPANY_PERMISSIONS.filter((name) => name !== takes).join(' '));
          assertRefused(app, await call(own, narrow), 403, 'insufficient_scope', note);
        }
      } else if (method === 'GET' && FOR_EVERYONE.includes(template)) {
        assertRefused(app, await call(own, plainA.bearer), 403, 'insufficient_scope', note);
      } else {
        assertRefused(app, await call(own, adminA.bearer), 403, 'forbidden', note);
      }
      checked += 2;
    }
    assert.ok(checked > 80, String(checked));
    // The refused calls have changed nothing.
    for (const [company, id] of Object.entries(accounts)) {
      const target =
        company === 'root' ? `/api/service-accounts/${id}` : `/api/companies/${company}/service-accounts/${id}`;
      assert.deepEqual((await app.api('GET', target)).json.permissions, ['p'], company);
    }
  });

  test('E-01 answers 404 for an id that does not exist, has another kind or belongs to another company', async () => {
    for (const operation of operations.filter(({ template }) => template.includes('{clientId}'))) {
      const { method, template } = operation;
      const companyPath = template.includes('{companyId}');
      const strangers = companyPath ? [accounts['b'], accounts['root']] : [accounts['a'], accounts['b']];
      const ids = ['sa_none', 'a', 'cred_x', '..%2f..', '%00', '%F0%9F%98%80', 'x'.repeat(300), "'--", ...strangers];
      for (const id of ids) {
        const target = path(template, 'a', id);
        const bearer = companyPath ? adminA.bearer : undefined;
        const reply = await app.api(method, target, bodyOf(operation), bearer);
        assert.equal(reply.status, 404, `${method} ${target} ${reply.text}`);
      }
    }
    for (const operation of operations.filter(({ template }) => template.includes('{companyId}'))) {
      for (const companyId of ['nowhere', 'A', 'sa_none', '%00', 'x'.repeat(100)]) {
        const target = path(operation.template, companyId, accounts['a']);
        const reply = await app.api(operation.method, target, bodyOf(operation));
        assert.equal(reply.status, 404, `${operation.method} ${target} ${reply.text}`);
      }
    }
  });

  test('E-10 refuses a caller that was disabled a moment ago', async () => {
    await app.api('PATCH', `/api/companies/a/service-accounts/${viewerA.clientId}`, { state: 'disabled' });
    for (const operation of operations.filter(({ takes }) => takes !== 'nothing')) {
      const target = path(operation.template, 'a', accounts['a']);
      const reply = await app.api(operation.method, target, bodyOf(operation), viewerA.bearer);
      assertRefused(app, reply, 401, 'unauthorized', operation.template);
      const line = app.log().findLast(({ requestId }) => requestId === reply.json.requestId);
      assert.equal(line?.['reason'], 'account_disabled');
    }
  });
});
