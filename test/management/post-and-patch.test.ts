import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import type { Reply } from '../support/api-contract.ts';
import { clientKey } from '../support/assertions.ts';
import { type ApiCaller, assertRefused, makeCaller, makeCompany } from '../support/companies.ts';
import { embedded } from '../support/databases.ts';
import { testClock } from '../support/test-clock.ts';
import { useTestApp } from '../support/test-app.ts';

const COMPANY = '/api/companies/strict';
const ACCOUNTS = `${COMPANY}/service-accounts`;

describe('POST and PATCH', () => {
  const clock = testClock();
  const app = useTestApp(embedded, {}, { clock });
  let made = 0;
  before(() => makeCompany(app, 'strict'));

  /** Creates a member of a collection. */
  async function make(path: string, input: object, bearer?: string): Promise<Reply> {
    const reply = await app.api('POST', path, input, bearer);
    assert.equal(reply.status, 201, reply.text);
    return reply;
  }

  const many = (count: number): string[] => Array.from({ length: count }, (_, index) => `many:${index}`);
  const next = (): number => (made += 1);

  /** For each collection: the smallest body of a POST, and members that both POST and PATCH refuse. */
  const collections: Readonly<Record<string, { least(): object; refused: readonly object[] }>> = {
    [ACCOUNTS]: {
      least: () => ({ name: `Account ${next()}` }),
      refused: [
        { name: '' },
        { description: 'x'.repeat(1025) },
        { state: 'paused' },
        { tokenTtl: 86_401 },
        { tokenTtl: 0 },
        { metadata: Object.fromEntries(many(5).map((name) => [name.replace(':', '-'), 'x'.repeat(1000)])) },
        { metadata: { 'no name': 1 } },
        { audience: 'https://nowhere.example' },
        { permissions: ['a b'] },
        { permissions: ['writ.everything'] },
        { permissions: ['writ.companies.manage'] },
        { permissions: many(1001) },
        { roles: ['nowhere'] },
        { roles: ['root'] },
        { roles: ['company-owner@shop'] },
        { groups: ['nowhere'] },
        { unknown: true },
      ],
    },
    [`${COMPANY}/groups`]: {
      least: () => ({ name: `Group ${next()}` }),
      refused: [
        { name: '' },
        { permissions: ['a b'] },
        { permissions: ['writ.companies.manage'] },
        { permissions: many(1001) },
        { roles: ['nowhere'] },
        { roles: ['root'] },
        { members: ['nobody'] },
        { unknown: true },
      ],
    },
    [`${COMPANY}/roles`]: {
      least: () => ({ name: `Role ${next()}`, permissions: [] }),
      refused: [
        { name: '' },
        { permissions: ['a b'] },
        { permissions: ['writ.everything'] },
        { permissions: ['writ.companies.manage'] },
        { permissions: ['a@shop'] },
        { unknown: true },
      ],
    },
    [`${COMPANY}/resource-servers`]: {
      least: () => ({ name: `Server ${next()}`, identifier: `api://strict/${made}` }),
      refused: [
        { name: '' },
        { tokenTtl: 86_401 },
        { signingAlg: 'none' },
        { tokenType: 'Bearer' },
        { permissions: [{ name: 'a b' }] },
        { permissions: [{ name: 'writ.x' }] },
        { permissions: [{ name: 'a' }, { name: 'a' }] },
        { introspectedBy: ['nobody'] },
        { unknown: true },
      ],
    },
    '/api/companies': {
      least: () => ({ companyId: `strict-${next()}`, name: 'Company' }),
      refused: [
        { name: '' },
        { secretMaxAge: -1 },
        { keyMaxAge: 'P1000Y' },
        { limits: { serviceAccounts: -1 } },
        { limits: { others: 1 } },
        { grantable: ['a b'] },
        { grantable: ['writ.serviceaccounts.manage'] },
        { grantable: [{ resource: 'https://nowhere.example' }] },
        { unknown: true },
      ],
    },
  };

  for (const [path, { least, refused }] of Object.entries(collections)) {
    test(`at ${path} refuse the same ${refused.length} members for the same reason`, async () => {
      const location = (await make(path, least())).headers.get('location') ?? '';
      const { text: untouched } = await app.api('GET', location);
      for (const body of refused) {
        const note = JSON.stringify(body).slice(0, 80);
        const [posted, patched] = [
          await app.api('POST', path, { ...least(), ...body }),
          await app.api('PATCH', location, body),
        ];
        assertRefused(app, posted, posted.status, posted.json.code, note);
        assertRefused(app, patched, posted.status, posted.json.code, note);
        assert.ok(posted.status === 400 || posted.status === 422 || posted.status === 403, note + posted.text);
        assert.equal(patched.json.detail, posted.json.detail, note);
        assert.deepEqual(patched.json.errors, posted.json.errors, note);
      }
      assert.equal((await app.api('GET', location)).text, untouched);
    });
  }

  test('refuse the same members of a credential for the same reason', async () => {
    const { json: account } = await make(ACCOUNTS, { name: 'Strict', permissions: ['a'] });
    const path = `${ACCOUNTS}/${account.clientId}/credentials`;
    const least = (): object => ({ type: 'public_key', publicKey: clientKey('EdDSA').jwk });
    const taken = await make(path, { ...least(), name: 'taken' });
    assert.equal(taken.json.name, 'taken');
    const location = (await make(path, least())).headers.get('location') ?? '';
    for (const body of [
      { name: 'taken' },
      { name: '' },
      { expiresIn: 0 },
      { expiresIn: 'P2Y' },
      { extend: true },
      { permissions: ['b'] },
      { assertionMaxTtl: 0 },
      { assertionMaxTtl: 86_401 },
      { assertionAudiences: ['a b'] },
    ]) {
      const note = JSON.stringify(body);
      const posted = await app.api('POST', path, { ...least(), ...body });
      const patched = await app.api('PATCH', location, body);
      assertRefused(app, posted, posted.status, posted.json.code, note);
      assertRefused(app, patched, posted.status, posted.json.code, note);
      assert.ok([400, 409, 422].includes(posted.status), note + posted.text);
      assert.equal(patched.json.detail, posted.json.detail, note);
    }
  });

  test('E-02 require writ.roles.bind of a caller that gives an account roles or groups', async () => {
    const manage = ['writ.serviceaccounts.manage', 'writ.serviceaccounts.view', 'writ.companies.view', 'a'];
    await make(`${COMPANY}/groups`, { groupId: 'g', name: 'G', permissions: ['a'] });
    const unbound = await makeCaller(app, ACCOUNTS, manage);
    const atShop = await makeCaller(app, ACCOUNTS, [...manage, 'writ.roles.bind@shop', 'writ.companies.view@shop']);
    const free = await makeCaller(app, ACCOUNTS, [...manage, 'writ.roles.bind']);
    const location = (await make(ACCOUNTS, { name: 'Bound' })).headers.get('location') ?? '';
    const input = (body: object) => ({ name: `Bound ${next()}`, audience: 'api://default', ...body });
    const both = async ({ bearer }: ApiCaller, body: object): Promise<Reply[]> => [
      await app.api('POST', ACCOUNTS, input(body), bearer),
      await app.api('PATCH', location, body, bearer),
    ];
    for (const [caller, body, place] of [
      [unbound, { roles: ['guest'] }, ''],
      [unbound, { roles: ['guest@shop'] }, '@shop'],
      [unbound, { role: 'guest' }, ''],
      [unbound, { groups: ['g'] }, ''],
      [unbound, { permissions: ['a'], groups: ['g'] }, ''],
      [atShop, { roles: ['guest'] }, ''],
      [atShop, { roles: ['guest@other'] }, '@other'],
      [atShop, { groups: ['g'] }, ''],
    ] as const) {
      for (const refused of await both(caller, body)) {
        assertRefused(app, refused, 403, 'insufficient_scope', JSON.stringify(body));
        assert.equal(refused.json.required, `writ.roles.bind${place}`);
      }
    }
    assert.deepEqual((await app.api('GET', location)).json.roles, []);
    for (const [caller, body] of [
      [unbound, { permissions: ['a'] }],
      [atShop, { roles: ['guest@shop'] }],
      [free, { roles: ['guest', 'guest@other'] }],
      [free, { groups: ['g'] }],
    ] as const) {
      const [posted, patched] = await both(caller, body);
      assert.deepEqual([posted?.status, patched?.status], [201, 200], `${posted?.text} ${patched?.text}`);
    }
  });

  test('let an account have ten keys that have not expired, whether they are disabled or not', async () => {
    const keys = (count: number, input: object): object[] =>
      Array.from({ length: count }, () => ({ type: 'public_key', publicKey: clientKey('EdDSA').jwk, ...input }));
    const { json: account } = await make(ACCOUNTS, {
      name: 'Full',
      credentials: [...keys(2, { expiresIn: 60 }), ...keys(8, {})],
    });
    const path = `${ACCOUNTS}/${account.clientId}/credentials`;
    const [first] = account.credentials;
    await app.api('PATCH', `${path}/${first.credentialId}`, { state: 'disabled' });
    const add = () => app.api('POST', path, keys(1, {})[0]);
    assertRefused(app, await add(), 422, 'limit_reached');
    clock.forward(61_000);
    const { json: last } = await add();
    assert.equal((await add()).status, 201);
    assertRefused(app, await add(), 422, 'limit_reached');
    // An expired key cannot get more time while the account has ten other keys.
    const revive = () => app.api('PATCH', `${path}/${first.credentialId}`, { expiresIn: 60 });
    assertRefused(app, await revive(), 422, 'limit_reached');
    await app.api('DELETE', `${path}/${last.credentialId}`);
    assert.equal((await revive()).status, 200);
  });
});
