import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import type { Reply } from '../support/api-contract.ts';
import { type ApiCaller, apiToken, assertRefused, makeCaller, makeCompany } from '../support/companies.ts';
import { postgres18 } from '../support/databases.ts';
import { useTestApp } from '../support/test-app.ts';

const COMPANY = '/api/companies/a';
const ACCOUNTS = `${COMPANY}/service-accounts`;

describe('the refusal of a caller without permission', () => {
  const app = useTestApp(postgres18);
  let reporter: ApiCaller;
  let owner: ApiCaller;
  before(async () => {
    await makeCompany(app, 'a');
    reporter = await withRole('reporter');
    owner = await withRole('company-owner');
  });

  async function withRole(role: string): Promise<ApiCaller> {
    const { json } = await app.api('POST', ACCOUNTS, { name: `Caller ${role}`, roles: [role] });
    return { ...json, bearer: await apiToken(app, json) };
  }

  function assertHelp(reply: Reply, code: string, detail: string, builtInRoles?: readonly string[]): void {
    assertRefused(app, reply, 403, code);
    assert.equal(reply.json.detail, detail);
    assert.equal(reply.json.message, detail);
    assert.deepEqual(reply.json.builtInRoles, builtInRoles);
  }

  test('names the permission, and the built-in roles that have it', async () => {
    assertHelp(
      await app.api('POST', ACCOUNTS, { name: 'New' }, reporter.bearer),
      'insufficient_scope',
      'This takes the permission writ.serviceaccounts.manage. The built-in role company-owner has it, there or above: an account that may bind such a role can give it, or a root account',
      ['company-owner'],
    );
    const viewer = await makeCaller(app, ACCOUNTS, ['writ.audit.view']);
    assertHelp(
      await app.api('GET', ACCOUNTS, undefined, viewer.bearer),
      'insufficient_scope',
      'This takes the permission writ.serviceaccounts.view. The built-in roles reporter, developer, maintainer, project-admin, company-owner have it, there or above: an account that may bind such a role can give it, or a root account',
      ['reporter', 'developer', 'maintainer', 'project-admin', 'company-owner'],
    );
  });

  test('names the place where the permission is needed', async () => {
    const put = `${ACCOUNTS}/${owner.clientId}/roles/reporter?place=shop/prod`;
    const elsewhere = await makeCaller(app, ACCOUNTS, ['writ.roles.bind@shops']);
    const refused = await app.api('PUT', put, undefined, elsewhere.bearer);
    assertRefused(app, refused, 403, 'insufficient_scope');
    assert.equal(refused.json.required, 'writ.roles.bind@shop/prod');
    assert.match(refused.json.detail, /^This takes the permission writ\.roles\.bind@shop\/prod\. The built-in roles /);
    assert.deepEqual(refused.json.builtInRoles, ['project-admin', 'company-owner']);
  });

  test('says whether only the token is too narrow, and whether only root accounts may do it', async () => {
    const narrow = await apiToken(app, owner, 'writ.serviceaccounts.view');
    assertHelp(
      await app.api('POST', ACCOUNTS, { name: 'New' }, narrow),
      'insufficient_scope',
      'This takes the permission writ.serviceaccounts.manage. The account holds it, but the token does not: ask for a token that has it',
      ['company-owner'],
    );
    assertHelp(
      await app.api('PATCH', COMPANY, { name: 'Mine' }, owner.bearer),
      'insufficient_scope',
      'This takes the permission writ.companies.manage. Only root accounts may hold it',
      ['root'],
    );
    const root = await makeCaller(app, '/api/service-accounts', ['writ.companies.view']);
    assertHelp(
      await app.api('POST', '/api/companies', { name: 'New' }, root.bearer),
      'insufficient_scope',
      'This takes the permission writ.companies.manage. A root account that may grant everything can give it',
      ['root'],
    );
  });

  test('says who can grant the permissions that the caller cannot grant', async () => {
    const grant = (body: object, path = ACCOUNTS, by = owner): Promise<Reply> =>
      app.api('POST', path, { name: 'New', ...body }, by.bearer);
    assertHelp(
      await grant({ permissions: ['orders:read@shop', 'orders:write'] }),
      'forbidden',
      'Nobody grants what they do not hold: orders:read@shop orders:write. An account that holds all of it can grant it, or a root account. A root account can also make permissions of other APIs grantable in the company',
    );
    const manager = await makeCaller(app, ACCOUNTS, ['writ.serviceaccounts.manage']);
    assertHelp(
      await grant({ permissions: ['writ.roles.bind@shop'] }, ACCOUNTS, manager),
      'forbidden',
      'Nobody grants what they do not hold: writ.roles.bind@shop. The built-in roles project-admin, company-owner have all of it: an account with such a role there or above can grant it, or a root account',
    );
    assertHelp(
      await app.api('PUT', `${ACCOUNTS}/${owner.clientId}/permissions/orders:read`, undefined, owner.bearer),
      'forbidden',
      'No account may widen its own permissions: orders:read. Another account can give it, if that account may grant all of it',
    );
    const root = await makeCaller(app, '/api/service-accounts', ['writ.serviceaccounts.manage']);
    assertHelp(
      await grant({ permissions: ['orders:read'] }, '/api/service-accounts', root),
      'forbidden',
      'Nobody grants what they do not hold: orders:read. A root account that may grant everything can give it',
    );
  });

  test('names ten of many permissions, and counts the others', async () => {
    const permissions = Array.from({ length: 13 }, (_, index) => `many:${index}`);
    const refused = await app.api('POST', ACCOUNTS, { name: 'New', permissions }, owner.bearer);
    assertRefused(app, refused, 403, 'forbidden');
    assert.match(refused.json.detail, /: many:0 .* many:9 and 3 more\. /);
  });
});
