import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createPrivateKey, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import type { ClientId } from '../../src/domain/ids.ts';
import { firstStartBanner } from '../../src/start/first-start-banner.ts';
import { exchangeOf, registerAccount } from '../support/accounts.ts';
import type { Reply } from '../support/api-contract.ts';
import { claimsFor, type ClientKey, clientKey, jws, lastRefusal } from '../support/assertions.ts';
import { brokenProofs } from '../support/broken-proofs.ts';
import { selfSigned, SERVER_AUTH, type TestCertificate } from '../support/certificates.ts';
import { ROOT } from '../support/config.ts';
import { embedded } from '../support/databases.ts';
import { dpopKey, type DpopKey, dpopProof, type WantedProof } from '../support/dpop.ts';
import { secureRequest } from '../support/secure-request.ts';
import { useTestApp } from '../support/test-app.ts';

/**
 * The client-credentials plans of the OpenID conformance suite for FAPI 2.0, module by module, under the names of the
 * suite without the prefix `fapi2-security-profile-final-`. `conformance/` says how the suite itself is run.
 */
const PROFILES = [
  { authentication: 'private_key_jwt', constraint: 'dpop' },
  { authentication: 'private_key_jwt', constraint: 'mtls' },
  { authentication: 'mtls', constraint: 'dpop' },
  { authentication: 'mtls', constraint: 'mtls' },
] as const;

interface Client {
  readonly clientId: string;
  readonly key: ClientKey;
  readonly dpop: DpopKey;
  readonly certificate: TestCertificate;
}

const folder = mkdtempSync(join(tmpdir(), 'writ-fapi-'));
after(() => rmSync(folder, { recursive: true }));
const server = await selfSigned({
  subject: 'CN=localhost',
  names: [{ type: 'dns', value: 'localhost' }],
  purposes: [SERVER_AUTH],
});
writeFileSync(join(folder, 'cert.pem'), server.cert);
writeFileSync(join(folder, 'key.pem'), server.key, { mode: 0o600 });
const TLS = { WRIT_TLS_CERT: join(folder, 'cert.pem'), WRIT_TLS_KEY: join(folder, 'key.pem') };

const ASSERTION = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const now = (): number => Math.floor(Date.now() / 1000);
const rs256 = await dpopKey('RS256');

const app = useTestApp(embedded, { ...TLS, WRIT_PROFILE: 'fapi2' });

async function makeClient(withKey: boolean, senderConstraint = 'none'): Promise<Client> {
  const key = clientKey('PS256');
  const certificate = await selfSigned({ subject: `CN=${randomUUID()}` });
  const credential = withKey
    ? { type: 'public_key', publicKey: key.jwk }
    : { type: 'certificate', certificate: certificate.cert };
  const { clientId } = await registerAccount(app, {
    permissions: ['writ.serviceaccounts.view'],
    audience: `${app.issuer}/api`,
    senderConstraint,
    credentials: [credential],
  });
  return { clientId, key, certificate, dpop: await dpopKey('PS256') };
}

