import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { auth, ClientCredentialsProvider, DpopSession, withDpopFromProvider } from '@modelcontextprotocol/client';
import { decodeJwt } from 'jose';
import * as oidc from 'openid-client';
import { registerAccount, type RegisteredAccount } from '../support/accounts.ts';
import { clientKey, registerWithKeys } from '../support/assertions.ts';
import { embedded, onEachDatabase, postgres18 } from '../support/databases.ts';
import { dpopKey, dpopProof } from '../support/dpop.ts';
import { rawRequest } from '../support/raw-request.ts';
import { useTestApp } from '../support/test-app.ts';

for (const nonce of ['optional', 'required']) {
  onEachDatabase(
    `a client library with proofs of possession, where a nonce is ${nonce}`,
    (kind) => {
      const app = useTestApp(kind, { WRIT_DPOP_NONCE: nonce });
      let client: RegisteredAccount;
      before(async () => {
        client = await registerAccount(app, {
          permissions: ['writ.serviceaccounts.view'],
          audience: `${app.issuer}/api`,
        });
      });

      for (const alg of ['ES256', 'PS256', 'Ed25519']) {
        test(`gets a token and uses it, as openid-client with ${alg}`, async () => {
          const config = await oidc.discovery(
            new URL(app.issuer),
            client.clientId,
            undefined,
            oidc.ClientSecretBasic(client.clientSecret),
            { execute: [oidc.allowInsecureRequests], algorithm: 'oauth2' },
          );
          const handle = oidc.getDPoPHandle(config, await oidc.randomDPoPKeyPair(alg));
          const token = await oidc.clientCredentialsGrant(config, {}, { DPoP: handle });
          assert.equal(token.token_type, 'dpop');
          const jkt = await handle.calculateThumbprint();
          assert.deepEqual(decodeJwt(token.access_token)['cnf'], { jkt });
          for (let call = 0; call < 2; call += 1) {
            const url = new URL(`${app.issuer}/api/self?`);
            const reply = await oidc.fetchProtectedResource(config, token.access_token, url, 'GET', null, undefined, {
              DPoP: handle,
            });
            const self: { clientId?: string } = (await reply.json()) as object;
            assert.equal(self.clientId, client.clientId);
          }
          const asked = await oidc.tokenIntrospection(config, token.access_token);
          assert.deepEqual([asked.active, asked.token_type, asked.cnf], [true, 'DPoP', { jkt }]);
        });
      }

      test('signs a new assertion with each proof, as openid-client by key', async () => {
        const key = clientKey('ES256', 'one');
        const { clientId } = await registerWithKeys(app, 'By key', [key]);
        const privateKey = await crypto.subtle.importKey(
          'jwk',
          key.privateKey.export({ format: 'jwk' }),
          { name: 'ECDSA', namedCurve: 'P-256' },
          false,
          ['sign'],
        );
        const config = await oidc.discovery(
          new URL(app.issuer),
          clientId,
          undefined,
          oidc.PrivateKeyJwt({ key: privateKey, kid: 'one' }),
          { execute: [oidc.allowInsecureRequests], algorithm: 'oauth2' },
        );
        const handle = oidc.getDPoPHandle(config, await oidc.randomDPoPKeyPair('ES256'));
        const token = await oidc.clientCredentialsGrant(config, {}, { DPoP: handle });
        assert.equal(token.token_type, 'dpop');
      });

      test('gets a token and uses it, as the MCP SDK', async () => {
        const session = await DpopSession.create({ alg: 'ES256' });
        const provider = Object.assign(new ClientCredentialsProvider({ ...client, expectedIssuer: app.issuer }), {
          dpop: () => session,
        });
        // The management API describes itself as a protected resource, as an MCP server does.
        const serverUrl = `${app.issuer}/api`;
        assert.equal(await auth(provider, { serverUrl, scope: 'writ.serviceaccounts.view' }), 'AUTHORIZED');
        const token = provider.tokens()?.access_token ?? '';
        assert.deepEqual(decodeJwt(token)['cnf'], { jkt: session.thumbprint });
        const reply = await withDpopFromProvider(provider)(fetch)(`${app.issuer}/api/self`, {
          headers: { Authorization: `Bearer ${token}` },
        });
        assert.equal(reply.status, 200, await reply.text());
      });

      test('that sends two headers is refused, although Node.js would join them', async () => {
        const [one, two] = [await dpopKey(), await dpopKey()];
        const htu = `${app.issuer}/oauth/token`;
        const reply = await rawRequest(htu, {
          method: 'POST',
          headers: {
            Authorization: `Basic ${btoa(`${client.clientId}:${client.clientSecret}`)}`,
            'Content-Type': 'application/x-www-form-urlencoded',
            DPoP: [dpopProof(one, { htu }), dpopProof(two, { htu })],
          },
          body: 'grant_type=client_credentials',
        });
        assert.equal(reply.status, 400, reply.text);
        assert.match(reply.text, /there must be one DPoP proof/);
      });
    },
    [embedded, postgres18],
  );
}
