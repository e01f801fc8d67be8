import assert from 'node:assert/strict';
import { constants, createHmac, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { after, before, test } from 'node:test';
import { decodeJwt, type JWK } from 'jose';
import { KEY_TIMES } from '../../src/foreign-keys/create-issuer-keys.ts';
import { FETCH_LIMITS } from '../../src/foreign-keys/fetch-json.ts';
import { GUESS_LIMITS } from '../../src/oauth/refusals/guess-limiter.ts';
import type { Reply } from '../support/api-contract.ts';
import { lastRefusal } from '../support/assertions.ts';
import { assertRefused, makeCompany } from '../support/companies.ts';
import { embedded, embeddedAndNewest, onEachDatabase } from '../support/databases.ts';
import { type FakeIssuer, startFakeIssuer } from '../support/fake-issuer.ts';
import { freePort } from '../support/free-port.ts';
import { testClock } from '../support/test-clock.ts';
import { startTestApp, useTestApp } from '../support/test-app.ts';

const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
const JWT_TYPE = 'urn:ietf:params:oauth:token-type:jwt';
const SUBJECT = 'repo:acme/shop:environment:prod';

const ci = await startFakeIssuer();
after(() => ci.close());

onEachDatabase(
  'a client with a token of another issuer',
  (kind) => {
    const clock = testClock();
    const app = useTestApp(
      kind,
      { WRIT_ISSUER_NETWORKS: '127.0.0.0/8,::1' },
      { clock, issuers: { fetch: { ...FETCH_LIMITS, ca: ci.ca }, times: KEY_TIMES } },
    );
    let clientId: string;
    let path: string;
    before(async () => {
      await makeCompany(app, 'acme');
      const trusted = await app.api('POST', '/api/trusted-issuers', { issuer: ci.issuer, name: 'CI' });
      assert.equal(trusted.status, 201, trusted.text);
      ({ clientId, path } = await account('Deployer', { subject: SUBJECT, claims: { owner: '4711' } }));
    });

    async function account(name: string, rule: object): Promise<{ clientId: string; path: string }> {
      const { status, json, text } = await app.api('POST', '/api/companies/acme/service-accounts', {
        name,
        permissions: ['deploy'],
        credentials: [{ type: 'federated', issuer: ci.issuer, ...rule }],
      });
      assert.equal(status, 201, text);
      return { clientId: json.clientId, path: `/api/companies/acme/service-accounts/${json.clientId}` };
    }

    const now = (): number => Math.floor(clock().getTime() / 1000);
    /** A token that stands for the account, with other claims where they are given. */
    const external = (claims: Readonly<Record<string, unknown>> = {}, from: FakeIssuer = ci): Promise<string> =>
      from.sign({
        iss: ci.issuer,
        sub: SUBJECT,
        aud: app.issuer,
        owner: '4711',
        iat: now(),
        exp: now() + 300,
        jti: 'one',
        ...claims,
      });

    const post = (body: Record<string, string>): Promise<Reply> =>
      app.request('/oauth/token', { method: 'POST', body: new URLSearchParams(body) });

    /** The three ways in which a token of another issuer comes. */
    const WAYS: Record<string, (token: string, id?: string) => Promise<Reply>> = {
      'as a client assertion': (token, id = clientId) =>
        post({
          grant_type: 'client_credentials',
          client_id: id,
          client_assertion_type: ASSERTION_TYPE,
          client_assertion: token,
        }),
      'in an exchange': (token, id = clientId) =>
        post({ grant_type: EXCHANGE, client_id: id, subject_token: token, subject_token_type: JWT_TYPE }),
      'in the JWT bearer grant': (token, id = clientId) =>
        post({ grant_type: JWT_BEARER, client_id: id, assertion: token }),
    };
    const REFUSED: Record<string, readonly [number, string]> = {
      'as a client assertion': [401, 'invalid_client'],
      'in an exchange': [400, 'invalid_request'],
      'in the JWT bearer grant': [400, 'invalid_grant'],
    };

    for (const [way, send] of Object.entries(WAYS)) {
      test(`gets a token ${way}`, async () => {
        const { status, json, text } = await send(await external());
        assert.equal(status, 200, text);
        const { sub, client_id: client, company_id: company, scope, status: entry } = decodeJwt(json.access_token);
        assert.deepEqual([sub, client, company, scope], [clientId, clientId, 'acme', 'deploy']);
        assert.ok(entry);
        assert.equal('issued_token_type' in json, way === 'in an exchange');
      });

      for (const [wrong, claims, reason, told] of [
        ['another subject', { sub: 'repo:acme/other' }, 'external_claims', false],
        ['another claim', { owner: '4712' }, 'external_claims', false],
        ['a claim of another type', { owner: 4711 }, 'external_claims', false],
        ['no claim', { owner: undefined }, 'external_claims', false],
        ['an audience of its issuer', { aud: 'https://github.com/acme' }, 'external_audience', true],
        ['two audiences', { aud: [app.issuer, 'other'] }, 'external_audience', true],
        ['no audience', { aud: undefined }, 'external_audience', true],
        ['an end that is past', { exp: -11 }, 'external_time', true],
        ['no end', { exp: undefined }, 'external_time', true],
        ['a start that is to come', { nbf: 11 }, 'external_time', true],
        ['an issue that is to come', { iat: 11 }, 'external_time', true],
        ['no time of issue', { iat: undefined }, 'external_time', true],
        ['an issue that is too long ago', { iat: -3611 }, 'external_time', true],
      ] as [string, Record<string, unknown>, string, boolean][]) {
        test(`D-11 D-12 is refused ${way} with ${wrong}`, async () => {
          clock.stop();
          const moved = Object.fromEntries(
            Object.entries(claims).map(([name, value]) => [
              name,
              ['exp', 'nbf', 'iat'].includes(name) && typeof value === 'number' ? now() + value : value,
            ]),
          );
          const aud = Array.isArray(moved['aud']) ? { aud: [app.issuer, 'other'] } : {};
          const reply = await send(await external({ ...moved, ...aud })).finally(clock.go);
          assert.deepEqual([reply.status, reply.json.error], REFUSED[way], reply.text);
          assert.equal(lastRefusal(app)?.['reason'], reason);
          const uniform = ['client authentication failed', 'subject_token is not valid', 'assertion is not valid'];
          assert.equal(uniform.includes(reply.json.error_description), !told, reply.text);
        });
      }

      test(`D-05 is refused ${way} with a signature of nobody or of another issuer`, async () => {
        const other = await startFakeIssuer();
        try {
          const good = await external();
          const forged = `${good.slice(0, good.lastIndexOf('.'))}.${Buffer.alloc(256, 7).toString('base64url')}`;
          const { kid = '' } = ci.jwks.keys[0] ?? {};
          const impostor = { ...other, sign: (claims: object) => other.sign({ ...claims }, { kid }) };
          for (const token of [forged, await external({}, impostor)]) {
            const reply = await send(token);
            assert.deepEqual([reply.status, reply.json.error], REFUSED[way]);
            assert.equal(lastRefusal(app)?.['reason'], 'external_signature');
          }
          const unknown = await send(await external({ iss: other.issuer }, other));
          assert.deepEqual([unknown.status, unknown.json.error], REFUSED[way]);
          assert.equal(lastRefusal(app)?.['reason'], 'external_issuer');
        } finally {
          await other.close();
        }
      });

      test(`D-13 is refused ${way} for an account that has no rule for it, and for an id that nobody has`, async () => {
        const { json } = await app.api('POST', '/api/companies/acme/service-accounts', { name: `Plain ${way}` });
        const texts = new Set<string>();
        for (const id of [json.clientId, 'sa_of_nobody', 'no id at all!']) {
          const reply = await send(await external(), id);
          assert.deepEqual([reply.status, reply.json.error], REFUSED[way]);
          texts.add(reply.text.replace(reply.json.request_id, ''));
        }
        assert.equal(texts.size, 1);
      });
    }

    test('is told the same whether the account is unknown, disabled, or its claim is another', async () => {
      const texts = new Set<string>();
      const note = async (reply: Reply): Promise<void> => {
        assert.equal(reply.status, 401);
        texts.add(reply.text.replace(reply.json.request_id, ''));
      };
      const send = WAYS['as a client assertion'] ?? assert.fail();
      await note(await send(await external(), 'sa_of_nobody'));
      await note(await send(await external({ owner: 'other' })));
      await app.api('PATCH', path, { state: 'disabled' });
      await note(await send(await external()));
      assert.equal(lastRefusal(app)?.['reason'], 'account_disabled');
      await app.api('PATCH', path, { state: 'enabled' });
      assert.equal(texts.size, 1);
      assert.equal((await send(await external())).status, 200);
    });

    test('D-15 is refused at once when its trusted issuer or its rule is disabled', async () => {
      const send = WAYS['as a client assertion'] ?? assert.fail();
      const { json: issuers } = await app.api('GET', '/api/trusted-issuers');
      const trusted = `/api/trusted-issuers/${issuers[0].trustedIssuerId}`;
      await app.api('PATCH', trusted, { state: 'disabled' });
      assert.equal((await send(await external())).status, 401);
      assert.equal(lastRefusal(app)?.['reason'], 'external_issuer');
      await app.api('PATCH', trusted, { state: 'enabled' });
      assert.equal((await send(await external())).status, 200);
      const { json: credentials } = await app.api('GET', `${path}/credentials`);
      const rule = `${path}/credentials/${credentials[0].credentialId}`;
      await app.api('PATCH', rule, { state: 'disabled' });
      assert.equal((await send(await external())).status, 401);
      assert.equal(lastRefusal(app)?.['reason'], 'credential_disabled');
      await app.api('PATCH', rule, { state: 'enabled' });
      assert.equal((await send(await external())).status, 200);
    });

    test('D-12 may send one token again, unless its issuer says once', async () => {
      const send = WAYS['in the JWT bearer grant'] ?? assert.fail();
      const token = await external({ jti: 'again' });
      assert.deepEqual([(await send(token)).status, (await send(token)).status], [200, 200]);
      const { json: issuers } = await app.api('GET', '/api/trusted-issuers');
      const trusted = `/api/trusted-issuers/${issuers[0].trustedIssuerId}`;
      await app.api('PATCH', trusted, { replay: 'once' });
      const both = await Promise.all([send(token), send(token)]);
      assert.deepEqual(both.map(({ status }) => status).toSorted(), [200, 400]);
      assert.equal(lastRefusal(app)?.['reason'], 'external_replay');
      const without = await send(await external({ jti: undefined }));
      assert.deepEqual([without.status, lastRefusal(app)?.['reason']], [400, 'external_jti']);
      await app.api('PATCH', trusted, { replay: 'reusable' });
    });

    test('D-15 finds a key that its issuer has published a moment ago, and no key that is gone', async () => {
      const send = WAYS['in the JWT bearer grant'] ?? assert.fail();
      const old = await external();
      clock.forward(31_000);
      await ci.rotate();
      assert.equal((await send(await external())).status, 200);
      assert.equal((await send(old)).status, 400);
      assert.equal(lastRefusal(app)?.['reason'], 'external_key_unknown');
    });

    test('D-04 makes no more than one fetch in half a minute, whatever the kid of its tokens is', async () => {
      const send = WAYS['in the JWT bearer grant'] ?? assert.fail();
      clock.forward(31_000);
      assert.equal((await send(await external())).status, 200);
      const before = ci.asked.length;
      for (let index = 0; index < 40; index += 1) {
        await send(await ci.sign({ iss: ci.issuer, sub: SUBJECT }, { kid: `unknown-${index}` }));
      }
      assert.ok(ci.asked.length - before <= 2, String(ci.asked.length - before));
    });

    test('works as Octopus logs in: JSON, the account as the audience of the exchange and of the token', async () => {
      const reply = await app.request('/oauth/token', {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', 'User-Agent': 'GitHubActions (login;v0)' },
        body: JSON.stringify({
          grant_type: EXCHANGE,
          audience: clientId,
          subject_token: await external({ aud: clientId }),
          subject_token_type: JWT_TYPE,
        }),
      });
      assert.equal(reply.status, 200, reply.text);
      assert.equal(reply.json.issued_token_type, 'urn:ietf:params:oauth:token-type:access_token');
      assert.equal(decodeJwt(reply.json.access_token).sub, clientId);
    });

    test('names a resource server beside its token', async () => {
      const token = await external();
      const reply = await post({
        grant_type: EXCHANGE,
        client_id: clientId,
        subject_token: token,
        subject_token_type: JWT_TYPE,
        audience: 'api://default',
        scope: 'deploy',
      });
      assert.deepEqual([reply.status, decodeJwt(reply.json.access_token).aud], [200, 'api://default'], reply.text);
    });

    test('must bring one proof, and name its account', async () => {
      const token = await external();
      const both = await app.request('/oauth/token', {
        method: 'POST',
        headers: { Authorization: `Basic ${btoa(`${clientId}:secret`)}` },
        body: new URLSearchParams({ grant_type: JWT_BEARER, client_id: clientId, assertion: token }),
      });
      assert.deepEqual([both.status, both.json.error], [400, 'invalid_request']);
      const nobody = await post({ grant_type: EXCHANGE, subject_token: token, subject_token_type: JWT_TYPE });
      assert.deepEqual([nobody.status, nobody.json.error_description], [400, 'client_id must name the account']);
    });

    test('D-13 needs no name in the JWT bearer grant where one account has a rule for just its subject', async () => {
      const bare = (claims: Readonly<Record<string, unknown>> = {}) =>
        external(claims).then((assertion) => post({ grant_type: JWT_BEARER, assertion }));
      const { status, json, text } = await bare();
      assert.deepEqual([status, status === 200 && decodeJwt(json.access_token).sub], [200, clientId], text);
      for (const [claims, reason] of [
        [{ owner: 'other' }, 'external_claims'],
        [{ sub: 'repo:nobody/nothing' }, 'account_unknown'],
        [{ sub: undefined }, 'account_unknown'],
      ] as const) {
        const refused = await bare(claims);
        assert.deepEqual([refused.status, refused.json.error], [400, 'invalid_grant']);
        assert.equal(lastRefusal(app)?.['reason'], reason);
      }
      // A wider rule of the same account does not count for a token that names nobody.
      const twice = await account('Twice', { subject: 'repo:twice/one', claims: { owner: '4711' } });
      await app.api('POST', `${twice.path}/credentials`, {
        type: 'federated',
        issuer: ci.issuer,
        subject: 'repo:twice/*',
        match: 'glob',
      });
      assert.equal((await bare({ sub: 'repo:twice/one', owner: 'other' })).status, 400);
      assert.equal(lastRefusal(app)['reason'], 'external_claims');
      assert.equal((await bare({ sub: 'repo:twice/one' })).status, 200);
      // A pattern and a rule without a subject find nobody.
      await account('Pattern', { subject: 'repo:pattern/*', match: 'glob' });
      await account('Claims', { claims: { team: 'blue' } });
      assert.equal((await bare({ sub: 'repo:pattern/one' })).status, 400);
      assert.equal((await bare({ sub: 'repo:any', team: 'blue' })).status, 400);
    });

    test('costs no statement once its account is remembered, named or not, and goes with its rule', async () => {
      const looks = (): number =>
        app.statements().filter((sql) => /account_credentials\(|'subject'|assertion_replays/.test(sql)).length;
      const first = await account('Moves from', { subject: 'repo:moves/one' });
      const bare = async (): Promise<Reply> =>
        post({ grant_type: JWT_BEARER, assertion: await external({ sub: 'repo:moves/one' }) });
      assert.equal(decodeJwt((await bare()).json.access_token).sub, first.clientId);
      const before = looks();
      for (const send of Object.values(WAYS)) {
        const token = await external({ sub: 'repo:moves/one' });
        assert.equal((await send(token, first.clientId)).status, 200);
      }
      assert.equal((await bare()).status, 200);
      assert.equal(looks(), before);
      const { json: credentials } = await app.api('GET', `${first.path}/credentials`);
      await app.api('DELETE', `${first.path}/credentials/${credentials[0].credentialId}`);
      assert.deepEqual([(await bare()).status, lastRefusal(app)['reason']], [400, 'account_unknown']);
      const second = await account('Moves to', { subject: 'repo:moves/one' });
      assert.equal(decodeJwt((await bare()).json.access_token).sub, second.clientId);
    });

    test('D-13 D-14 gives an exact subject to one account on the whole server', async () => {
      await makeCompany(app, 'late');
      const rule = { type: 'federated', issuer: ci.issuer, subject: SUBJECT };
      const second = await app.api('POST', '/api/companies/late/service-accounts', {
        name: 'Late',
        credentials: [rule],
      });
      assertRefused(app, second, 409, 'already_exists');
      const { json } = await app.api('POST', '/api/companies/late/service-accounts', { name: 'Late' });
      const added = await app.api('POST', `/api/companies/late/service-accounts/${json.clientId}/credentials`, rule);
      assertRefused(app, added, 409, 'already_exists');
      // The same account may have the subject twice, with other claims.
      const more = await app.api('POST', `${path}/credentials`, { ...rule, claims: { owner: '4712' } });
      assert.equal(more.status, 201, more.text);
      const both = await Promise.all(
        ['One', 'Two', 'Three', 'Four', 'Five', 'Six'].map((name) =>
          app.api('POST', '/api/service-accounts', {
            name,
            credentials: [{ ...rule, subject: 'repo:late/race' }],
          }),
        ),
      );
      assert.deepEqual(both.map((reply) => reply.status).toSorted(), [201, 409, 409, 409, 409, 409]);
    });

    test('D-16 is refused with an algorithm that its trusted issuer does not name', async () => {
      const { json: issuers } = await app.api('GET', '/api/trusted-issuers');
      const trusted = `/api/trusted-issuers/${issuers[0].trustedIssuerId}`;
      await app.api('PATCH', trusted, { algorithms: ['ES256'] });
      const send = WAYS['as a client assertion'] ?? assert.fail();
      assert.equal((await send(await external())).status, 401);
      assert.equal(lastRefusal(app)['reason'], 'external_issuer');
      assert.match(String(lastRefusal(app)['detail']), /alg is RS256, the trusted issuer uses ES256/);
      await app.api('PATCH', trusted, { algorithms: ['RS256'] });
      assert.equal((await send(await external())).status, 200);
    });

    test('has its rule only where its issuer is trusted, and each rule once', async () => {
      const accounts = '/api/companies/acme/service-accounts';
      const untrusted = { type: 'federated', issuer: 'https://nobody.example', subject: 'x' };
      const refused = await app.api('POST', accounts, { name: 'Untrusted', credentials: [untrusted] });
      assertRefused(app, refused, 422, 'invalid_body');
      assert.equal(refused.json.errors[0].pointer, '/credentials/0/issuer');
      const rule = { type: 'federated', issuer: ci.issuer, claims: { a: '1', b: 2 } };
      const twice = await app.api('POST', accounts, { name: 'Twice the same', credentials: [rule, rule] });
      assertRefused(app, twice, 409, 'already_exists');
      const { path: own } = await account('Once', { claims: { a: '1', b: 2 } });
      const again = await app.api('POST', `${own}/credentials`, { ...rule, claims: { b: 2, a: '1' } });
      assertRefused(app, again, 409, 'already_exists');
      assert.ok(again.headers.get('location')?.startsWith(`${own}/credentials/`));
      assertRefused(app, await app.api('POST', `${own}/credentials/none/rotate`, {}), 404, 'not_found');
    });

    test('may ask about its own token, and revoke it, with a token of another issuer as its assertion', async () => {
      const send = WAYS['as a client assertion'] ?? assert.fail();
      const { json } = await send(await external());
      const ask = async (path: string, assertion: string): Promise<Reply> =>
        app.request(path, {
          method: 'POST',
          body: new URLSearchParams({
            token: json.access_token,
            client_id: clientId,
            client_assertion_type: ASSERTION_TYPE,
            client_assertion: assertion,
          }),
        });
      const asked = await ask('/oauth/introspect', await external());
      assert.deepEqual([asked.status, asked.json.active, asked.json.sub], [200, true, clientId], asked.text);
      const forged = await ask('/oauth/introspect', await external({ owner: 'other' }));
      assert.deepEqual([forged.status, forged.json.error], [401, 'invalid_client']);
      assert.equal((await ask('/oauth/revoke', await external())).status, 200);
      assert.deepEqual((await ask('/oauth/introspect', await external())).json, { active: false });
    });

    test('has a rule that a preset describes, and reads back as claims', async () => {
      await app.api('POST', '/api/trusted-issuers', { issuer: 'https://gitlab.com', name: 'GitLab' });
      const preset = { type: 'federated', preset: 'gitlab', project: 'acme/shop', namespaceId: '72', tag: 'v1' };
      const make = (credential: object): Promise<Reply> =>
        app.api('POST', '/api/companies/acme/service-accounts', { name: 'By preset', credentials: [credential] });
      const { status, json, text } = await make(preset);
      assert.equal(status, 201, text);
      const [{ issuer, claims, subject }] = json.credentials;
      assert.deepEqual(
        [issuer, claims, subject],
        ['https://gitlab.com', { project_path: 'acme/shop', namespace_id: '72', ref_path: 'refs/tags/v1' }, null],
      );
      for (const [wrong, pointer] of [
        [{ ...preset, subject: 'x' }, '/credentials/0/subject'],
        [{ ...preset, type: 'client_secret' }, '/credentials/0/preset'],
        [{ ...preset, preset: undefined, issuer: 'https://gitlab.com' }, '/credentials/0/tag'],
        [{ ...preset, publicKey: 'x' }, '/credentials/0/publicKey'],
        [{ ...preset, namespaceId: undefined }, '/credentials/0/namespaceId'],
      ] as const) {
        const refused = await make(wrong);
        assertRefused(app, refused, 422, 'invalid_body');
        assert.equal(refused.json.errors[0].pointer, pointer, refused.text);
      }
    });

    test('is tried against a rule, claim by claim, and is not consumed', async (t) => {
      clock.stop();
      t.after(clock.go);
      const { json: credentials } = await app.api('GET', `${path}/credentials`);
      const trial = `${path}/credentials/${credentials[0].credentialId}/test`;
      const good = await app.api('POST', trial, { token: await external() });
      assert.equal(good.json.accepted, true, good.text);
      assert.ok(good.json.checks.every((check: { outcome: string }) => check.outcome === 'passed'));
      const token = await external({ owner: 4711, aud: 'other', exp: now() - 100 });
      const { json } = await app.api('POST', trial, { token });
      const failed = json.checks.filter((check: { outcome: string }) => check.outcome === 'failed');
      assert.deepEqual(
        failed.map((check: { check: string }) => check.check),
        ['time', 'audience', 'claims'],
      );
      assert.match(failed[0].message, /expired 100 seconds ago/);
      assert.deepEqual(json.claims, [
        { claim: 'sub', expected: SUBJECT, came: JSON.stringify(SUBJECT), fits: true },
        { claim: 'owner', expected: '4711', came: '4711', fits: false },
      ]);
      const forged = `${token.slice(0, token.lastIndexOf('.'))}.${Buffer.alloc(256, 7).toString('base64url')}`;
      const outcomes = async (compact: string): Promise<Record<string, string>> => {
        const reply = await app.api('POST', trial, { token: compact });
        assert.equal(reply.json.accepted, false);
        return Object.fromEntries(
          reply.json.checks.map((check: { check: string; outcome: string }) => [check.check, check.outcome]),
        );
      };
      assert.equal((await outcomes(forged))['signature'], 'failed');
      assert.deepEqual(Object.values(await outcomes('no token')).filter((outcome) => outcome === 'skipped').length, 9);
      const { json: plain } = await app.api('POST', `${path}/credentials`, { type: 'client_secret' });
      const none = await app.api('POST', `${path}/credentials/${plain.credentialId}/test`, { token });
      assertRefused(app, none, 422, 'invalid_body');
      assertRefused(app, await app.api('POST', `${path}/credentials/cred_none/test`, { token }), 404, 'not_found');
    });

    test('D-14 may be trusted by a company for itself, in place of what root trusts', async () => {
      await makeCompany(app, 'umbrella');
      const own = await startFakeIssuer();
      try {
        const made = await app.api('POST', '/api/companies/umbrella/trusted-issuers', {
          issuer: ci.issuer,
          name: 'Our own',
          jwks: { keys: own.jwks.keys },
        });
        assert.equal(made.status, 201, made.text);
        const { json } = await app.api('POST', '/api/companies/umbrella/service-accounts', {
          name: 'Robot',
          credentials: [{ type: 'federated', issuer: ci.issuer, claims: { owner: '4711' } }],
        });
        const send = WAYS['as a client assertion'] ?? assert.fail();
        // The keys of the company speak for its account, and root's do not; for the account of another company it is
        // the other way round.
        assert.equal((await send(await external({}, own), json.clientId)).status, 200);
        assert.equal((await send(await external(), json.clientId)).status, 401);
        assert.equal((await send(await external({}, own))).status, 401);
        assert.equal((await send(await external())).status, 200);
      } finally {
        await own.close();
      }
    });

    /** A company that trusts issuers of its own, and an account of it for each. */
    let companies = 0;
    async function trusting(
      trust: Readonly<Record<string, unknown>>,
      owner: 'root' | 'company' = 'company',
      subject = SUBJECT,
    ): Promise<{ id: string; issuer: string }> {
      companies += 1;
      const name = `trusting-${companies}`;
      await makeCompany(app, name);
      const issuer = `https://${name}.example`;
      const at = owner === 'root' ? '/api/trusted-issuers' : `/api/companies/${name}/trusted-issuers`;
      const made = await app.api('POST', at, { issuer, name, ...trust });
      assert.equal(made.status, 201, made.text);
      const { json, text } = await app.api('POST', `/api/companies/${name}/service-accounts`, {
        name: 'Robot',
        credentials: [{ type: 'federated', issuer: trust['issuer'] ?? issuer, subject }],
      });
      assert.ok(json.clientId, text);
      return { id: json.clientId, issuer };
    }

    /** The signing input of a token, for tests that sign in odd ways. */
    const inputOf = (alg: string, claims: object, header: object = {}): string =>
      [
        { alg, ...header },
        { sub: SUBJECT, aud: app.issuer, iat: now(), exp: now() + 300, ...claims },
      ]
        .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
        .join('.');
    const signed = (input: string, signature: Buffer): string => `${input}.${signature.toString('base64url')}`;
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const jwkOf = (key: KeyObject, kid: string): JWK => ({ ...key.export({ format: 'jwk' }), kid });

    test('D-16 is refused with an algorithm that its issuer does not use, or that no key of it has', async () => {
      const send = WAYS['as a client assertion'] ?? assert.fail();
      const jwks = { keys: [jwkOf(rsa.publicKey, 'rsa'), jwkOf(ec.publicKey, 'ec')] };
      const { id, issuer } = await trusting({ jwks, algorithms: ['RS256'] });
      const both = await trusting({ jwks, algorithms: ['RS256', 'ES256'] });
      const claims = { iss: issuer };
      const rs256 = (input: string): string => signed(input, sign('sha256', Buffer.from(input), rsa.privateKey));
      const es256 = (input: string): string =>
        signed(input, sign('sha256', Buffer.from(input), { key: ec.privateKey, dsaEncoding: 'ieee-p1363' }));
      const ps256 = (input: string): string =>
        signed(
          input,
          sign('sha256', Buffer.from(input), {
            key: rsa.privateKey,
            padding: constants.RSA_PKCS1_PSS_PADDING,
            saltLength: 32,
          }),
        );
      assert.equal((await send(rs256(inputOf('RS256', claims, { kid: 'rsa' })), id)).status, 200);
      assert.equal((await send(es256(inputOf('ES256', { iss: both.issuer }, { kid: 'ec' })), both.id)).status, 200);

      const none = inputOf('none', claims);
      const hmac = (alg: string, secret: string): string => {
        const input = inputOf(alg, claims, { kid: 'rsa' });
        return signed(input, createHmac('sha256', secret).update(input).digest());
      };
      const pem = createPublicKey({ key: { ...jwkOf(rsa.publicKey, 'rsa') }, format: 'jwk' }).export({
        type: 'spki',
        format: 'pem',
      });
      for (const [token, reason, to] of [
        [`${none}.`, 'external_malformed', id],
        [`${none}.AA`, 'external_malformed', id],
        [`${inputOf('None', claims)}.AA`, 'external_malformed', id],
        [hmac('HS256', pem), 'external_malformed', id],
        [hmac('HS256', JSON.stringify(jwkOf(rsa.publicKey, 'rsa'))), 'external_malformed', id],
        [hmac('RS256', pem), 'external_signature', id],
        [ps256(inputOf('PS256', claims, { kid: 'rsa' })), 'external_issuer', id],
        [es256(inputOf('ES256', claims, { kid: 'ec' })), 'external_issuer', id],
        [rs256(inputOf('RS256', { iss: both.issuer }, { kid: 'ec' })), 'external_signature', both.id],
        [es256(inputOf('ES256', { iss: both.issuer }, { kid: 'rsa' })), 'external_signature', both.id],
        [rs256(inputOf('ES256', { iss: both.issuer }, { kid: 'rsa' })), 'external_signature', both.id],
      ] as const) {
        const reply = await send(token, to);
        assert.deepEqual([reply.status, reply.json.error], [401, 'invalid_client'], reply.text);
        assert.equal(lastRefusal(app)?.['reason'], reason, token);
      }
    });

    test('D-04 is trusted with keys that are strong, and without private halves', async () => {
      for (const key of [
        { ...jwkOf(rsa.publicKey, 'weak'), e: 'AQ' },
        generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({ format: 'jwk' }),
        rsa.privateKey.export({ format: 'jwk' }),
        { ...jwkOf(rsa.publicKey, 'half'), p: 'AQAB' },
        { kty: 'oct', k: 'c2VjcmV0' },
      ]) {
        const reply = await app.api('POST', '/api/trusted-issuers', {
          issuer: 'https://weak.example',
          name: 'Weak',
          jwks: { keys: [jwkOf(ec.publicKey, 'good'), key] },
        });
        assertRefused(app, reply, 422, 'invalid_body');
        assert.equal(reply.json.errors[0].pointer, '/jwks/keys/1');
      }
    });

    test('D-17 is told the same, whatever goes wrong where the keys of its issuer are', async () => {
      const stranger = await startFakeIssuer();
      const closed = await freePort();
      const port = new URL(ci.issuer).port;
      const asked = ci.asked.length;
      try {
        const places = {
          'a closed port': [await trusting({ jwksUri: `https://127.0.0.1:${closed}/keys` }, 'root'), /ECONNREFUSED/],
          'a status': [await trusting({ jwksUri: `${ci.issuer}/nothing` }, 'root'), /status 404/],
          'a certificate': [await trusting({ jwksUri: `${stranger.issuer}/keys` }, 'root'), /certificate/],
          'a private address': [await trusting({ jwksUri: `https://127.0.0.1:${port}/keys` }), /not public/],
          'an address of a cloud': [await trusting({ jwksUri: 'https://169.254.169.254/latest' }), /not public/],
          'a private name of discovery': [await trusting({ issuer: `https://127.0.0.1:${port}` }), /not public/],
        } as const;
        for (const [way, send] of Object.entries(WAYS)) {
          const texts = new Set<string>();
          for (const [place, [{ id, issuer }, detail]] of Object.entries(places)) {
            const iss = place === 'a private name of discovery' ? `https://127.0.0.1:${port}` : issuer;
            const reply = await send(await external({ iss }), id);
            assert.deepEqual([reply.status, reply.json.error], REFUSED[way], reply.text);
            texts.add(reply.text.replace(reply.json.request_id, ''));
            // The owners of the account find the cause, and so do the people who run the server.
            const line = lastRefusal(app);
            assert.equal(line?.['reason'], 'external_keys', place);
            assert.match(String(line?.['detail']), detail);
          }
          const uniform = await send(await external({ owner: 'other' }));
          texts.add(uniform.text.replace(uniform.json.request_id, ''));
          assert.equal(texts.size, 1, [...texts].join('\n'));
        }
        // D-01: the networks of the setting are not for the issuers of companies.
        assert.equal(
          ci.asked.slice(asked).filter((path) => path !== '/nothing').length,
          0,
          String(ci.asked.slice(asked)),
        );
        const troubles = app.log().filter(({ event }) => event === 'issuer.keys_not_fetched');
        for (const [{ issuer }] of Object.values(places)) {
          assert.ok(troubles.filter((line) => line['issuer'] === issuer).length <= 1);
        }
      } finally {
        await stranger.close();
      }
    });

    test('D-12 may have any end, and is good for one request all the same', async () => {
      const send = WAYS['in the JWT bearer grant'] ?? assert.fail();
      const { id, issuer } = await trusting({ jwks: { keys: ci.jwks.keys }, replay: 'once' });
      for (const [index, exp] of [9e15, 1e300, Number.MAX_VALUE, now() + 0.5].entries()) {
        const token = await external({ iss: issuer, exp, jti: `end-${index}` });
        const [first, second] = [await send(token, id), await send(token, id)];
        assert.deepEqual([first.status, second.status], [200, 400], first.text);
        assert.equal(lastRefusal(app)?.['reason'], 'external_replay');
      }
      // Its use is not kept for ever: its age has an end.
      const kept = await app.knex('assertion_replays').where('client_id', 'like', 'iss:%').max({ last: 'expires_at' });
      const days = (Number(kept[0]?.['last']) - clock().getTime()) / 86_400_000;
      assert.ok(days < 1.01, String(days));
    });

    test('D-12 D-14 is not used up by a company that has keys of its own for the same issuer', async () => {
      const send = WAYS['in the JWT bearer grant'] ?? assert.fail();
      const own = await startFakeIssuer();
      try {
        const issuer = 'https://shared.example';
        const good = await trusting({ issuer, jwks: { keys: ci.jwks.keys }, replay: 'once' });
        // An exact subject stands for one account on the whole server.
        const evil = await trusting({ issuer, jwks: { keys: own.jwks.keys }, replay: 'once' }, 'company', 'evil');
        const claims = { iss: issuer, jti: 'guessed' };
        assert.equal((await send(await external({ ...claims, sub: 'evil' }, own), evil.id)).status, 200);
        assert.equal((await send(await external(claims), good.id)).status, 200);
        assert.equal((await send(await external(claims), good.id)).status, 400);
        assert.equal(lastRefusal(app)?.['reason'], 'external_replay');
      } finally {
        await own.close();
      }
    });

    // The last test: the tokens of root, which the library dates by the real time, have expired after it.
    test('D-15 goes on while its issuer misbehaves, for an hour', async () => {
      const send = WAYS['in the JWT bearer grant'] ?? assert.fail();
      clock.forward(31_000);
      assert.equal((await send(await external())).status, 200);
      try {
        ci.answer = (_, response) => response.writeHead(200, { 'Content-Type': 'text/html' }).end('<html>');
        for (let round = 0; round < 5; round += 1) {
          clock.forward(11 * 60_000);
          assert.equal((await send(await external())).status, 200);
        }
        clock.forward(11 * 60_000);
        assert.equal((await send(await external())).status, 400);
        assert.equal(lastRefusal(app)?.['reason'], 'external_keys');
      } finally {
        ci.answer = undefined;
      }
      clock.forward(31_000);
      assert.equal((await send(await external())).status, 200);
    });
  },
  embeddedAndNewest,
);

test('C-04 a client with wrong tokens of another issuer is slowed down as every other client is', async () => {
  const database = await embedded.create();
  const guessing = { limits: GUESS_LIMITS, now: () => 0 };
  const app = await startTestApp(database, {}, { guessing });
  try {
    const jwks = { keys: ci.jwks.keys };
    await app.api('POST', '/api/trusted-issuers', { issuer: ci.issuer, name: 'CI', jwks });
    const rule = { type: 'federated', issuer: ci.issuer, claims: { owner: '4711' } };
    const { json } = await app.api('POST', '/api/service-accounts', { name: 'Deployer', credentials: [rule] });
    const now = Math.floor(Date.now() / 1000);
    const send = async (owner: string): Promise<number> => {
      const claims = { iss: ci.issuer, sub: 'x', aud: app.issuer, owner, iat: now, exp: now + 600 };
      const assertion = await ci.sign(claims);
      const body = new URLSearchParams({ grant_type: JWT_BEARER, client_id: json.clientId, assertion });
      return (await app.request('/oauth/token', { method: 'POST', body })).status;
    };
    const statuses: number[] = [];
    for (let index = 0; index <= GUESS_LIMITS.pair.burst; index += 1) statuses.push(await send('wrong'));
    assert.deepEqual(new Set(statuses.slice(0, -1)), new Set([400]));
    assert.equal(statuses.at(-1), 429);
    // The right token is served all the same: the node remembers the account.
    assert.equal(await send('4711'), 200);
  } finally {
    await app.close();
    await database.drop();
  }
});