for (const { authentication, constraint } of PROFILES) {
  describe(`FAPI 2.0 client credentials: ${authentication} + ${constraint}`, () => {
    const byKey = authentication === 'private_key_jwt';
    const byProof = constraint === 'dpop';
    let one: Client;
    let two: Client;
    before(async () => {
      [one, two] = [await makeClient(byKey, constraint), await makeClient(byKey, constraint)];
    });

    const tokenUrl = (): string => `${app.issuer}/oauth/token`;
    const resourceUrl = (): string => `${app.issuer}/api/self`;
    const signed = (client: Client, changes: Record<string, unknown> = {}, by = client.key): string =>
      jws(
        by,
        { typ: 'JWT', alg: by.alg },
        claimsFor(client.clientId, app.issuer, { nbf: now(), jti: randomUUID().slice(0, 20), ...changes }),
      );
    const proof = (client: Client, wanted: Partial<WantedProof> = {}, by: ClientKey = client.dpop): string =>
      dpopProof(by, { htu: tokenUrl(), ...wanted });

    /** Sends a token request of a client; the parts that are given stand in place of the right ones. */
    function ask(
      client: Client,
      parts: {
        clientId?: string;
        assertion?: string | null;
        proofs?: readonly string[];
        certificate?: TestCertificate | null;
      } = {},
    ): Promise<Reply> {
      const { clientId = client.clientId, assertion, proofs = byProof ? [proof(client)] : [] } = parts;
      const compact = assertion === undefined && byKey ? signed(client) : assertion;
      const needsCertificate = !byKey || !byProof;
      const certificate = parts.certificate === undefined && needsCertificate ? client.certificate : parts.certificate;
      return secureRequest(
        `${app.url}/oauth/token`,
        {
          method: 'POST',
          headers: new Headers(proofs.map((each) => ['DPoP', each])),
          body: new URLSearchParams({
            grant_type: 'client_credentials',
            client_id: clientId,
            scope: 'writ.serviceaccounts.view',
            ...(compact && { client_assertion_type: ASSERTION, client_assertion: compact }),
          }),
        },
        certificate ?? undefined,
      );
    }
    async function token(client: Client): Promise<string> {
      const reply = await ask(client);
      assert.equal(reply.status, 200, reply.text);
      return reply.json.access_token;
    }
    /** Calls the protected resource. */
    function call(
      client: Client,
      accessToken: string,
      parts: { scheme?: string; proofs?: readonly string[]; headers?: Record<string, string>; query?: string } = {},
    ): Promise<Reply> {
      const right = { htu: resourceUrl(), htm: 'GET', accessToken };
      const {
        scheme = byProof ? 'DPoP' : 'Bearer',
        proofs = byProof ? [proof(client, right)] : [],
        query = '',
      } = parts;
      const headers = new Headers([
        ...Object.entries(parts.headers ?? {}),
        ...proofs.map((each): [string, string] => ['DPoP', each]),
      ]);
      if (scheme !== '') headers.set('Authorization', `${scheme} ${accessToken}`);
      return secureRequest(`${app.url}/api/self${query}`, { headers }, byProof ? undefined : client.certificate);
    }
    function assertRefused(reply: Reply, codes: readonly string[], note = ''): void {
      assert.ok([400, 401].includes(reply.status), `${note} ${reply.status} ${reply.text}`);
      assert.ok(codes.includes(reply.json.error), `${note} ${reply.text}`);
      assert.doesNotMatch(reply.json.error_description, /[\r\n\t]/, note);
      assert.match(reply.headers.get('content-type') ?? '', /^application\/json/, note);
    }

    test('discovery-end-point-verification', async () => {
      const { status, json } = await secureRequest(`${app.url}/.well-known/oauth-authorization-server`);
      assert.deepEqual([status, json.issuer], [200, app.issuer]);
      assert.deepEqual(json.grant_types_supported, [
        'client_credentials',
        'urn:ietf:params:oauth:grant-type:token-exchange',
      ]);
      assert.deepEqual(json.token_endpoint_auth_methods_supported, ['private_key_jwt', 'self_signed_tls_client_auth']);
      assert.deepEqual(json.token_endpoint_auth_signing_alg_values_supported, ['PS256', 'ES256', 'EdDSA', 'Ed25519']);
      assert.deepEqual(json.dpop_signing_alg_values_supported, ['ES256', 'PS256', 'EdDSA', 'Ed25519']);
      assert.equal(json.tls_client_certificate_bound_access_tokens, true);
      assert.ok(!JSON.stringify(json).includes('RS256'));
    });

    test('happy-flow', async () => {
      for (const client of [one, two]) {
        const reply = await ask(client);
        assert.equal(reply.status, 200, reply.text);
        assert.ok(reply.json.access_token.length > 100);
        assert.ok(reply.json.expires_in > 0 && reply.json.expires_in < 31_536_000);
        assert.deepEqual([reply.json.refresh_token, reply.headers.get('cache-control')], [undefined, 'no-store']);
        assert.equal(reply.json.token_type, byProof ? 'DPoP' : 'Bearer');
        const { cnf } = decodeJwt(reply.json.access_token);
        assert.deepEqual(cnf, byProof ? { jkt: client.dpop.jkt } : { 'x5t#S256': client.certificate.thumbprint });
        for (const headers of [
          { 'x-fapi-customer-ip-address': '198.51.100.119', Accept: 'application/json' },
          { Accept: 'application/json;charset=utf-8, */*' },
        ]) {
          const resource = await call(client, reply.json.access_token, { headers });
          assert.equal(resource.status, 200, resource.text);
          assert.ok(resource.headers.get('date'));
          assert.match(resource.headers.get('content-type') ?? '', /^application\/json/);
        }
        const query = `?access_token=${reply.json.access_token}`;
        assert.ok([400, 401].includes((await call(client, reply.json.access_token, { scheme: '', query })).status));
      }
      const foreign = await token(two);
      const stolen = await call(one, foreign);
      assert.equal(stolen.status, 401, stolen.text);
      const line = app.log().findLast(({ requestId }) => requestId === stolen.json.requestId);
      assert.equal(line?.['reason'], byProof ? 'proof_key' : 'certificate_other');
    });

    test('access-token-type-header-case-sensitivity', async () => {
      const accessToken = await token(one);
      for (const scheme of byProof ? ['dPOP', 'DPOP', 'dpop'] : ['bEARER', 'BEARER']) {
        assert.equal((await call(one, accessToken, { scheme })).status, 200, scheme);
      }
    });

    test('ensure-client-id-in-token-endpoint', async () => {
      assertRefused(await ask(one, { clientId: two.clientId }), ['invalid_client', 'invalid_grant', 'invalid_request']);
    });

    test('ensure-holder-of-key-required', async () => {
      if (byProof) {
        const reply = await ask(one, { proofs: [] });
        assertRefused(reply, ['invalid_request', 'invalid_grant', 'invalid_dpop_proof']);
        assert.equal(reply.status, 400);
      } else if (byKey) {
        const reply = await ask(one, { certificate: null });
        assertRefused(reply, ['invalid_request', 'invalid_grant']);
      } else {
        assertRefused(await ask(one, { certificate: null }), ['invalid_client', 'invalid_request']);
        assertRefused(await ask(one, { certificate: two.certificate }), ['invalid_client']);
      }
    });

    if (byProof) {
      test('check-dpop-proof-nbf-exp', async () => {
        const claims = { nbf: now(), exp: now() + 300 };
        const reply = await ask(one, { proofs: [proof(one, { claims })] });
        assert.equal(reply.status, 200, reply.text);
        const accessToken: string = reply.json.access_token;
        const proofs = [proof(one, { htu: resourceUrl(), htm: 'GET', accessToken, claims })];
        assert.equal((await call(one, accessToken, { proofs })).status, 200);
      });

      for (const [name, shift] of [
        ['ensure-dpopproof-with-iat-10seconds-before-succeeds', -10],
        ['ensure-dpopproof-with-iat-10seconds-after-succeeds', 10],
      ] as const) {
        test(name, async () => {
          const claims = (): object => ({ iat: now() + shift });
          const reply = await ask(one, { proofs: [proof(one, { claims: { ...claims() } })] });
          assert.equal(reply.status, 200, reply.text);
          const accessToken: string = reply.json.access_token;
          const right = { htu: resourceUrl(), htm: 'GET', accessToken };
          assert.equal(
            (await call(one, accessToken, { proofs: [proof(one, { ...right, claims: { ...claims() } })] })).status,
            200,
          );
        });
      }

      test('dpop-negative-tests', async () => {
        const accessToken = await token(one);
        const right = { htu: resourceUrl(), htm: 'GET', accessToken };
        const keys = { key: one.dpop, other: two.dpop, rs256 };
        const places = {
          'at the token endpoint': {
            of: (wanted: Partial<WantedProof>, by?: ClientKey) => proof(one, wanted, by),
            send: (proofs: readonly string[]) => ask(one, { proofs }),
          },
          'at the resource': {
            of: (wanted: Partial<WantedProof>, by?: ClientKey) => proof(one, { ...right, ...wanted }, by),
            send: (proofs: readonly string[]) => call(one, accessToken, { proofs }),
          },
        };
        for (const [where, { of, send }] of Object.entries(places)) {
          for (const [note, [proofs]] of Object.entries(brokenProofs(of, of({}), keys))) {
            const reply = await send([proofs].flat());
            assert.ok([400, 401].includes(reply.status), `${where}, ${note}: ${reply.status} ${reply.text}`);
          }
          const once = of({});
          assert.equal((await send([once])).status, 200, where);
          assert.ok([400, 401].includes((await send([once])).status), `${where}: the second use`);
          for (const taken of [
            of({ claims: { htu: `${where === 'at the resource' ? resourceUrl() : tokenUrl()}?a=b#c` } }),
            of({ claims: { unknown: 'claim' }, header: { unknown: 'member' } }),
          ]) {
            assert.equal((await send([taken])).status, 200, where);
          }
        }
        for (const [note, reply] of [
          ['no proof', await call(one, accessToken, { proofs: [] })],
          ['no proof, as Bearer', await call(one, accessToken, { proofs: [], scheme: 'Bearer' })],
          ['a proof, as Bearer', await call(one, accessToken, { scheme: 'Bearer' })],
          ['no ath', await call(one, accessToken, { proofs: [proof(one, { ...right, claims: { ath: undefined } })] })],
          ['a wrong ath', await call(one, accessToken, { proofs: [proof(one, { ...right, accessToken: 'other' })] })],
          ['another key', await call(one, accessToken, { proofs: [proof(one, right, two.dpop)] })],
        ] as const) {
          assert.equal(reply.status, 401, note);
        }
        assert.equal((await call(one, accessToken)).status, 200);
      });
    }

    if (byKey) {
      test('ensure-signed-client-assertion-with-RS256-fails', async () => {
        const key = { ...one.key, alg: 'RS256' as const };
        assertRefused(await ask(one, { assertion: signed(one, {}, key) }), ['invalid_client']);
      });

      test('ensure-client-assertion-in-token-endpoint', async () => {
        assertRefused(await ask(one, { assertion: null, certificate: null }), ['invalid_client', 'invalid_request']);
      });

      for (const [name, claims] of [
        ['ensure-client-assertion-with-exp-is-5-minutes-in-past-fails', { exp: now() - 300 }],
        ['ensure-client-assertion-with-wrong-aud-fails', { aud: 'https://wrong.example/' }],
        ['ensure-client-assertion-with-no-sub-fails', { sub: undefined }],
      ] as const) {
        test(name, async () => {
          assertRefused(await ask(one, { assertion: signed(one, claims) }), ['invalid_client', 'invalid_request']);
        });
      }
    }
  });
}

