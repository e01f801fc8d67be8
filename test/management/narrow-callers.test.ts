import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import type { Reply } from '../support/api-contract.ts';
import { clientKey } from '../support/assertions.ts';
import { type ApiCaller, apiToken, assertRefused, makeCaller, makeCompany } from '../support/companies.ts';
import { postgres18 } from '../support/databases.ts';
import { useTestApp } from '../support/test-app.ts';

const ACCOUNTS = '/api/companies/a/service-accounts';
const GROUPS = '/api/companies/a/groups';
const MANAGE = [
  'writ.serviceaccounts.manage',
  'writ.credentials.manage',
  'writ.roles.bind',
  'writ.roles.manage',
  'writ.serviceaccounts.view',
  'writ.activity.view',
  'writ.companies.view',
];

describe('the permissions that a caller may grant', () => {
  const app = useTestApp(postgres18);
  before(() => makeCompany(app, 'a'));

  /** Adds a credential to the account that does not reach `pay`. @returns a token of the credential */
  async function restricted(account: ApiCaller, credential: object): Promise<string> {
    const { status, json, text } = await app.api('POST', `${ACCOUNTS}/${account.clientId}/credentials`, credential);
    assert.equal(status, 201, text);
    if (json.type !== 'api_key') return apiToken(app, { ...account, clientSecret: json.clientSecret });
    const exchanged = await app.request('/oauth/token', {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
        subject_token: json.apiKey ?? json.clientSecret,
        subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      }),
    });
    assert.equal(exchanged.status, 200, exchanged.text);
    return exchanged.json.access_token;
  }

  for (const [kind, credential] of [
    ['a secret with permissions of its own', { type: 'client_secret', permissions: MANAGE }],
    ['an API key for the management API', { type: 'api_key', audience: 'management' }],
  ] as const) {
    test(`E-02 are limited, in every kind of write, to those of ${kind}`, async () => {
      const account = await makeCaller(app, ACCOUNTS, [...MANAGE, 'pay']);
      const audience = `${app.issuer}/api`;
      const bearer = await restricted(
        account,
        credential.type === 'api_key' ? { ...credential, audience } : credential,
      );
      const { json: other } = await app.api('POST', ACCOUNTS, { name: `Other of ${kind}` });
      const { json: stronger } = await app.api('POST', ACCOUNTS, { name: `Strong of ${kind}`, permissions: ['pay'] });
      const { json: group } = await app.api('POST', GROUPS, { name: `Team of ${kind}`, permissions: ['pay'] });
      const writes: [string, string, object?][] = [
        ['POST', ACCOUNTS, { name: 'Made', permissions: ['pay'] }],
        ['POST', ACCOUNTS, { name: 'Made', permissions: ['pay@shop'] }],
        ['PATCH', `${ACCOUNTS}/${other.clientId}`, { permissions: ['pay'] }],
        ['PUT', `${ACCOUNTS}/${other.clientId}/permissions/pay`],
        ['PATCH', `${ACCOUNTS}/${other.clientId}`, { groups: [group.groupId] }],
        ['PATCH', `${GROUPS}/${group.groupId}`, { members: [other.clientId] }],
        ['POST', `${ACCOUNTS}/${stronger.clientId}/credentials`, { type: 'client_secret' }],
        ['POST', `${ACCOUNTS}/${account.clientId}/credentials`, { type: 'client_secret' }],
        ['POST', `${ACCOUNTS}/${account.clientId}/credentials`, { type: 'client_secret', permissions: ['pay'] }],
      ];
      for (const [method, path, body] of writes) {
        assertRefused(app, await app.api(method, path, body, bearer), 403, 'forbidden', `${method} ${path}`);
      }
      // The account may make these writes with an unrestricted credential.
      for (const [method, path, body] of writes) {
        const reply = await app.api(method, path, body, account.bearer);
        assert.ok(reply.status < 300 || reply.status === 409, `${method} ${path} ${reply.text}`);
      }
      // A caller may give the permissions that the credential reaches.
      const given = await app.api(
        'POST',
        ACCOUNTS,
        { name: `Viewer of ${kind}`, permissions: ['writ.companies.view'] },
        bearer,
      );
      assert.equal(given.status, 201, given.text);
    });
  }

  test('E-02 include a role only if the credential reaches its permissions, whatever role its account has', async () => {
    await app.api('PATCH', '/api/roles/reporter', { permissions: ['pay'] });
    const { json } = await app.api('POST', ACCOUNTS, { name: 'Administrator', roles: ['company-owner'] });
    const owner = { ...json, bearer: await apiToken(app, json) };
    const { json: other } = await app.api('POST', ACCOUNTS, { name: 'Bound', audience: 'api://default' });
    const bind = (bearer: string): Promise<Reply> =>
      app.api('PUT', `${ACCOUNTS}/${other.clientId}/roles/reporter`, undefined, bearer);
    const bearer = await restricted(owner, { type: 'client_secret', permissions: MANAGE });
    assertRefused(app, await bind(bearer), 403, 'forbidden');
    assert.equal((await bind(owner.bearer)).status, 204);
  });
});

