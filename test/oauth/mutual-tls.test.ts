import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { decodeJwt } from 'jose';
import { exchangeOf, registerAccount, type RegisteredAccount } from '../support/accounts.ts';
import type { Reply } from '../support/api-contract.ts';
import { assertion, clientKey, lastRefusal, registerWithKeys } from '../support/assertions.ts';
import { clientCertificate } from '../../src/domain/certificates/client-certificate.ts';
import { selfSigned, SERVER_AUTH, type TestCertificate, testAuthority } from '../support/certificates.ts';
import { makeCompany } from '../support/companies.ts';
import { ROOT } from '../support/config.ts';
import { embedded, onEachDatabase, postgres18 } from '../support/databases.ts';
import { dpopKey, dpopProof } from '../support/dpop.ts';
import { eventually } from '../support/eventually.ts';
import { secureRequest } from '../support/secure-request.ts';
import { snapshotOf, startBareTokenEndpoint } from '../support/token-endpoint.ts';
import { type TestApp, useTestApp } from '../support/test-app.ts';
import { testClock } from '../support/test-clock.ts';

const DAY = 86_400_000;
const folder = mkdtempSync(join(tmpdir(), 'writ-tls-'));
after(() => rmSync(folder, { recursive: true }));
function file(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content, { mode: 0o600 });
  return path;
}

const authority = await testAuthority({ subject: 'CN=Acme clients' });
const stranger = await testAuthority({ subject: 'CN=Acme clients' });
const server = await selfSigned({ subject: 'CN=localhost', purposes: [SERVER_AUTH] });
const expired = await testAuthority({
  subject: 'CN=Expired',
  from: new Date(Date.now() - 2 * DAY),
  to: new Date(Date.now() - DAY),
});
// An authority that has renewed its own certificate stands there with both.
const earlier = await testAuthority({
  subject: 'CN=Acme clients',
  pair: authority.pair,
  from: new Date(Date.now() - 2 * DAY),
  to: new Date(Date.now() - DAY),
});
const clientCa = file(
  'clients.pem',
  `An authority:\n${earlier.cert}\n${authority.cert}\nAnother one:\n${expired.cert}`,
);

/** Two ways in which the certificate of a client arrives. */
const TRANSPORTS: Readonly<Record<string, { environment: Record<string, string>; present: typeof overTls }>> = {
  'over TLS': {
    environment: {
      WRIT_TLS_CERT: file('server.pem', server.cert),
      WRIT_TLS_KEY: file('server-key.pem', server.key),
      WRIT_TLS_CLIENT_CA: clientCa,
    },
    present: overTls,
  },
  'from a trusted proxy': {
    environment: { WRIT_TRUSTED_PROXIES: '127.0.0.1', WRIT_TLS_CLIENT_CA: clientCa },
    present: (app, path, certificate, init) =>
      app.request(path, {
        ...init,
        headers: { ...init.headers, ...(certificate && { 'Client-Cert': certificate.header }) },
      }),
  },
};

interface Sent {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: URLSearchParams | string;
}

function overTls(app: TestApp, path: string, certificate: TestCertificate | undefined, init: Sent): Promise<Reply> {
  return secureRequest(app.url + path, init, certificate);
}

const CREDENTIALS = '/api/companies/acme/service-accounts';