describe('the profile fapi2', () => {
  const post = (body: Record<string, string>, headers: Record<string, string> = {}): Promise<Reply> =>
    secureRequest(`${app.url}/oauth/token`, { method: 'POST', headers, body: new URLSearchParams(body) });
  const basic = ({ clientId, clientSecret }: { clientId: string; clientSecret: string }): Record<string, string> => ({
    Authorization: `Basic ${btoa(`${clientId}:${clientSecret}`)}`,
  });

  test('takes secrets of nobody but root, and binds all tokens but those of root for the management API', async () => {
    const bySecret = await registerAccount(app, { permissions: [] });
    for (const reply of [
      await post({ grant_type: 'client_credentials' }, basic(bySecret)),
      await post({
        grant_type: 'client_credentials',
        client_id: bySecret.clientId,
        client_secret: bySecret.clientSecret,
      }),
    ]) {
      assert.deepEqual([reply.status, reply.json.error], [401, 'invalid_client'], reply.text);
      assert.equal(lastRefusal(app)['reason'], 'method_refused');
    }
    const root = await post({ grant_type: 'client_credentials' }, basic(ROOT));
    assert.deepEqual([root.status, root.json.token_type], [200, 'Bearer'], root.text);
    await app.api('POST', '/api/resource-servers', {
      identifier: 'api://orders',
      name: 'Orders',
      permissions: [{ name: 'read' }],
    });
    const admin = await registerAccount(app, { permissions: ['read'], roles: ['root'], audience: 'api://orders' });
    assert.equal(
      (await post({ grant_type: 'client_credentials', resource: `${app.issuer}/api` }, basic(admin))).status,
      200,
    );
    const elsewhere = await post({ grant_type: 'client_credentials', resource: 'api://orders' }, basic(admin));
    assert.deepEqual([elsewhere.status, elsewhere.json.error], [400, 'invalid_grant'], elsewhere.text);
    const key = await dpopKey();
    const bound = await post(
      { grant_type: 'client_credentials', resource: 'api://orders' },
      { ...basic(admin), DPoP: dpopProof(key, { htu: `${app.issuer}/oauth/token` }) },
    );
    assert.equal(bound.json.token_type, 'DPoP', bound.text);
  });

  test('binds a token to what the client presents, where nobody asks for one of the two', async () => {
    const client = await makeClient(false);
    const body = new URLSearchParams({ grant_type: 'client_credentials', client_id: client.clientId });
    const ask = (headers: Record<string, string>): Promise<Reply> =>
      secureRequest(`${app.url}/oauth/token`, { method: 'POST', headers, body }, client.certificate);
    const certified = await ask({});
    assert.deepEqual(decodeJwt(certified.json.access_token)['cnf'], { 'x5t#S256': client.certificate.thumbprint });
    const proven = await ask({ DPoP: dpopProof(client.dpop, { htu: `${app.issuer}/oauth/token` }) });
    assert.deepEqual(decodeJwt(proven.json.access_token)['cnf'], { jkt: client.dpop.jkt });
    const { clientId, key } = await makeClient(true);
    const neither = await post({
      grant_type: 'client_credentials',
      client_assertion_type: ASSERTION,
      client_assertion: jws(key, { alg: 'PS256' }, claimsFor(clientId, app.issuer)),
    });
    assert.deepEqual([neither.status, neither.json.error], [400, 'invalid_grant']);
    assert.match(neither.json.error_description, /send a DPoP proof, or present a certificate/);
  });

  test('takes no API key, no token of another issuer, and no other aud than the issuer', async () => {
    const { clientId, path } = await registerAccount(app, { permissions: ['read'] });
    const { json: key } = await app.api('POST', `${path}/credentials`, { type: 'api_key', audience: 'api://orders' });
    const { json: servers } = await app.api('GET', '/api/resource-servers');
    const { resourceServerId } = servers.find(
      ({ identifier }: { identifier: string }) => identifier === 'api://orders',
    );
    const named = { introspectedBy: [ROOT.clientId] };
    assert.equal((await app.api('PATCH', `/api/resource-servers/${resourceServerId}`, named)).status, 200);
    const asked = await app.asClient('/oauth/introspect', ROOT, { token: key.apiKey });
    assert.deepEqual([asked.status, asked.json], [200, { active: false }]);
    const refusals = {
      'an API key': [await post(exchangeOf(key.apiKey)), 400, 'invalid_request'],
      'the JWT bearer grant': [
        await post({
          grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
          assertion: foreign(),
          client_id: clientId,
        }),
        400,
        'unsupported_grant_type',
      ],
      'an assertion of another issuer': [
        await post({
          grant_type: 'client_credentials',
          client_id: clientId,
          client_assertion_type: ASSERTION,
          client_assertion: foreign(),
        }),
        401,
        'invalid_client',
      ],
      'an exchange of such a token': [
        await post({
          ...exchangeOf(foreign()),
          subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
          client_id: clientId,
        }),
        400,
        'invalid_request',
      ],
    } as const;
    for (const [note, [reply, status, error]] of Object.entries(refusals)) {
      assert.deepEqual([reply.status, reply.json.error], [status, error], `${note} ${reply.text}`);
      assert.match(reply.json.error_description, /takes private_key_jwt and mutual TLS only/, note);
    }
    const client = await makeClient(true);
    for (const aud of [[app.issuer], `${app.issuer}/`, `${app.issuer}/oauth/token`]) {
      const assertion = jws(client.key, { alg: 'PS256' }, claimsFor(client.clientId, app.issuer, { aud }));
      const body = { grant_type: 'client_credentials', client_assertion_type: ASSERTION, client_assertion: assertion };
      const reply = await post(body, { DPoP: dpopProof(client.dpop, { htu: `${app.issuer}/oauth/token` }) });
      assert.deepEqual([reply.status, lastRefusal(app)['reason']], [401, 'assertion_audience'], JSON.stringify(aud));
    }
  });

  test('has no RS256: not in keys, in resource servers, in the JWKS', async () => {
    const { path } = await registerAccount(app, { permissions: [] });
    const { jwk } = clientKey('RS256');
    const key = await app.api('POST', `${path}/credentials`, { type: 'public_key', publicKey: jwk });
    assert.equal(key.status, 422, key.text);
    assert.match(key.json.detail, /RS256, which the profile of this server does not take/);
    const resource = { identifier: 'api://old', name: 'Old', permissions: [], signingAlg: 'RS256' };
    const made = await app.api('POST', '/api/resource-servers', resource);
    assert.deepEqual([made.status, made.json.errors[0].pointer], [422, '/signingAlg'], made.text);
    const { json: good } = await app.api('POST', '/api/resource-servers', { ...resource, signingAlg: 'PS256' });
    const changed = await app.api('PATCH', `/api/resource-servers/${good.resourceServerId}`, { signingAlg: 'RS256' });
    assert.deepEqual([changed.status, changed.json.errors[0].pointer], [422, '/signingAlg'], changed.text);
    // The database was used without the profile before: its RS256 key signs no more, and goes with its last token.
    const { json: keys } = await app.api('GET', '/api/signing-keys');
    const states = keys.map(({ alg, state }: { alg: string; state: string }) => [alg, state]);
    assert.deepEqual(states.toSorted(), [
      ['ES256', 'active'],
      ['PS256', 'active'],
      ['RS256', 'retired'],
    ]);
    // A resource server that named RS256 before the profile gets tokens with the algorithm of the server.
    const named = {
      identifier: 'api://legacy',
      name: 'Legacy',
      permissions: [{ name: 'legacy:read' }],
      signingAlg: 'PS256',
    };
    const { json: legacy } = await app.api('POST', '/api/resource-servers', named);
    const legacyPath = `/api/resource-servers/${legacy.resourceServerId}`;
    await app
      .knex('resource_servers')
      .where({ resource_server_id: legacy.resourceServerId })
      .update({ signing_alg: 'RS256' });
    const kept = await app.api('PATCH', legacyPath, { name: 'Legacy 2', signingAlg: 'RS256' });
    assert.equal(kept.status, 200, kept.text);
    const own = clientKey('PS256');
    const client = await registerAccount(app, {
      permissions: ['legacy:read'],
      credentials: [{ type: 'public_key', publicKey: own.jwk }],
    });
    const shown = await app.api('GET', `${client.path}/effective-permissions`);
    assert.equal(shown.json.token.alg, 'ES256');
    const got = await post(
      {
        grant_type: 'client_credentials',
        client_assertion_type: ASSERTION,
        client_assertion: jws(own, { alg: 'PS256' }, claimsFor(client.clientId, app.issuer)),
      },
      { DPoP: dpopProof(await dpopKey(), { htu: `${app.issuer}/oauth/token` }) },
    );
    assert.equal(decodeProtectedHeader(got.json.access_token).alg, 'ES256', got.text);
    const planned = await app.api('GET', `${path}/effective-permissions?resource=${app.issuer}/api`);
    assert.deepEqual(planned.json.token.senderConstraints, ['any']);
  });

  function foreign(): string {
    return jws(
      clientKey('ES256'),
      { alg: 'ES256' },
      { iss: 'https://issuer.example', sub: 'a', aud: app.issuer, exp: now() + 60 },
    );
  }
});

