/**
 * Plain oidc-provider: static clients, its own in-memory adapter, JWT access tokens for one resource server. It is here
 * to measure its cost; `bench/README.md` says what it lacks.
 */
import { exportJWK, generateKeyPair } from 'jose';
import Provider from 'oidc-provider';
import type { SubjectSettings } from './subjects.ts';

const { port, issuer, alg, client }: SubjectSettings = JSON.parse(process.argv[2] ?? '');
const { privateKey } = await generateKeyPair(alg, { extractable: true });
const metadata = {
  grant_types: ['client_credentials'],
  response_types: [],
  redirect_uris: [],
  id_token_signed_response_alg: alg,
} as const;

const provider = new Provider(issuer, {
  jwks: { keys: [{ ...(await exportJWK(privateKey)), alg, use: 'sig', kid: 'raw' }] },
  clientAuthMethods: ['client_secret_basic', 'private_key_jwt'],
  enabledJWA: { idTokenSigningAlgValues: [alg] },
  // The library allows one authentication method for each client.
  clients: [
    {
      ...metadata,
      client_id: client.clientId,
      client_secret: client.clientSecret,
      token_endpoint_auth_method: 'client_secret_basic',
    },
    {
      ...metadata,
      client_id: client.keyClientId,
      token_endpoint_auth_method: 'private_key_jwt',
      jwks: { keys: [client.publicJwk] },
    },
  ],
  ttl: { ClientCredentials: 900 },
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: false },
    dPoP: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => 'api://default',
      getResourceServerInfo: () => ({
        scope: 'orders:read',
        audience: 'api://default',
        accessTokenTTL: 900,
        accessTokenFormat: 'jwt',
        jwt: { sign: { alg } },
      }),
    },
  },
});
provider.listen(port, '127.0.0.1');