for (const [name, { environment, present }] of Object.entries(TRANSPORTS)) {
  onEachDatabase(
    `a certificate of a client, ${name}`,
    (kind) => {
      const clock = testClock();
      const app = useTestApp(kind, environment, { clock });
      before(() => makeCompany(app, 'acme'));

      /** Sends a token request by certificate alone. */
      const ask = (
        clientId: string,
        certificate: TestCertificate | undefined,
        parameters: Record<string, string> = {},
      ): Promise<Reply> =>
        present(app, '/oauth/token', certificate, {
          method: 'POST',
          body: new URLSearchParams({ grant_type: 'client_credentials', client_id: clientId, ...parameters }),
        });
      const account = (credential: object, more: object = {}): Promise<RegisteredAccount> =>
        registerAccount(
          app,
          { permissions: [], credentials: [{ type: 'certificate', ...credential }], ...more },
          CREDENTIALS,
        );

      async function refused(reply: Reply, reason: string, note = ''): Promise<void> {
        assert.deepEqual([reply.status, reply.json.error], [401, 'invalid_client'], `${note} ${reply.text}`);
        assert.equal(lastRefusal(app)['reason'], reason, note);
      }

      test('is known by itself, whoever has issued it', async () => {
        const own = await selfSigned({ subject: 'CN=own' });
        const issued = await authority.issue({ subject: 'CN=issued' });
        for (const certificate of [own, issued]) {
          const { clientId } = await account({ certificate: certificate.cert });
          const reply = await ask(clientId, certificate);
          assert.deepEqual([reply.status, reply.json.token_type], [200, 'Bearer'], reply.text);
          // A certificate binds a token only where somebody asks for that.
          assert.equal(decodeJwt(reply.json.access_token)['cnf'], undefined);
          await refused(await ask(clientId, await selfSigned({ subject: 'CN=own' })), 'certificate_wrong');
          await refused(await ask(clientId, undefined), 'no_client_authentication');
        }
        const issuedTokens = (await app.metrics()).match(
          /writ_tokens_issued_total\{[^}]*tls_client_auth[^}]*\} (\d+)/,
        )?.[1];
        assert.equal(issuedTokens, '2');
      });

      test('is known by each part of its subject, if a trusted authority has issued it', async () => {
        const wanted = {
          subject: 'C=DE,O=Acme\\, Inc.,CN=billing',
          names: [
            { type: 'dns', value: 'billing.acme.example' },
            { type: 'dns', value: '*.acme.example' },
            { type: 'url', value: 'spiffe://acme.example/billing' },
            { type: 'ip', value: '10.1.2.3' },
            { type: 'email', value: 'billing@acme.example' },
          ],
        } as const;
        const good = await authority.issue({ ...wanted, names: [...wanted.names] });
        const others = {
          'of a stranger with the same name': await stranger.issue({ ...wanted, names: [...wanted.names] }),
          'signed by itself': await selfSigned({ ...wanted, names: [...wanted.names] }),
          'of an authority that has expired': await expired.issue({ ...wanted, names: [...wanted.names] }),
          'of the authority under another name': await authority.issue({
            ...wanted,
            names: [...wanted.names],
            issuer: 'CN=Other',
          }),
        };
        const elsewhere = await authority.issue({ subject: 'C=DE,O=Acme\\, Inc.,CN=stock' });
        for (const [fitting, wrong] of [
          [{ subjectDn: 'CN=billing,O=Acme\\, Inc.,C=DE' }, { subjectDn: 'C=DE,O=Acme\\, Inc.,CN=billing' }],
          [{ subjectDn: 'cn=Billing, o=ACME\\2C inc., c=de' }, { subjectDn: 'CN=billing,C=DE' }],
          [{ sanDns: 'BILLING.acme.example' }, { sanDns: 'stock.acme.example' }],
          [{ sanUri: 'spiffe://acme.example/billing' }, { sanUri: 'spiffe://acme.example/billing/x' }],
          [{ sanIp: '10.1.2.3' }, { sanIp: '10.1.2.4' }],
          [{ sanEmail: 'billing@acme.example' }, { sanEmail: 'other@acme.example' }],
        ] as const) {
          const note = JSON.stringify(fitting);
          const { clientId } = await account(fitting);
          assert.equal((await ask(clientId, good)).status, 200, note);
          await refused(await ask(clientId, elsewhere), 'certificate_wrong', note);
          for (const [whose, other] of Object.entries(others)) {
            await refused(await ask(clientId, other), 'certificate_issuer', `${note} ${whose}`);
            const { detail } = lastRefusal(app);
            if (whose === 'of the authority under another name')
              assert.match(String(detail), /its issuer is CN=Other$/);
          }
          const { clientId: another } = await account(wrong);
          await refused(await ask(another, good), 'certificate_wrong', JSON.stringify(wrong));
        }
      });

      test('is refused when it is not valid now, or is for another purpose', async () => {
        const now = Date.now();
        const cases = {
          expired: [{ from: new Date(now - 2 * DAY), to: new Date(now - DAY) }, 'certificate_time'],
          'not yet valid': [{ from: new Date(now + DAY), to: new Date(now + 2 * DAY) }, 'certificate_time'],
          'of a server': [{ purposes: [SERVER_AUTH] }, 'certificate_issuer'],
          'for every purpose': [{ purposes: [] }, undefined],
        } as const;
        const { clientId } = await account({ sanUri: 'urn:client:1' });
        for (const [note, [wanted, reason]] of Object.entries(cases)) {
          const certificate = await authority.issue({ ...wanted, names: [{ type: 'url', value: 'urn:client:1' }] });
          const reply = await ask(clientId, certificate);
          if (reason === undefined) assert.equal(reply.status, 200, note);
          else await refused(reply, reason, note);
          // The holder of a certificate that names somebody is told nothing.
          if (reason !== undefined) assert.equal(reply.json.error_description, 'client authentication failed');
        }
        // The holder of the very certificate of a credential is told.
        const early = await selfSigned({ from: new Date(now + DAY), to: new Date(now + 2 * DAY) });
        const pinned = await account({ certificate: early.cert });
        const reply = await ask(pinned.clientId, early);
        await refused(reply, 'certificate_time');
        assert.match(reply.json.error_description, /^the certificate is not valid before /);
      });

      test('counts by any credential that works, whatever else it fits', async () => {
        const certificate = await authority.issue({
          subject: 'CN=several',
          names: [{ type: 'url', value: 'urn:several' }],
        });
        const credentials = [
          { type: 'certificate', certificate: certificate.cert },
          { type: 'certificate', subjectDn: 'CN=several' },
          { type: 'certificate', sanUri: 'urn:several' },
        ];
        const { clientId, path } = await registerAccount(app, { permissions: [], credentials }, CREDENTIALS);
        const { json } = await app.api('GET', `${path}/credentials`);
        const ids: string[] = json.map(({ credentialId }: { credentialId: string }) => credentialId);
        for (const working of ids) {
          for (const id of ids) {
            await app.api('PATCH', `${path}/credentials/${id}`, { state: id === working ? 'enabled' : 'disabled' });
          }
          assert.equal((await ask(clientId, certificate)).status, 200, `${ids.indexOf(working)}`);
        }
        for (const id of ids) await app.api('PATCH', `${path}/credentials/${id}`, { state: 'disabled' });
        await refused(await ask(clientId, certificate), 'credential_disabled');
      });

      test('with a name that cannot be read fits nothing, and breaks nothing', async () => {
        // An SmtpUTF8Mailbox (RFC 9598) that is not UTF-8: OpenSSL stops at it.
        const extensions = { '2.5.29.17': '3012a01006082b06010505070809a0040c02fffe' };
        const { clientId } = await account({ sanEmail: 'billing@acme.example' });
        await refused(await ask(clientId, await authority.issue({ extensions })), 'certificate_wrong');
        await refused(await ask(clientId, await selfSigned({ extensions })), 'certificate_issuer');
        const nameless = await account({ subjectDn: 'CN=billing' });
        await refused(await ask(nameless.clientId, await selfSigned({ name: [] })), 'certificate_issuer');
        await refused(await ask(nameless.clientId, await authority.issue({ name: [] })), 'certificate_wrong');
      });

      test('ends with its credential', async () => {
        const certificate = await selfSigned({ to: new Date(Date.now() + 10 * DAY) });
        const registered = await account({ certificate: certificate.cert });
        const { json } = await app.api('GET', `${registered.path}/credentials`);
        const [credential] = json;
        assert.deepEqual(
          [
            credential.type,
            credential.thumbprint,
            credential.hint,
            Math.round(Date.parse(credential.expiresAt) / 1000),
          ],
          [
            'certificate',
            certificate.thumbprint,
            certificate.thumbprint,
            Math.floor((Date.now() + 10 * DAY) / 1000),
          ].map((value, index) => (index === 3 ? Math.round(Date.parse(credential.expiresAt) / 1000) : value)),
        );
        const path = `${registered.path}/credentials/${credential.credentialId}`;
        await app.api('PATCH', path, { state: 'disabled' });
        await refused(await ask(registered.clientId, certificate), 'credential_disabled');
        await app.api('PATCH', path, { state: 'enabled' });
        assert.equal((await ask(registered.clientId, certificate)).status, 200);
        const next = await selfSigned({ to: new Date(Date.now() + 20 * DAY) });
        const rotated = await app.api('POST', `${path}/rotate`, { certificate: next.cert, overlap: 0 });
        assert.equal(rotated.status, 201, rotated.text);
        await refused(await ask(registered.clientId, certificate), 'credential_expired');
        assert.equal((await ask(registered.clientId, next)).status, 200);
      });

      test('of an unknown account, or of another account, gets the same answer', async () => {
        const certificate = await selfSigned();
        const other = await account({ certificate: (await selfSigned()).cert });
        const answers = [];
        for (const [id, reason] of [
          ['nobody-here', 'account_unknown'],
          [other.clientId, 'certificate_wrong'],
        ] as const) {
          const reply = await ask(id, certificate);
          await refused(reply, reason);
          const { request_id: _, ...rest } = reply.json;
          answers.push([reply.status, rest]);
        }
        assert.deepEqual(answers[0], answers[1]);
      });

      test('counts only where nothing else says who the client is', async () => {
        const certificate = await selfSigned();
        const { clientId } = await account({ certificate: certificate.cert });
        const secret = await registerAccount(app, { permissions: [] }, CREDENTIALS);
        const basic = { Authorization: `Basic ${btoa(`${secret.clientId}:${secret.clientSecret}`)}` };
        const post = (body: Record<string, string>, headers = {}): Promise<Reply> =>
          present(app, '/oauth/token', certificate, { method: 'POST', headers, body: new URLSearchParams(body) });
        const grant = { grant_type: 'client_credentials' };
        const { clientId: client_id, clientSecret: client_secret } = secret;
        for (const reply of [
          await post(grant, basic),
          await post({ ...grant, client_id }, basic),
          await post({ ...grant, client_id, client_secret }),
        ]) {
          assert.equal(reply.status, 200, reply.text);
        }
        const key = clientKey('ES256');
        const byKey = await registerWithKeys(app, 'By key', [key]);
        const asserted = await post({
          ...grant,
          client_id: byKey.clientId,
          client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
          client_assertion: assertion(key, byKey.clientId, app.issuer),
        });
        assert.equal(asserted.status, 200, asserted.text);
        const mismatch = await post({ ...grant, client_id: clientId }, basic);
        assert.deepEqual([mismatch.status, mismatch.json.error], [400, 'invalid_request']);
        // Without an id, the certificate names nobody.
        await refused(await post(grant), 'no_client_authentication');
        const token = await ask(clientId, certificate);
        const narrower = await post({ ...exchangeOf(token.json.access_token), client_id: clientId });
        assert.equal(narrower.status, 200, narrower.text);
        const asked = await present(app, '/oauth/introspect', certificate, {
          method: 'POST',
          body: new URLSearchParams({ client_id: clientId, token: token.json.access_token }),
        });
        assert.deepEqual([asked.status, asked.json.active], [200, true], asked.text);
      });

      test('is what a token is bound to where an account or a resource server asks for that', async () => {
        const [one, two] = [await selfSigned({ subject: 'CN=1' }), await selfSigned({ subject: 'CN=2' })];
        const more = {
          senderConstraint: 'mtls',
          audience: `${app.issuer}/api`,
          permissions: ['writ.serviceaccounts.view'],
        };
        const first = await account({ certificate: one.cert }, more);
        const second = await account({ certificate: two.cert }, more);
        const got = await ask(first.clientId, one);
        assert.deepEqual([got.status, got.json.token_type], [200, 'Bearer'], got.text);
        const accessToken: string = got.json.access_token;
        const cnf = { 'x5t#S256': one.thumbprint };
        assert.deepEqual(decodeJwt(accessToken)['cnf'], cnf);
        const asked = await app.asClient('/oauth/introspect', ROOT, { token: accessToken });
        assert.deepEqual([asked.json.active, asked.json.cnf], [true, cnf], asked.text);

        for (const path of ['/api/self', '/tokeninfo']) {
          const use = (token: string, certificate: TestCertificate | undefined): Promise<Reply> =>
            present(app, path, certificate, { headers: { Authorization: `Bearer ${token}` } });
          const good = await use(accessToken, one);
          assert.equal(good.status, 200, good.text);
          const foreign = (await ask(second.clientId, two)).json.access_token;
          for (const [note, token, certificate, reason] of [
            ['no certificate', accessToken, undefined, 'certificate_missing'],
            ['another certificate', accessToken, two, 'certificate_other'],
            ["client 1's certificate with client 2's token", foreign, one, 'certificate_other'],
          ] as const) {
            const reply = await use(token, certificate);
            assert.equal(reply.status, 401, `${path} ${note}`);
            assert.match(reply.headers.get('www-authenticate') ?? '', /Bearer .*error="invalid_token"/, note);
            const id = reply.json.requestId ?? reply.json.request_id;
            assert.equal(
              app.log().findLast(({ requestId }) => requestId === id)?.['reason'],
              reason,
              `${path} ${note}`,
            );
          }
        }
        // The certificate that binds a token may be another one than that of a credential: a key has proved the client.
        const bySecret = await registerAccount(app, { ...more }, CREDENTIALS);
        const basic = { Authorization: `Basic ${btoa(`${bySecret.clientId}:${bySecret.clientSecret}`)}` };
        const request = (certificate?: TestCertificate): Promise<Reply> =>
          present(app, '/oauth/token', certificate, {
            method: 'POST',
            headers: basic,
            body: new URLSearchParams({ grant_type: 'client_credentials' }),
          });
        assert.deepEqual(decodeJwt((await request(one)).json.access_token)['cnf'], cnf);
        const without = await request();
        assert.deepEqual([without.status, without.json.error], [400, 'invalid_grant'], without.text);
        assert.equal(lastRefusal(app)['reason'], 'invalid_grant');
        const old = await request(
          await selfSigned({ from: new Date(Date.now() - 2 * DAY), to: new Date(Date.now() - DAY) }),
        );
        assert.deepEqual([old.status, old.json.error], [400, 'invalid_grant'], old.text);
        const planned = await app.api('GET', `${bySecret.path}/effective-permissions?resource=`);
        assert.deepEqual(planned.json.token.senderConstraints, ['mtls']);
      });

      test('binds a token beside a DPoP proof, and a token that is exchanged stays bound', async () => {
        const certificate = await selfSigned();
        const key = await dpopKey();
        await app.api('POST', '/api/companies/acme/resource-servers', {
          identifier: `api://acme/${name.replaceAll(' ', '-')}`,
          name: 'Both',
          permissions: [{ name: 'both:read' }],
          senderConstraint: 'mtls',
        });
        const resource = `api://acme/${name.replaceAll(' ', '-')}`;
        const { clientId } = await account(
          { certificate: certificate.cert },
          { senderConstraint: 'dpop', permissions: ['both:read'] },
        );
        const htu = `${app.issuer}/oauth/token`;
        const post = (
          body: Record<string, string>,
          proof: boolean,
          presented: TestCertificate | null = certificate,
        ): Promise<Reply> =>
          present(app, '/oauth/token', presented ?? undefined, {
            method: 'POST',
            headers: proof ? { DPoP: dpopProof(key, { htu }) } : {},
            body: new URLSearchParams(body),
          });
        const grant = { grant_type: 'client_credentials', client_id: clientId, resource };
        const got = await post(grant, true);
        assert.deepEqual([got.status, got.json.token_type], [200, 'DPoP'], got.text);
        const cnf = { jkt: key.jkt, 'x5t#S256': certificate.thumbprint };
        assert.deepEqual(decodeJwt(got.json.access_token)['cnf'], cnf);
        assert.equal((await post(grant, false)).json.error, 'invalid_grant');
        const exchange = exchangeOf(got.json.access_token);
        const narrower = await post(exchange, true);
        assert.deepEqual(decodeJwt(narrower.json.access_token)['cnf'], cnf, narrower.text);
        const other = await selfSigned();
        // A token from before the account asked for a key is made no better by an exchange.
        await app.api('PATCH', `${CREDENTIALS}/${clientId}`, { senderConstraint: 'none' });
        const free = await post({ ...grant, resource: `${app.issuer}/api` }, false);
        await app.api('PATCH', `${CREDENTIALS}/${clientId}`, { senderConstraint: 'dpop' });
        const bettered = await post(exchangeOf(free.json.access_token), true);
        assert.deepEqual([bettered.status, bettered.json.error], [400, 'invalid_grant'], bettered.text);
        assert.match(bettered.json.error_description, /is bound to no key/);
        for (const reply of [
          await post(exchange, true, null),
          await post(exchange, true, other),
          await post(exchange, false),
        ]) {
          assert.deepEqual([reply.status, reply.json.error], [400, 'invalid_grant'], reply.text);
        }
      });

      test('is announced', async () => {
        const { json } = await app.request('/.well-known/oauth-authorization-server');
        assert.equal(json.tls_client_certificate_bound_access_tokens, true);
        for (const endpoint of ['token', 'introspection', 'revocation']) {
          assert.deepEqual(json[`${endpoint}_endpoint_auth_methods_supported`].slice(-2), [
            'tls_client_auth',
            'self_signed_tls_client_auth',
          ]);
        }
        const resource = await app.request('/.well-known/oauth-protected-resource/api');
        assert.equal(resource.json.tls_client_certificate_bound_access_tokens, true);
      });
    },
    [embedded, postgres18],
  );
}