test('the first start shows no commands that the profile refuses', () => {
  const where = { base: 'https://id.example', management: 'https://id.example', clientKey: false };
  const root = { clientId: 'sa_root' as ClientId, clientSecret: 'writ_secret' };
  const [standard, strict] = (['standard', 'fapi2'] as const).map((profile) =>
    firstStartBanner({ ...where, profile }, root),
  );
  const commands = (text: string | undefined): number => text?.match(/curl -sS/g)?.length ?? 0;
  assert.deepEqual([commands(standard), commands(strict)], [3, 1]);
  assert.match(strict ?? '', /other accounts need keys \(docs\/operate\/fapi2\.md\)/);
});

test('the script of conformance/ writes configurations with which clients get tokens', async () => {
  const target = join(folder, 'configurations');
  const child = spawn(process.execPath, [join(import.meta.dirname, '../../conformance/make-clients.ts'), target], {
    env: {
      PATH: process.env['PATH'],
      ROOT: `${ROOT.clientId}:${ROOT.clientSecret}`,
      WRIT: app.url.replace('127.0.0.1', 'localhost'),
      NODE_EXTRA_CA_CERTS: TLS.WRIT_TLS_CERT,
    },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const complaints: Buffer[] = [];
  child.stderr.on('data', (chunk: Buffer) => complaints.push(chunk));
  assert.deepEqual(await once(child, 'close'), [0, null], Buffer.concat(complaints).toString());
  for (const { authentication, constraint } of PROFILES) {
    const file = join(target, `${authentication}-${constraint}.json`);
    const { client, client2, mtls, server: named, resource } = JSON.parse(readFileSync(file, 'utf8'));
    assert.deepEqual(
      [named.discoveryUrl, resource.resourceUrl],
      [`${app.issuer}/.well-known/oauth-authorization-server`, `${app.issuer}/api/self`],
    );
    assert.notEqual(client.client_id, client2.client_id);
    const [jwk] = client.jwks.keys;
    const key = { alg: 'PS256', privateKey: createPrivateKey({ key: jwk, format: 'jwk' }) } as const;
    const reply = await secureRequest(
      `${app.url}/oauth/token`,
      {
        method: 'POST',
        headers:
          constraint === 'dpop' ? { DPoP: dpopProof(await dpopKey(), { htu: `${app.issuer}/oauth/token` }) } : {},
        body: new URLSearchParams({
          grant_type: 'client_credentials',
          client_id: client.client_id,
          scope: client.scope,
          ...(authentication === 'private_key_jwt' && {
            client_assertion_type: ASSERTION,
            client_assertion: jws(key, { alg: 'PS256' }, claimsFor(client.client_id, app.issuer)),
          }),
        }),
      },
      mtls,
    );
    assert.equal(reply.status, 200, `${authentication} ${constraint} ${reply.text}`);
  }
});
