import assert from 'node:assert/strict';
import { timingSafeEqual } from 'node:crypto';
import { BlockList } from 'node:net';
import { describe, test } from 'node:test';
import Koa from 'koa';
import { decodeProtectedHeader } from 'jose';
import { formatClientSecret } from '../../src/domain/credentials/client-secret.ts';
import { createSecretHasher } from '../../src/domain/credentials/secret-hasher.ts';
import { issueClientSecret } from '../../src/domain/credentials/issue-credentials.ts';
import { builtInResourceServers } from '../../src/domain/permissions/resource-server.ts';
import type { AccountSnapshot } from '../../src/domain/service-accounts/service-account.ts';
import { generateSigningKey } from '../../src/domain/signing-keys/signing-key.ts';
import type { HttpApp } from '../../src/http/context.ts';
import { HTTP_LIMITS, listen } from '../../src/http/http-server.ts';
import { requestContext } from '../../src/http/request-context.ts';
import { createProvider, type ProviderOptions } from '../../src/oauth/create-provider.ts';
import { createDecoyKeys } from '../../src/oauth/decoy.ts';
import { tokenEndpoint } from '../../src/oauth/token-endpoint.ts';
import { createMetrics } from '../../src/metrics.ts';
import { random } from '../../src/random.ts';
import { systemClock } from '../../src/system-clock.ts';
import { quietSurroundings } from '../support/config.ts';
import { freePort } from '../support/free-port.ts';

describe('the library behind the token endpoint', () => {
  test('N-20 works with EC keys alone, and N-16 never asks its adapter for anything', async () => {
    const key = await generateSigningKey('ES256');
    const tools = { hashSecret: createSecretHasher(random.bytes(32)), randomBytes: random.bytes, randomId: random.id };
    const { credential, clientSecret } = issueClientSecret(tools, new Date(), formatClientSecret(random.bytes(32)));
    const snapshot = {
      account: { clientId: 'sa_one', audience: 'default' },
      credentials: [credential],
      grants: [{ kind: 'permission', permission: 'a', resourceServerId: 'default' }],
      holdings: new Map([['default', new Set(['a'])]]),
    } as unknown as AccountSnapshot;
    const issuer = 'https://id.example';
    const options: ProviderOptions = {
      issuer,
      keyRing: { keys: [key], active: { ES256: key, RS256: key, PS256: key, EdDSA: key } },
      signingAlg: 'ES256',
      tokenTtl: 60,
      servers: builtInResourceServers({ issuer, defaultAudience: 'api://default' }),
      findAccount: (clientId) => Promise.resolve(clientId === 'sa_one' ? snapshot : undefined),
      hashSecret: tools.hashSecret,
      sameHash: timingSafeEqual,
      decoySecret: { ...credential },
      audiences: [],
      maxTtl: 300,
      clockTolerance: 10,
      clock: systemClock,
      replays: { use: () => Promise.resolve(true), forgetExpired: () => Promise.resolve(0) },
      decoyKeys: createDecoyKeys(random.bytes),
    };
    const provider = createProvider(options);
    const app: HttpApp = new Koa();
    const endpoint = tokenEndpoint({
      provider,
      assertionTools: options,
      logger: quietSurroundings().logger,
      metrics: createMetrics(),
      alias: false,
    });
    app.use(requestContext(random.uuid, new BlockList())).use(endpoint);
    const port = await freePort();
    const server = await listen(app.callback(), { host: '127.0.0.1', port, limits: HTTP_LIMITS, newId: random.uuid });
    try {
      const ask = (id: string, secret: string): Promise<Response> =>
        fetch(`http://127.0.0.1:${port}/oauth/token`, {
          method: 'POST',
          headers: { Authorization: `Basic ${btoa(`${id}:${secret}`)}` },
          body: new URLSearchParams({ grant_type: 'client_credentials' }),
        });
      const reply = await ask('sa_one', clientSecret);
      assert.equal(reply.status, 200);
      const { access_token: token, expires_in: expiresIn } = (await reply.json()) as Record<string, string>;
      assert.equal(decodeProtectedHeader(String(token)).kid, key.kid);
      assert.equal(Number(expiresIn), 60);
      // The secret fits the decoy, but nobody is behind it.
      assert.equal((await ask('sa_two', clientSecret)).status, 401);
    } finally {
      await server.close(100);
    }
  });
});