describe('a change of a stronger account', () => {
  const app = useTestApp(postgres18);
  let weak: ApiCaller;
  before(async () => {
    await makeCompany(app, 'a');
    weak = await makeCaller(app, ACCOUNTS, MANAGE);
  });

  /** Registers an account that may `pay`, with a public key that the test changes. */
  async function strong(credential: object = {}): Promise<{ path: string; key: string }> {
    const { json, status, text } = await app.api('POST', ACCOUNTS, {
      name: 'Strong',
      slug: `strong-${process.hrtime.bigint()}`,
      permissions: ['pay'],
      credentials: [{ type: 'public_key', publicKey: clientKey('ES256').jwk, ...credential }],
    });
    assert.equal(status, 201, text);
    const path = `${ACCOUNTS}/${json.clientId}`;
    return { path, key: `${path}/credentials/${json.credentials[0].credentialId}` };
  }

  for (const [what, credential, change] of [
    ['more audiences', {}, { assertionAudiences: ['https://other.example'] }],
    [
      'another audience',
      { assertionAudiences: ['https://one.example'] },
      { assertionAudiences: ['https://two.example'] },
    ],
    ['longer assertions', {}, { assertionMaxTtl: 86_400 }],
    ['slightly longer assertions', { assertionMaxTtl: 60 }, { assertionMaxTtl: 61 }],
    ['the longest assertions of the server', { assertionMaxTtl: 60 }, { assertionMaxTtl: null }],
    ['a longer lifetime', { expiresIn: 60 }, { expiresIn: 3600 }],
    ['a lifetime without end', { expiresIn: 60 }, { expiresIn: null }],
    ['a lifetime that its uses extend', { expiresIn: 60 }, { extend: true }],
    ['all permissions', { permissions: [] }, { permissions: null }],
    ['more permissions', { permissions: ['pay@shop'] }, { permissions: ['pay'] }],
  ] as const) {
    test(`E-06 a caller with fewer permissions cannot give a key of the account ${what}`, async () => {
      const { key } = await strong(credential);
      assertRefused(app, await app.api('PATCH', key, change, weak.bearer), 403, 'forbidden');
      const all = { ...change, name: 'Also named' };
      assertRefused(app, await app.api('PATCH', key, all, weak.bearer), 403, 'forbidden');
      assert.equal((await app.api('PATCH', key, change)).status, 200);
    });
  }

  for (const [what, credential, change] of [
    ['fewer audiences', { assertionAudiences: ['https://one.example'] }, { assertionAudiences: [] }],
    ['shorter assertions', {}, { assertionMaxTtl: 60 }],
    ['an expiry', {}, { expiresIn: 3600 }],
    ['an earlier expiry', { expiresIn: 3600 }, { expiresIn: 60 }],
    ['fewer permissions', { permissions: ['pay'] }, { permissions: ['pay@shop'] }],
    ['a part of the permissions', {}, { permissions: ['pay@shop'] }],
    ['another name', {}, { name: 'Renamed', description: 'x' }],
    ['the state disabled', {}, { state: 'disabled' }],
  ] as const) {
    test(`a caller with fewer permissions may give a key of the account ${what}`, async () => {
      const { key } = await strong(credential);
      const reply = await app.api('PATCH', key, change, weak.bearer);
      assert.equal(reply.status, 200, reply.text);
    });
  }

  test('E-02 a caller with fewer permissions may disable the account or its key, and may not enable them', async () => {
    const { path, key } = await strong();
    assert.equal((await app.api('PATCH', path, { state: 'disabled' }, weak.bearer)).status, 200);
    for (const change of [{ state: 'enabled' }, { state: 'enabled', name: 'Named' }]) {
      assertRefused(app, await app.api('PATCH', path, change, weak.bearer), 403, 'forbidden');
    }
    assert.equal((await app.api('PATCH', path, { name: 'Named' }, weak.bearer)).status, 200);
    assert.equal((await app.api('PATCH', path, { state: 'enabled' })).status, 200);
    // It is no change to set the state of an enabled account to enabled.
    assert.equal((await app.api('PATCH', path, { state: 'enabled' }, weak.bearer)).status, 200);
    assert.equal((await app.api('PATCH', key, { state: 'disabled' }, weak.bearer)).status, 200);
    assertRefused(app, await app.api('PATCH', key, { state: 'enabled' }, weak.bearer), 403, 'forbidden');
  });
});
