import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { decodeJwt } from 'jose';
import { OAuth2Server } from 'oauth2-mock-server';
import { KEY_TIMES } from '../../src/foreign-keys/create-issuer-keys.ts';
import { FETCH_LIMITS } from '../../src/foreign-keys/fetch-json.ts';
import type { Reply } from '../support/api-contract.ts';
import { lastRefusal } from '../support/assertions.ts';
import { embedded } from '../support/databases.ts';
import { selfSignedCertificate } from '../support/self-signed-certificate.ts';
import { testClock } from '../support/test-clock.ts';
import { useTestApp } from '../support/test-app.ts';

describe('an issuer whose server is oauth2-mock-server', () => {
  const { key, cert } = selfSignedCertificate('localhost');
  const folder = mkdtempSync(join(tmpdir(), 'another-server-'));
  const files = { key: join(folder, 'key.pem'), cert: join(folder, 'cert.pem') };
  writeFileSync(files.key, key.export({ type: 'pkcs8', format: 'pem' }));
  writeFileSync(files.cert, cert);
  const server = new OAuth2Server(files.key, files.cert);
  const clock = testClock();
  const app = useTestApp(
    embedded,
    { WRIT_ISSUER_NETWORKS: '127.0.0.0/8,::1' },
    { clock, issuers: { fetch: { ...FETCH_LIMITS, ca: cert }, times: KEY_TIMES } },
  );
  let clientId: string;
  before(async () => {
    await server.issuer.keys.generate('RS256');
    await server.start(0, 'localhost');
    const trusted = await app.api('POST', '/api/trusted-issuers', {
      issuer: server.issuer.url,
      name: 'Another server',
      algorithms: ['RS256', 'ES256', 'PS256', 'EdDSA'],
    });
    assert.equal(trusted.status, 201, trusted.text);
    const { json, text } = await app.api('POST', '/api/service-accounts', {
      name: 'Robot',
      permissions: ['deploy'],
      credentials: [
        { type: 'federated', issuer: server.issuer.url, subject: 'robot', claims: { '/job/team': 'shop' } },
      ],
    });
    ({ clientId } = json);
    assert.ok(clientId, text);
  });
  after(async () => {
    await server.stop();
    rmSync(folder, { recursive: true });
  });

  const external = (kid?: string, team = 'shop'): Promise<string> =>
    server.issuer.buildToken({
      kid,
      expiresIn: 600,
      scopesOrTransform: (_, payload) => Object.assign(payload, { sub: 'robot', aud: app.issuer, job: { team } }),
    });
  const bearer = (assertion: string): Promise<Reply> =>
    app.request('/oauth/token', {
      method: 'POST',
      body: new URLSearchParams({ grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion }),
    });

  test('is found by its metadata, and its token stands for the account', async () => {
    const { status, json, text } = await bearer(await external());
    assert.equal(status, 200, text);
    assert.deepEqual([decodeJwt(json.access_token).sub, json.scope], [clientId, 'deploy']);
  });

  test('is refused with another claim', async () => {
    assert.equal((await bearer(await external(undefined, 'other'))).status, 400);
    assert.equal(lastRefusal(app)?.['reason'], 'external_claims');
  });

  for (const alg of ['ES256', 'PS256', 'EdDSA']) {
    test(`may add a key for ${alg}, which counts once the keys are fetched anew`, async () => {
      const { kid } = await server.issuer.keys.generate(alg);
      assert.equal((await bearer(await external(kid))).status, 400);
      assert.equal(lastRefusal(app)?.['reason'], 'external_key_unknown');
      clock.forward(KEY_TIMES.pause);
      const reply = await bearer(await external(kid));
      assert.equal(reply.status, 200, reply.text);
    });
  }
});
