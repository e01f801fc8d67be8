import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { createLocalJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose';
import { exchange, type RegisteredAccount, registerAccount } from '../support/accounts.ts';
import type { Reply } from '../support/api-contract.ts';
import { lastRefusal } from '../support/assertions.ts';
import { type ApiCaller, apiToken, assertRefused, makeCaller, makeCompany } from '../support/companies.ts';
import { ROOT } from '../support/config.ts';
import { embeddedAndNewest, onEachDatabase } from '../support/databases.ts';
import { useTestApp } from '../support/test-app.ts';

const ACCOUNTS = '/api/companies/acme/service-accounts';
const ORDERS = 'https://orders.example.com';
const REASON = { reason: 'Ticket 4711: orders are missing' };

onEachDatabase(
  'an account that gets a token as another account',
  (kind) => {
    const app = useTestApp(kind);
    let worker: RegisteredAccount;
    let owner: RegisteredAccount;
    let ownerToken: string;
    before(async () => {
      await makeCompany(app, 'acme');
      await makeCompany(app, 'other');
      await app.api('POST', '/api/resource-servers', {
        identifier: ORDERS,
        name: 'Orders',
        permissions: [{ name: 'read' }, { name: 'write' }, { name: 'purge' }],
        signingAlg: 'RS256',
        tokenType: 'JWT',
        tokenTtl: 600,
      });
      await app.api('PATCH', '/api/companies/acme', { grantable: ['read', 'write'] });
      worker = await registerAccount(app, { audience: ORDERS, permissions: ['read', 'write@shop'] }, ACCOUNTS);
      owner = await registerAccount(app, { permissions: [], roles: ['company-owner'] }, ACCOUNTS);
      ownerToken = await apiToken(app, owner);
    });

    const impersonate = (path: string, body: object = {}, bearer: string | undefined = ownerToken): Promise<Reply> =>
      app.api('POST', `${path}/impersonate`, { ...REASON, ...body }, bearer);
    async function tokenAs(path: string, body: object = {}, bearer?: string): Promise<string> {
      const { status, json, text } = await impersonate(path, body, bearer);
      assert.equal(status, 200, text);
      return json.access_token;
    }
    const manager = (...permissions: readonly string[]): Promise<ApiCaller> =>
      makeCaller(app, ACCOUNTS, ['writ.serviceaccounts.impersonate', ...permissions]);
    const introspect = async (token: string): Promise<Reply> => app.asClient('/oauth/introspect', ROOT, { token });
    const tokenInfo = (token: string): Promise<Reply> =>
      app.request('/tokeninfo', { headers: { Authorization: `Bearer ${token}` } });

    test('gets the claims of the other account, names itself in act, and puts its own credential at stake', async () => {
      const { status, json, headers, text } = await impersonate(worker.path);
      assert.equal(status, 200, text);
      assert.deepEqual([json.token_type, json.expires_in, json.scope], ['Bearer', 600, 'read write@shop']);
      assert.equal(headers.get('cache-control'), 'no-store');
      const shown = decodeJwt(json.access_token);
      const own = decodeJwt((await app.token(worker)).json.access_token);
      const { act, status: ending, jti, iat, exp, ...claims } = shown;
      const { status: ownEnding, jti: ownJti, iat: _, exp: __, ...ownClaims } = own;
      assert.deepEqual(claims, ownClaims);
      assert.deepEqual(act, { sub: owner.clientId });
      assert.deepEqual(ending, decodeJwt(ownerToken)['status']);
      assert.notDeepEqual(ending, ownEnding);
      assert.notEqual(jti, ownJti);
      assert.equal(Number(exp) - Number(iat), 600);
      // The resource server asks for this algorithm and this type.
      const header = decodeProtectedHeader(json.access_token);
      assert.deepEqual([header.alg, header.typ], ['RS256', 'JWT']);
      const { json: jwks } = await app.request('/.well-known/jwks.json');
      await jwtVerify(json.access_token, createLocalJWKSet(jwks), { issuer: app.issuer, audience: ORDERS });
    });

    test('may ask for less: a scope, another resource server, a shorter time', async () => {
      const narrow = await impersonate(worker.path, { scope: 'read@shop', expiresIn: 'PT1M' });
      assert.deepEqual([narrow.status, narrow.json.scope, narrow.json.expires_in], [200, 'read@shop', 60], narrow.text);
      assert.deepEqual(decodeJwt(narrow.json.access_token)['permissions'], ['read@shop']);
      const api = decodeJwt(await tokenAs(worker.path, { resource: `${app.issuer}/api` }));
      assert.deepEqual([api.aud, api['permissions'], api['scope']], [`${app.issuer}/api`, [], undefined]);
      const long = await app.api('POST', ACCOUNTS, { name: 'Long', permissions: [], tokenTtl: 3600 });
      const { json } = await impersonate(`${ACCOUNTS}/${long.json.clientId}`);
      assert.equal(json.expires_in, 900);
    });

    test('is told what the other account would not get, and which time is too long', async () => {
      const refused = async (body: object, pointer: string, words: RegExp): Promise<void> => {
        const reply = await impersonate(worker.path, body);
        assertRefused(app, reply, 422, 'invalid_body');
        assert.equal(reply.json.errors[0].pointer, pointer);
        assert.match(reply.json.errors[0].message, words);
      };
      await refused({ scope: 'purge' }, '/scope', /not held at https:\/\/orders\.example\.com: purge/);
      await refused({ resource: 'https://nowhere.example.com' }, '/resource', /names no resource server/);
      await refused({ expiresIn: 901 }, '/expiresIn', /1 to 900 seconds/);
      await refused({ expiresIn: 'PT16M' }, '/expiresIn', /1 to 900 seconds/);
      await refused({ expiresIn: 0 }, '/expiresIn', />= 1/);
      await refused({ reason: ' ' }, '/reason', /not blank/);
      await refused({ reason: 'two\nlines' }, '/reason', /on one line/);
      for (const body of [{ reason: undefined }, { clientId: 'sa_1' }]) {
        assertRefused(app, await impersonate(worker.path, body), 400, 'invalid_body', JSON.stringify(body));
      }
    });

    test('stands in the audit with the other account, the reason and the token, and root only as root', async () => {
      const token = await tokenAs(worker.path, { scope: 'read', expiresIn: 30 });
      const { json } = await app.api('GET', '/api/companies/acme/audit-events?limit=1', undefined, ownerToken);
      const [event] = json;
      assert.deepEqual(
        [event.action, event.target, event.actor.clientId],
        ['service_account.impersonated', worker.clientId, owner.clientId],
      );
      assert.deepEqual(event.details, {
        ...REASON,
        audience: ORDERS,
        scope: 'read',
        expiresIn: 30,
        jti: decodeJwt(token).jti,
      });
      const byRoot = decodeJwt(await tokenAs(worker.path, {}, await app.rootToken()));
      assert.deepEqual(byRoot['act'], { sub: ROOT.clientId });
      const { json: seen } = await app.api('GET', '/api/companies/acme/audit-events?limit=1', undefined, ownerToken);
      assert.deepEqual(seen[0].actor, { type: 'service_account', clientId: 'root' });
      assert.equal(seen[0].details.jti, byRoot.jti);
    });

    test('gets nothing without the permission in its token and in its whole company', async () => {
      const narrow = await apiToken(app, owner, 'writ.serviceaccounts.manage');
      assertRefused(app, await impersonate(worker.path, {}, narrow), 403, 'insufficient_scope');
      const local = await makeCaller(app, ACCOUNTS, ['writ.serviceaccounts.impersonate@shop']);
      assertRefused(app, await impersonate(worker.path, {}, local.bearer), 403, 'insufficient_scope');
      assertRefused(app, await impersonate(worker.path, {}, 'nonsense'), 401, 'unauthorized');
    });

    test('E-02 gets nothing of an account that may do more than the caller may grant', async () => {
      const { json } = await app.api('POST', ACCOUNTS, { name: 'Purger', audience: ORDERS, permissions: ['purge'] });
      const purger = `${ACCOUNTS}/${json.clientId}`;
      const refused = await impersonate(purger, { resource: `${app.issuer}/api` });
      assertRefused(app, refused, 403, 'forbidden');
      assert.match(refused.json.detail, /may do more than the caller: purge/);
      // A caller that manages no accounts may not grant what is grantable.
      const weak = await manager();
      assertRefused(app, await impersonate(worker.path, {}, weak.bearer), 403, 'forbidden');
      assertRefused(app, await impersonate(owner.path, {}, weak.bearer), 403, 'forbidden');
      const both = await manager('writ.serviceaccounts.manage');
      assert.equal((await impersonate(worker.path, {}, both.bearer)).status, 200);
      // The permissions of the token count, not those of the account.
      const narrowed = await apiToken(app, both, 'writ.serviceaccounts.impersonate');
      assertRefused(app, await impersonate(worker.path, {}, narrowed), 403, 'forbidden');
      // Through a group, too.
      const group = { name: 'Purgers', permissions: ['purge'], members: [both.clientId] };
      assert.equal((await app.api('POST', '/api/companies/acme/groups', group)).status, 201);
      assertRefused(app, await impersonate(`${ACCOUNTS}/${both.clientId}`), 403, 'forbidden');
    });

    test('gets nothing of itself, of a disabled account, of another company or of root', async () => {
      const self = await impersonate(owner.path);
      assertRefused(app, self, 403, 'forbidden');
      assert.match(self.json.detail, /its own tokens at the token endpoint/);
      const { path } = await registerAccount(app, { state: 'disabled', permissions: [] }, ACCOUNTS);
      const disabled = await impersonate(path);
      assertRefused(app, disabled, 403, 'forbidden');
      assert.match(disabled.json.detail, /disabled/);
      const foreign = await registerAccount(app, { permissions: [] }, '/api/companies/other/service-accounts');
      assertRefused(app, await impersonate(foreign.path), 404, 'not_found');
      assertRefused(app, await impersonate(`${ACCOUNTS}/${foreign.clientId}`), 404, 'not_found');
      assertRefused(app, await impersonate(`${ACCOUNTS}/${ROOT.clientId}`), 404, 'not_found');
      assertRefused(app, await impersonate(`/api/service-accounts/${ROOT.clientId}`), 403, 'forbidden');
    });

    test('sees at the management API what the other account sees, and stands in the audit beside it', async () => {
      const team = await registerAccount(
        app,
        { permissions: ['writ.serviceaccounts.manage', 'writ.serviceaccounts.view'] },
        ACCOUNTS,
      );
      const token = await tokenAs(team.path, { resource: `${app.issuer}/api` });
      const { json: self } = await app.api('GET', '/api/self', undefined, token);
      assert.equal(self.clientId, team.clientId);
      assertRefused(
        app,
        await app.api('GET', '/api/companies/acme/audit-events', undefined, token),
        403,
        'insufficient_scope',
      );
      const made = await app.api('POST', ACCOUNTS, { name: 'Made as the team', permissions: [] }, token);
      assert.equal(made.status, 201, made.text);
      assert.equal(made.json.createdBy, team.clientId);
      const events = `/api/companies/acme/audit-events?actor=${owner.clientId}&target=${made.json.clientId}`;
      const { json } = await app.api('GET', events, undefined, ownerToken);
      assert.deepEqual(
        json.map(({ actor }: { actor: object }) => actor),
        [
          {
            type: 'service_account',
            clientId: owner.clientId,
            credentialId: owner.first.split('/').at(-1),
            impersonates: team.clientId,
          },
        ],
      );
    });

    test('E-02 passes nothing on beyond the permissions of the token', async () => {
      const strong = await registerAccount(
        app,
        {
          audience: `${app.issuer}/api`,
          permissions: ['read', 'writ.roles.manage', 'writ.roles.bind'],
          roles: ['developer'],
        },
        ACCOUNTS,
      );
      const token = await tokenAs(strong.path, { resource: `${app.issuer}/api` });
      const role = (permission: string): Promise<Reply> =>
        app.api('POST', '/api/companies/acme/roles', { name: permission, permissions: [permission] }, token);
      assertRefused(app, await role('read'), 403, 'forbidden');
      assert.equal((await role('writ.roles.bind')).status, 201);
      // Root adds a permission of another API to a built-in role, which a higher role may bind.
      const extended = await app.api('PATCH', '/api/roles/reporter', {
        permissions: [{ permission: 'read', resource: ORDERS }],
      });
      assert.equal(extended.status, 200, extended.text);
      const bind = (bearer: string): Promise<Reply> =>
        app.api('PUT', `${worker.path}/roles/reporter`, undefined, bearer);
      assertRefused(app, await bind(token), 403, 'forbidden');
      assert.equal((await bind(await apiToken(app, strong))).status, 204);
      // The account gets more, the token does not.
      await app.api('PUT', `${strong.path}/permissions/writ.audit.view`);
      const audit = await app.api('GET', '/api/companies/acme/audit-events', undefined, token);
      assertRefused(app, audit, 403, 'insufficient_scope');
      await app.api('DELETE', `${strong.path}/permissions/writ.roles.manage`);
      assertRefused(app, await role('writ.roles.bind'), 403, 'insufficient_scope');
    });

    test('neither impersonates a third account, nor rotates a credential, nor exchanges the token', async () => {
      const second = await manager('writ.serviceaccounts.manage');
      const token = await tokenAs(`${ACCOUNTS}/${second.clientId}`, { resource: `${app.issuer}/api` });
      const third = await impersonate(worker.path, {}, token);
      assertRefused(app, third, 403, 'forbidden');
      assert.match(third.json.detail, /is impersonated impersonates no other/);
      const rotated = await app.api('POST', '/api/self/rotate', {}, token);
      assertRefused(app, rotated, 403, 'forbidden');
      assert.match(rotated.json.detail, /No credential of this account/);
      const exchanged = await exchange(app, token, { scope: 'writ.serviceaccounts.manage' });
      assert.deepEqual([exchanged.status, exchanged.json.error], [400, 'invalid_request']);
      assert.equal(lastRefusal(app)['reason'], 'token_impersonated');
    });

    test('loses the token with its own credential, account or permission, and with the other account', async () => {
      const credentialOf = async ({ clientId }: ApiCaller): Promise<string> => {
        const { json } = await app.api('GET', `${ACCOUNTS}/${clientId}/credentials`);
        return `${ACCOUNTS}/${clientId}/credentials/${json[0].credentialId}`;
      };
      const ends: readonly [string, (caller: ApiCaller, other: RegisteredAccount) => Promise<Reply>][] = [
        ['account_disabled', ({ clientId }) => app.api('PATCH', `${ACCOUNTS}/${clientId}`, { state: 'disabled' })],
        ['account_unknown', ({ clientId }) => app.api('DELETE', `${ACCOUNTS}/${clientId}`)],
        [
          'credential_revoked',
          ({ clientId }) => app.api('DELETE', `${ACCOUNTS}/${clientId}/permissions/writ.serviceaccounts.impersonate`),
        ],
        ['credential_revoked', async (caller) => app.api('DELETE', await credentialOf(caller))],
        [
          'credential_revoked',
          async (caller) =>
            app.api('PATCH', await credentialOf(caller), { permissions: ['writ.serviceaccounts.view'] }),
        ],
        ['account_disabled', (_, { path }) => app.api('PATCH', path, { state: 'disabled' })],
      ];
      for (const [number, [reason, end]] of ends.entries()) {
        const caller = await manager('writ.serviceaccounts.view');
        const other = await registerAccount(app, { permissions: ['writ.serviceaccounts.view'] }, ACCOUNTS);
        const token = await tokenAs(other.path, { resource: `${app.issuer}/api` }, caller.bearer);
        assert.equal((await introspect(token)).json.active, true);
        assert.deepEqual((await tokenInfo(token)).json.act, { sub: caller.clientId });
        assert.equal((await app.api('GET', ACCOUNTS, undefined, token)).status, 200);
        const ended = await end(caller, other);
        assert.ok(ended.status < 300, ended.text);
        assert.equal((await introspect(token)).json.active, false, `introspection ${number}`);
        assert.equal((await tokenInfo(token)).status, 401, `tokeninfo ${number}`);
        const refused = await app.api('GET', ACCOUNTS, undefined, token);
        assertRefused(app, refused, 401, 'unauthorized', `api ${number}`);
        const line = app.log().findLast(({ requestId }) => requestId === refused.json.requestId);
        assert.equal(line?.['reason'], reason, `api ${number}`);
      }
    });

    test('introspects and revokes the token, and its own name stands in the audit', async () => {
      const token = await tokenAs(worker.path);
      const asked = await app.asClient('/oauth/introspect', owner, { token });
      assert.deepEqual([asked.json.active, asked.json.act], [true, { sub: owner.clientId }]);
      const stranger = await registerAccount(app, {}, ACCOUNTS);
      assert.equal((await app.asClient('/oauth/revoke', stranger, { token })).status, 400);
      assert.equal((await introspect(token)).json.active, true);
      assert.equal((await app.asClient('/oauth/revoke', owner, { token })).status, 200);
      assert.equal((await introspect(token)).json.active, false);
      const { json } = await app.api('GET', '/api/companies/acme/audit-events?action=token.revoked&limit=1');
      assert.deepEqual([json[0].target, json[0].actor.clientId], [decodeJwt(token).jti, owner.clientId]);
    });
  },
  embeddedAndNewest,
);