describe('the files and the addresses of mutual TLS', () => {
  const authorities = join(folder, 'changing.pem');
  const app = useTestApp(embedded, {
    ...TRANSPORTS['over TLS']?.environment,
    WRIT_TLS_CLIENT_CA: file('changing.pem', authority.cert),
    WRIT_TRUSTED_PROXIES: '192.0.2.1',
  });
  const trusting = useTestApp(embedded, {
    ...TRANSPORTS['over TLS']?.environment,
    WRIT_TRUSTED_PROXIES: '127.0.0.1',
  });

  function ask(to: TestApp, clientId: string, certificate: TestCertificate, header?: string): Promise<Reply> {
    return overTls(to, '/oauth/token', certificate, {
      method: 'POST',
      ...(header !== undefined && { headers: { 'Client-Cert': header } }),
      body: new URLSearchParams({ grant_type: 'client_credentials', client_id: clientId }),
    });
  }

  test('an authority that has been taken away certifies nobody, and a new one does', async () => {
    const credentials = [{ type: 'certificate', sanUri: 'urn:a' }];
    const { clientId } = await registerAccount(app, { permissions: [], credentials });
    const wanted = { names: [{ type: 'url', value: 'urn:a' }] } as const;
    const [ofOne, ofOther] = [
      await authority.issue({ names: [...wanted.names] }),
      await stranger.issue({ names: [...wanted.names] }),
    ];
    assert.deepEqual(
      [(await ask(app, clientId, ofOne)).status, (await ask(app, clientId, ofOther)).status],
      [200, 401],
    );
    writeFileSync(authorities, stranger.cert);
    await eventually(10_000, async () => (await ask(app, clientId, ofOne)).status === 401);
    assert.equal((await ask(app, clientId, ofOther)).status, 200);
  });

  test('B-16 the certificate of a trusted proxy is nobody’s, and a header counts from nobody else', async () => {
    const own = await selfSigned();
    const client = await selfSigned();
    const register = (to: TestApp, { cert }: TestCertificate): Promise<RegisteredAccount> =>
      registerAccount(to, { permissions: [], credentials: [{ type: 'certificate', certificate: cert }] });
    const [ofProxy, ofClient] = [await register(trusting, own), await register(trusting, client)];
    assert.equal((await ask(trusting, ofProxy.clientId, own)).status, 401);
    assert.equal(lastRefusal(trusting)['reason'], 'no_client_authentication');
    assert.equal((await ask(trusting, ofClient.clientId, own, client.header)).status, 200);
    const broken = await ask(trusting, ofClient.clientId, own, 'garbage');
    assert.deepEqual([broken.status, broken.json.error], [400, 'invalid_request']);
    assert.match(broken.json.error_description, /^the header Client-Cert holds no single certificate/);
    const elsewhere = await register(app, client);
    assert.equal((await ask(app, elsewhere.clientId, own, client.header)).status, 401);
    assert.ok(app.log().some(({ event }) => event === 'client_certificate.not_trusted'));
  });
});

test('a certificate costs the same work whether or not there is an account', async () => {
  const asked: string[] = [];
  const endpoint = await startBareTokenEndpoint([snapshotOf('sa_one', [])], {
    certificate: clientCertificate((await selfSigned()).cert),
    authorities: {
      wrongIssuer({ thumbprint }) {
        asked.push(thumbprint);
        return 'nobody has issued it';
      },
    },
  });
  try {
    for (const client_id of ['sa_one', 'sa_two']) {
      assert.equal((await endpoint.post({ client_id })).status, 401);
    }
    assert.equal(asked.length, 2);
  } finally {
    await endpoint.close();
  }
});
