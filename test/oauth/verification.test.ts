import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import jsonwebtoken from 'jsonwebtoken';
import jwksRsa from 'jwks-rsa';
import * as oauth from 'oauth4webapi';
import { SIGNING_ALGS } from '../../src/domain/signing-keys/signing-key.ts';
import { ROOT } from '../support/config.ts';
import { embedded, type TestDatabase } from '../support/databases.ts';
import { startTestApp, type TestApp } from '../support/test-app.ts';

for (const alg of SIGNING_ALGS) {
  describe(`a token signed with ${alg}`, async () => {
    const database: TestDatabase = await embedded.create();
    const app: TestApp = await startTestApp(database, { WRIT_SIGNING_ALG: alg });
    const { json } = await app.token(ROOT);
    const token: string = json.access_token;
    const audience = `${app.issuer}/api`;
    after(async () => {
      await app.close();
      await database.drop();
    });

    test('is verified by jose', async () => {
      const keys = createRemoteJWKSet(new URL(`${app.issuer}/.well-known/jwks.json`));
      const { payload, protectedHeader } = await jwtVerify(token, keys, {
        issuer: app.issuer,
        audience,
        typ: 'at+jwt',
      });
      assert.equal(protectedHeader.alg, alg);
      assert.equal(payload.sub, ROOT.clientId);
    });

    test('is verified by oauth4webapi, from the issuer alone', async () => {
      const issuer = new URL(app.issuer);
      const insecure = { [oauth.allowInsecureRequests]: true };
      for (const algorithm of ['oidc', 'oauth2'] as const) {
        const response = await oauth.discoveryRequest(issuer, { algorithm, ...insecure });
        const server = await oauth.processDiscoveryResponse(issuer, response);
        const request = new Request('http://api.example/', { headers: { Authorization: `Bearer ${token}` } });
        const claims = await oauth.validateJwtAccessToken(server, request, audience, insecure);
        assert.equal(claims.client_id, ROOT.clientId);
      }
    });

    // jsonwebtoken does not support EdDSA.
    test('is verified by jsonwebtoken with jwks-rsa', { skip: alg === 'EdDSA' }, async () => {
      const client = jwksRsa({ jwksUri: `${app.issuer}/.well-known/jwks.json` });
      const { kid } = jsonwebtoken.decode(token, { complete: true })?.header ?? {};
      const key = (await client.getSigningKey(kid)).getPublicKey();
      const claims = jsonwebtoken.verify(token, key, {
        issuer: app.issuer,
        audience,
        algorithms: [alg as jsonwebtoken.Algorithm],
      });
      assert.equal(claims.sub, ROOT.clientId);
    });

    test('is issued to oauth4webapi as the client', async () => {
      const server: oauth.AuthorizationServer = { issuer: app.issuer, token_endpoint: `${app.issuer}/oauth/token` };
      const client: oauth.Client = { client_id: ROOT.clientId };
      const response = await oauth.clientCredentialsGrantRequest(
        server,
        client,
        oauth.ClientSecretBasic(ROOT.clientSecret),
        {},
        { [oauth.allowInsecureRequests]: true },
      );
      const { expires_in: expiresIn } = await oauth.processClientCredentialsResponse(server, client, response);
      assert.equal(expiresIn, 900);
    });
  });
}
