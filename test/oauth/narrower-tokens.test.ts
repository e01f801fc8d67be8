import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { decodeJwt } from 'jose';
import type { Reply } from '../support/api-contract.ts';
import { lastRefusal } from '../support/assertions.ts';
import { makeCompany } from '../support/companies.ts';
import { embeddedAndNewest, onEachDatabase } from '../support/databases.ts';
import { testClock } from '../support/test-clock.ts';
import { useTestApp } from '../support/test-app.ts';

const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';

onEachDatabase(
  'an access token that its bearer exchanges for a narrower one',
  (kind) => {
    const clock = testClock();
    const app = useTestApp(kind, {}, { clock });
    let account: { clientId: string; clientSecret: string };
    let path: string;
    before(async () => {
      await makeCompany(app, 'acme');
      const { json } = await app.api('POST', '/api/companies/acme/service-accounts', {
        name: 'Worker',
        permissions: ['read', 'write', 'deploy@shop'],
      });
      account = json;
      path = `/api/companies/acme/service-accounts/${json.clientId}`;
    });

    const exchange = (token: string, parameters: Record<string, string> = {}): Promise<Reply> =>
      app.request('/oauth/token', {
        method: 'POST',
        body: new URLSearchParams({
          grant_type: EXCHANGE,
          subject_token: token,
          subject_token_type: ACCESS_TOKEN,
          ...parameters,
        }),
      });
    const first = async (parameters: Record<string, string> = {}): Promise<string> =>
      (await app.token(account, parameters)).json.access_token;

    test('has a part of its permissions, the same audience, and its status', async () => {
      const token = await first();
      const { status, json, text } = await exchange(token, { scope: 'read deploy@shop/prod' });
      assert.equal(status, 200, text);
      const [whole, part] = [decodeJwt(token), decodeJwt(json.access_token)];
      assert.deepEqual(part['permissions'], ['deploy@shop/prod', 'read']);
      assert.deepEqual(
        [part.sub, part.aud, part['company_id'], part['status']],
        [whole.sub, whole.aud, whole['company_id'], whole['status']],
      );
      assert.equal(json.issued_token_type, ACCESS_TOKEN);
      assert.notEqual(part.jti, whole.jti);
      // A narrower token can be narrowed again, and never gets back what it has not.
      const again = await exchange(json.access_token, { scope: 'read' });
      assert.deepEqual(decodeJwt(again.json.access_token)['permissions'], ['read']);
      const wider = await exchange(again.json.access_token);
      assert.deepEqual(decodeJwt(wider.json.access_token)['permissions'], ['read']);
      for (const scope of ['write', 'read write', 'deploy@shop/prod']) {
        const refused = await exchange(again.json.access_token, { scope });
        assert.deepEqual([refused.status, refused.json.error], [400, 'invalid_scope'], scope);
      }
    });

    test('never lasts longer than the first', async () => {
      const token = await first();
      clock.forward(600_000);
      const { json } = await exchange(token, { scope: 'read' });
      const [whole, part] = [decodeJwt(token), decodeJwt(json.access_token)];
      assert.ok(Number(part.exp) <= Number(whole.exp), `${part.exp} ${whole.exp}`);
      assert.ok(json.expires_in <= 300);
      clock.forward(301_000);
      const late = await exchange(token, { scope: 'read' });
      assert.deepEqual([late.status, late.json.error], [400, 'invalid_request']);
      assert.equal(lastRefusal(app)['reason'], 'token_inactive');
      clock.forward(-901_000);
    });

    test('stays at its audience', async () => {
      const token = await first({ resource: `${app.issuer}/api` });
      const { json } = await exchange(token);
      assert.equal(decodeJwt(json.access_token).aud, `${app.issuer}/api`);
      const other = await exchange(token, { resource: 'api://default' });
      assert.deepEqual([other.status, other.json.error], [400, 'invalid_target']);
    });

    test('lacks what the account has lost meanwhile', async () => {
      const token = await first();
      await app.api('DELETE', `${path}/permissions/write`);
      const { json } = await exchange(token);
      assert.deepEqual(decodeJwt(json.access_token)['permissions'], ['deploy@shop', 'read']);
      await app.api('PUT', `${path}/permissions/write`);
    });

    test('is not had for a token that does not work, and the answer does not say why', async () => {
      const token = await first();
      const texts = new Set<string>();
      const refused = async (subject: string, reason: string): Promise<void> => {
        const reply = await exchange(subject);
        assert.deepEqual([reply.status, reply.json.error], [400, 'invalid_request'], reply.text);
        assert.equal(lastRefusal(app)['reason'], reason);
        texts.add(reply.text.replace(reply.json.request_id, ''));
      };
      await refused(`${token.slice(0, -8)}AAAAAAAA`, 'token_inactive');
      await refused('e30.e30.e30', 'token_inactive');
      await refused('not-a-token', 'subject_token_unknown');
      const revoked = await first();
      await app.asClient('/oauth/revoke', account, { token: revoked });
      await refused(revoked, 'token_inactive');
      await app.api('PATCH', path, { state: 'disabled' });
      await refused(token, 'token_inactive');
      await app.api('PATCH', path, { state: 'enabled' });
      await refused(token, 'token_inactive');
      assert.equal(texts.size, 1);
    });

    test('dies with the first when its credential ends', async () => {
      const token = await first();
      const { json } = await exchange(token, { scope: 'read' });
      const active = async (): Promise<boolean> =>
        (await app.asClient('/oauth/introspect', account, { token: json.access_token })).json.active;
      assert.equal(await active(), true);
      const { json: credentials } = await app.api('GET', `${path}/credentials`);
      const { json: added } = await app.api('POST', `${path}/credentials`, { type: 'client_secret', name: 'other' });
      await app.api('PATCH', `${path}/credentials/${credentials[0].credentialId}`, { state: 'disabled' });
      const other = { clientId: account.clientId, clientSecret: added.clientSecret };
      const { json: answer } = await app.asClient('/oauth/introspect', other, { token: json.access_token });
      assert.deepEqual(answer, { active: false });
    });
  },
  embeddedAndNewest,
);
