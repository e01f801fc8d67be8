import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { decodeJwt } from 'jose';
import { exchangeOf, registerAccount } from '../support/accounts.ts';
import type { Reply } from '../support/api-contract.ts';
import { lastRefusal } from '../support/assertions.ts';
import { apiToken, assertRefused, makeCompany } from '../support/companies.ts';
import { embeddedAndNewest, onEachDatabase } from '../support/databases.ts';
import { dpopKey, dpopProof } from '../support/dpop.ts';
import { useTestApp } from '../support/test-app.ts';

const ACCOUNTS = '/api/companies/acme/service-accounts';
const PAYMENTS = 'https://payments.example.com';
const key = await dpopKey();

interface Client {
  readonly clientId: string;
  readonly clientSecret: string;
}

onEachDatabase(
  'a token that must be bound to a key',
  (kind) => {
    const app = useTestApp(kind);
    let payments: string;
    before(async () => {
      await makeCompany(app, 'acme');
      const { json, text } = await app.api('POST', '/api/resource-servers', {
        identifier: PAYMENTS,
        name: 'Payments',
        permissions: [{ name: 'pay' }],
        senderConstraint: 'dpop',
      });
      assert.equal(json.senderConstraint, 'dpop', text);
      payments = `/api/resource-servers/${json.resourceServerId}`;
    });

    const ask = (client: Client, proof?: string, parameters: Record<string, string> = {}): Promise<Reply> =>
      app.request('/oauth/token', {
        method: 'POST',
        headers: {
          Authorization: `Basic ${btoa(`${client.clientId}:${client.clientSecret}`)}`,
          ...(proof !== undefined && { DPoP: proof }),
        },
        body: new URLSearchParams({ grant_type: 'client_credentials', ...parameters }),
      });
    const proof = (): string => dpopProof(key, { htu: `${app.issuer}/oauth/token` });

    async function refused(reply: Reply, words: RegExp): Promise<void> {
      assert.deepEqual([reply.status, reply.json.error], [400, 'invalid_grant'], reply.text);
      assert.match(reply.json.error_description, words);
      assert.equal(lastRefusal(app)['reason'], 'invalid_grant');
    }

    test('is asked for by an account, for all its tokens', async () => {
      const strict = await registerAccount(app, { senderConstraint: 'dpop', permissions: ['read'] }, ACCOUNTS);
      const { json, headers } = await app.api('GET', strict.path);
      assert.equal(json.senderConstraint, 'dpop');
      for (const parameters of [{}, { resource: `${app.issuer}/api` }]) {
        await refused(await ask(strict, undefined, parameters), /a token of this account must be bound to a key/);
        const good = await ask(strict, proof(), parameters);
        assert.deepEqual([good.status, good.json.token_type], [200, 'DPoP'], good.text);
      }
      const { json: planned } = await app.api('GET', `${strict.path}/effective-permissions`);
      assert.deepEqual(planned.token.senderConstraints, ['dpop']);
      // The change acts on the next token, and stands in the audit.
      const changed = await app.api('PATCH', strict.path, { senderConstraint: 'none' }, undefined, {
        'If-Match': headers.get('etag') ?? '',
      });
      assert.deepEqual([changed.status, changed.json.senderConstraint], [200, 'none'], changed.text);
      assert.equal((await ask(strict)).status, 200);
      await app.api('PATCH', strict.path, { senderConstraint: 'dpop' });
      assert.equal((await ask(strict)).status, 400);
      const { json: audit } = await app.api(
        'GET',
        `/api/audit-events?target=${strict.clientId}&action=service_account.changed`,
      );
      assert.deepEqual(audit[0].details.senderConstraint, { from: 'none', to: 'dpop' });
    });

    test('is asked for by a resource server, for every account, and not for the tokens of others', async () => {
      const payer = await registerAccount(app, { permissions: ['pay', 'read'], audience: 'api://default' }, ACCOUNTS);
      assert.equal((await app.api('GET', payer.path)).json.senderConstraint, 'none');
      assert.equal((await ask(payer)).status, 200);
      const resource = { resource: PAYMENTS };
      await refused(
        await ask(payer, undefined, resource),
        /a token for https:\/\/payments\.example\.com must be bound/,
      );
      const good = await ask(payer, proof(), resource);
      assert.deepEqual([good.status, decodeJwt(good.json.access_token)['cnf']], [200, { jkt: key.jkt }]);
      await app.api('PATCH', payments, { senderConstraint: 'none' });
      assert.equal((await ask(payer, undefined, resource)).status, 200);
      await app.api('PATCH', payments, { senderConstraint: 'dpop' });
      assert.equal((await ask(payer, undefined, resource)).status, 400);
    });

    test('is not to be had by an API key, by impersonation or by an exchange without a proof', async () => {
      const strict = await registerAccount(
        app,
        {
          senderConstraint: 'dpop',
          permissions: ['read'],
          credentials: [{ type: 'client_secret' }, { type: 'api_key', audience: 'api://default' }],
        },
        ACCOUNTS,
      );
      const { json } = await app.api('POST', `${strict.path}/credentials`, {
        type: 'api_key',
        audience: 'api://default',
      });
      const exchange = (headers: Record<string, string>): Promise<Reply> =>
        app.request('/oauth/token', { method: 'POST', headers, body: new URLSearchParams(exchangeOf(json.apiKey)) });
      await refused(await exchange({}), /must be bound to a key/);
      assert.equal((await exchange({ DPoP: proof() })).json.token_type, 'DPoP');
      const bearer = await apiToken(
        app,
        await registerAccount(app, { permissions: [], roles: ['company-owner'] }, ACCOUNTS),
      );
      await app.api('PATCH', '/api/companies/acme', { grantable: [{ resource: 'api://default' }] });
      const impersonated = await app.api('POST', `${strict.path}/impersonate`, { reason: 'Ticket 1' }, bearer);
      assertRefused(app, impersonated, 403, 'forbidden');
      assert.match(impersonated.json.detail, /must be bound to a key/);
    });

    test('is none of another kind, and no other value', async () => {
      const wrong = await app.api('POST', ACCOUNTS, { name: 'Wrong', senderConstraint: 'mac' });
      assertRefused(app, wrong, 422, 'invalid_body');
      const none = await app.api('POST', ACCOUNTS, { name: 'None', senderConstraint: null });
      assert.equal(none.status, 400, none.text);
    });
  },
  embeddedAndNewest,
);
