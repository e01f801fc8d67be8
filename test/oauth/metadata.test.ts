import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { calculateJwkThumbprint, type JWK } from 'jose';
import { embedded } from '../support/databases.ts';
import { rawRequest } from '../support/raw-request.ts';
import { startTestApp, useTestApp } from '../support/test-app.ts';

const DOCUMENTS = [
  '/.well-known/oauth-authorization-server',
  '/.well-known/openid-configuration',
  '/.well-known/jwks.json',
  '/.well-known/oauth-protected-resource/api',
];

describe('the public documents', () => {
  const app = useTestApp(embedded);

  test('describe the server with the members of RFC 8414, and with those that libraries for OpenID Connect need', async () => {
    const { json } = await app.request('/.well-known/oauth-authorization-server');
    assert.deepEqual(json, {
      issuer: app.issuer,
      token_endpoint: `${app.issuer}/oauth/token`,
      jwks_uri: `${app.issuer}/.well-known/jwks.json`,
      introspection_endpoint: `${app.issuer}/oauth/introspect`,
      revocation_endpoint: `${app.issuer}/oauth/revoke`,
      dpop_signing_alg_values_supported: ['ES256', 'PS256', 'EdDSA', 'Ed25519'],
      status_list_aggregation_endpoint: `${app.issuer}/oauth/status-lists`,
      grant_types_supported: [
        'client_credentials',
        'urn:ietf:params:oauth:grant-type:token-exchange',
        'urn:ietf:params:oauth:grant-type:jwt-bearer',
      ],
      ...Object.fromEntries(
        ['token', 'introspection', 'revocation'].flatMap((endpoint) => [
          [
            `${endpoint}_endpoint_auth_methods_supported`,
            ['client_secret_basic', 'private_key_jwt', 'client_secret_post'],
          ],
          [`${endpoint}_endpoint_auth_signing_alg_values_supported`, ['RS256', 'PS256', 'ES256', 'EdDSA', 'Ed25519']],
        ]),
      ),
      service_documentation: `${app.issuer}/api/openapi.json`,
      authorization_endpoint: `${app.issuer}/oauth/authorize`,
      response_types_supported: ['none'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['ES256', 'RS256', 'PS256', 'EdDSA'],
    });
    assert.deepEqual((await app.request('/.well-known/openid-configuration')).json, json);
    const api = (await app.request('/.well-known/oauth-protected-resource/api')).json;
    assert.equal(api.resource, `${app.issuer}/api`);
    assert.deepEqual(api.dpop_signing_alg_values_supported, json.dpop_signing_alg_values_supported);
  });

  test('N-12 are the same to the byte for every host and every other header of a request', async () => {
    for (const path of DOCUMENTS) {
      const plain = (await rawRequest(app.url + path)).text;
      for (const headers of [
        { Host: 'evil.example' },
        { Host: 'evil.example:443@x' },
        { 'X-Forwarded-Host': 'evil.example', 'X-Forwarded-Proto': 'https' },
        { Forwarded: 'host=evil.example;proto=https' },
        { 'X-Forwarded-Prefix': '/evil' },
        { Origin: 'https://evil.example' },
        { Accept: 'text/html' },
      ] as Record<string, string>[]) {
        assert.equal((await rawRequest(app.url + path, { headers })).text, plain, `${path} ${JSON.stringify(headers)}`);
      }
      assert.doesNotMatch(plain, /evil/);
    }
  });

  test('B-18 may be cached, are revalidated by ETag, and are readable from every origin', async () => {
    for (const path of DOCUMENTS) {
      const { headers, status } = await app.request(path);
      assert.equal(status, 200);
      assert.match(String(headers.get('cache-control')), /^public, max-age=[1-9]\d{1,4}$/);
      assert.equal(headers.get('access-control-allow-origin'), '*');
      const etag = String(headers.get('etag'));
      const again = await rawRequest(app.url + path, { headers: { 'If-None-Match': etag } });
      assert.equal(again.status, 304);
      assert.equal(again.text, '');
      assert.equal((await app.request(path, { headers: { 'If-None-Match': '"other"' } })).status, 200);
      assert.equal((await app.request(path, { method: 'POST' })).status, 405);
      assert.equal((await app.request(path, { method: 'HEAD' })).status, 200);
    }
  });

  test('B-18 answer preflight requests from every origin, as no other path does', async () => {
    const preflight = (path: string, headers: Record<string, string>): ReturnType<typeof rawRequest> =>
      rawRequest(app.url + path, {
        method: 'OPTIONS',
        headers: { Origin: 'http://localhost:6274', 'Access-Control-Request-Method': 'GET', ...headers },
      });
    for (const path of [...DOCUMENTS, '/.well-known/jwks.json/', '/oauth/status-lists', '/oauth/status-lists/0']) {
      for (const wanted of ['mcp-protocol-version', 'MCP-Protocol-Version, x-custom', 'authorization']) {
        const { status, headers, text } = await preflight(path, { 'Access-Control-Request-Headers': wanted });
        assert.deepEqual([status, text], [204, ''], path);
        assert.equal(headers['access-control-allow-origin'], '*', path);
        assert.equal(headers['access-control-allow-methods'], 'GET, HEAD, OPTIONS', path);
        assert.equal(headers['access-control-allow-headers'], wanted, path);
        assert.match(String(headers['access-control-max-age']), /^[1-9]\d+$/, path);
        assert.equal(headers['access-control-allow-credentials'], undefined, path);
      }
      for (const odd of [{}, { 'Access-Control-Request-Headers': 'x'.repeat(2000) }] as Record<string, string>[]) {
        const { status, headers } = await preflight(path, odd);
        assert.deepEqual([status, headers['access-control-allow-headers']], [204, '*'], path);
      }
      const refused = await app.request(path, { method: 'DELETE' });
      assert.deepEqual([refused.status, refused.headers.get('allow')], [405, 'GET, HEAD'], path);
    }
    for (const path of [
      '/oauth/token',
      '/oauth/token/',
      '/api/m2m/oauth/token',
      '/oauth/introspect',
      '/oauth/revoke',
      '/oauth/authorize',
      '/oauth/nothing',
      '/tokeninfo',
      '/api/self',
      '/api/service-accounts',
      '/.well-known/nothing',
      '/metrics',
      '/health/live',
    ]) {
      const { status, headers } = await preflight(path, { 'Access-Control-Request-Headers': 'authorization' });
      assert.ok([400, 404, 405].includes(status), `${path} ${status}`);
      assert.deepEqual(
        Object.keys(headers).filter((name) => name.startsWith('access-control')),
        [],
        path,
      );
    }
  });

  test('F-04 show only the public half of each signing key', async () => {
    const { json } = await app.request('/.well-known/jwks.json');
    const keys: JWK[] = json.keys;
    assert.deepEqual(
      keys.map((key) => key.alg),
      ['ES256', 'RS256'],
    );
    const members = { EC: ['crv', 'x', 'y'], RSA: ['e', 'n'], OKP: ['crv', 'x'] };
    for (const key of keys) {
      const expected = [...members[key.kty as keyof typeof members], 'alg', 'kid', 'kty', 'use'];
      assert.deepEqual(Object.keys(key).toSorted(), expected.toSorted());
      assert.equal(key.kid, await calculateJwkThumbprint(key));
      assert.equal(key.use, 'sig');
    }
  });

  test('F-06 never show the development keys that the library ships', async () => {
    const { json } = await app.request('/.well-known/jwks.json');
    // From lib/consts/dev_keystore.js of the library: the keys that it uses when `jwks` is not configured.
    const shipped = ['keystore-CHANGE-ME'];
    for (const { kid, n } of json.keys as JWK[]) {
      assert.equal(shipped.includes(String(kid)), false);
      assert.notEqual(n?.startsWith('xwQ72P9z9OYshiQ'), true);
    }
  });

  test('N-11 paths of the library, and others that this server does not serve, are answered with 404', async () => {
    const paths = [
      '/auth',
      '/authorize',
      '/me',
      '/userinfo',
      '/session/end',
      '/reg',
      '/jwks',
      '/token',
      '/request',
      '/device',
      '/OAUTH/TOKEN',
      '/interaction/x',
    ];
    for (const path of paths) {
      for (const method of ['GET', 'POST', 'OPTIONS']) {
        const { status, headers, json } = await app.request(path, { method });
        assert.equal(status, 404, `${method} ${path}`);
        assert.match(String(headers.get('content-type')), /json/);
        assert.equal(json.code, 'not_found');
      }
    }
  });

  test('the authorization endpoint in the metadata answers unsupported_response_type', async () => {
    const { status, json } = await app.request('/oauth/authorize?response_type=code&client_id=x');
    assert.equal(status, 400);
    assert.equal(json.error, 'unsupported_response_type');
  });
});

describe('an issuer with a path', () => {
  test('is served with and without that path, and has its metadata at the inserted and the appended address', async () => {
    const database = await embedded.create();
    const app = await startTestApp(database, { WRIT_ISSUER: 'https://id.example/tenants/a' });
    try {
      const { json } = await app.request('/.well-known/oauth-authorization-server');
      assert.equal(json.token_endpoint, 'https://id.example/tenants/a/oauth/token');
      for (const path of [
        '/.well-known/oauth-authorization-server/tenants/a',
        '/tenants/a/.well-known/oauth-authorization-server',
        '/.well-known/openid-configuration/tenants/a',
        '/tenants/a/.well-known/openid-configuration',
        '//.well-known/openid-configuration',
      ]) {
        assert.deepEqual((await app.request(path)).json, json, path);
      }
      assert.equal((await app.request('/tenants/a/.well-known/jwks.json')).status, 200);
      assert.equal((await app.request('/.well-known/oauth-protected-resource/tenants/a/api')).status, 200);
      const token = await app.rootToken();
      const list = await app.request('/tenants/a/api/service-accounts', {
        headers: { Authorization: `Bearer ${token}` },
      });
      assert.equal(list.status, 200);
      const made = await app.api('POST', '/tenants/a/api/service-accounts', { name: 'Below' });
      assert.equal(made.headers.get('location'), `/tenants/a/api/service-accounts/${made.json.clientId}`);
      assert.equal((await app.request('/tenants/b/.well-known/jwks.json')).status, 404);
    } finally {
      await app.close();
      await database.drop();
    }
  });
});
