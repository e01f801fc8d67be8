import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { before, test } from 'node:test';
import { decodeJwt } from 'jose';
import { exchangeOf, registerAccount, type RegisteredAccount } from '../support/accounts.ts';
import type { Reply } from '../support/api-contract.ts';
import { assertion, type ClientKey, clientKey, lastRefusal, registerWithKeys } from '../support/assertions.ts';
import { makeCompany } from '../support/companies.ts';
import { ROOT } from '../support/config.ts';
import { embedded, embeddedAndNewest, onEachDatabase, postgres18, type TestDatabase } from '../support/databases.ts';
import { brokenProofs } from '../support/broken-proofs.ts';
import { dpopKey, type DpopKey, dpopProof, type WantedProof } from '../support/dpop.ts';
import { startTestApp, type TestApp, useTestApp } from '../support/test-app.ts';
import { testClock } from '../support/test-clock.ts';

const TYPE = { 'Content-Type': 'application/x-www-form-urlencoded' };
const ALGS = 'ES256 PS256 EdDSA Ed25519';
const now = (): number => Math.floor(Date.now() / 1000);

const [key, other, ps256, ed25519] = await Promise.all([dpopKey(), dpopKey(), dpopKey('PS256'), dpopKey('EdDSA')]);
const rs256 = await dpopKey('RS256');

/** Two places where proofs are taken, with a request that a proof makes good. */
interface Place {
  readonly htu: (app: TestApp) => string;
  readonly htm: string;
  /** Sends a request with these values of the header `DPoP`. */
  ask(app: TestApp, proofs: readonly string[], parts: { client: RegisteredAccount; token: string }): Promise<Reply>;
  readonly refused: number;
}

/** Sends a request with headers that may be there twice. */
async function withHeaders(
  app: TestApp,
  path: string,
  method: string,
  headers: readonly (readonly [string, string])[],
  body?: URLSearchParams,
): Promise<Reply> {
  return app.request(path, {
    method,
    headers: new Headers([...headers].map(([name, value]) => [name, value])),
    ...(body && { body }),
  });
}

const basic = ({ clientId, clientSecret }: { clientId: string; clientSecret: string }): string =>
  `Basic ${btoa(`${clientId}:${clientSecret}`)}`;

const PLACES: Readonly<Record<string, Place>> = {
  'the token endpoint': {
    htu: (app) => `${app.issuer}/oauth/token`,
    htm: 'POST',
    ask: (app, proofs, { client }) => tokenWith(app, client, proofs),
    refused: 400,
  },
  'the management API': {
    htu: (app) => `${app.issuer}/api/self`,
    htm: 'GET',
    ask: (app, proofs, { token }) => selfWith(app, token, proofs),
    refused: 401,
  },
};

/** Node.js joins headers of one name by a comma when it sends them; so does `Headers`. */
function tokenWith(
  app: TestApp,
  client: { clientId: string; clientSecret: string },
  proofs: readonly string[],
  parameters: Record<string, string> = {},
  path = '/oauth/token',
): Promise<Reply> {
  const headers = [
    ['Authorization', basic(client)],
    ...Object.entries(TYPE),
    ...proofs.map((proof) => ['DPoP', proof] as const),
  ] as [string, string][];
  const body = new URLSearchParams({ grant_type: 'client_credentials', resource: `${app.issuer}/api`, ...parameters });
  return withHeaders(app, path, 'POST', headers, body);
}

function selfWith(
  app: TestApp,
  token: string,
  proofs: readonly string[],
  scheme = 'DPoP',
  path = '/api/self',
): Promise<Reply> {
  const headers = [['Authorization', `${scheme} ${token}`], ...proofs.map((proof) => ['DPoP', proof])] as [
    string,
    string,
  ][];
  return withHeaders(app, path, 'GET', headers);
}

onEachDatabase(
  'a proof of possession',
  (kind) => {
    const app = useTestApp(kind);
    let client: RegisteredAccount;
    let token: string;
    before(async () => {
      await makeCompany(app, 'acme');
      client = await registerAccount(
        app,
        { permissions: ['writ.serviceaccounts.view'] },
        '/api/companies/acme/service-accounts',
      );
      token = await boundToken(key);
    });

    async function boundToken(by: DpopKey): Promise<string> {
      const reply = await tokenWith(app, client, [dpopProof(by, { htu: `${app.issuer}/oauth/token` })]);
      assert.equal(reply.status, 200, reply.text);
      return reply.json.access_token;
    }
    const proofFor = ({ htu, htm }: Place, wanted: Partial<WantedProof> = {}, by: ClientKey = key): string =>
      dpopProof(by, { htu: htu(app), htm, ...(htm === 'GET' && { accessToken: token }), ...wanted });
    const header = (reply: Reply): string => reply.headers.get('www-authenticate') ?? '';

    test('binds the token to its key, in the answer, in the token, and where others ask about it', async () => {
      for (const by of [key, ps256, ed25519]) {
        const reply = await tokenWith(app, client, [dpopProof(by, { htu: `${app.issuer}/oauth/token` })]);
        assert.deepEqual([reply.status, reply.json.token_type], [200, 'DPoP'], reply.text);
        assert.equal(reply.headers.get('dpop-nonce'), null);
        assert.deepEqual(decodeJwt(reply.json.access_token)['cnf'], { jkt: by.jkt });
        const asked = await app.asClient('/oauth/introspect', ROOT, { token: reply.json.access_token });
        assert.deepEqual([asked.json.active, asked.json.token_type, asked.json.cnf], [true, 'DPoP', { jkt: by.jkt }]);
        const accessToken = reply.json.access_token;
        const self = dpopProof(by, { htu: `${app.issuer}/api/self`, htm: 'GET', accessToken });
        assert.equal((await selfWith(app, accessToken, [self])).status, 200);
      }
      const { json } = await app.request('/.well-known/oauth-authorization-server');
      assert.deepEqual(json.dpop_signing_alg_values_supported, ALGS.split(' '));
      // Nobody has to bind a token.
      const plain = await app.token(client);
      assert.deepEqual([plain.json.token_type, decodeJwt(plain.json.access_token)['cnf']], ['Bearer', undefined]);
    });

    for (const [name, place] of Object.entries(PLACES)) {
      const ask = (...proofs: string[]): Promise<Reply> => place.ask(app, proofs, { client, token });
      async function refused(reply: Reply, words: RegExp, note = ''): Promise<void> {
        assert.equal(reply.status, place.refused, `${note} ${reply.text}`);
        const said = place.refused === 400 ? reply.json.error_description : reply.json.detail;
        assert.match(said, words, note);
        if (place.refused === 400) {
          assert.equal(reply.json.error, 'invalid_dpop_proof', note);
          assert.equal(lastRefusal(app)['reason'], 'invalid_dpop_proof', note);
        } else {
          assert.match(
            header(reply),
            new RegExp(
              `Bearer realm="writ", resource_metadata=.*DPoP realm="writ", error="invalid_dpop_proof".*algs="${ALGS}"`,
            ),
            note,
          );
          const line = app.log().findLast(({ requestId }) => requestId === reply.json.requestId);
          assert.match(String(line?.['reason']), /^proof_/, note);
        }
      }

      test(`is refused at ${name} with anything that is missing or wrong`, async () => {
        const good = proofFor(place);
        const broken = brokenProofs((wanted, by) => proofFor(place, wanted, by), good, { key, other, rs256 });
        for (const [note, [proofs, words]] of Object.entries(broken)) {
          await refused(await ask(...[proofs].flat()), words, note);
        }
        assert.equal((await ask(good)).status, 200, 'a good proof still works');
      });

      test(`is taken at ${name} in every form that clients write`, async () => {
        const htu = place.htu(app);
        for (const wanted of [
          { claims: { htu: `${htu}?a=b#c` } },
          { claims: { htu: htu.replace('localhost', 'LOCALHOST').replace('http:', 'HTTP:') } },
          { claims: { htu: `${htu}/` } },
          { claims: { iat: now() - 10 } },
          { claims: { iat: now() + 10 } },
          { claims: { iat: now() - 0.5 } },
          { claims: { nbf: now(), exp: now() + 300 } },
          { claims: { unknown: { deep: [1] } } },
          { header: { unknown: 'member', kid: 'any' } },
          { header: { typ: 'application/DPOP+JWT' } },
        ]) {
          const reply = await ask(proofFor(place, wanted));
          assert.equal(reply.status, 200, `${JSON.stringify(wanted)} ${reply.text}`);
        }
      });

      test(`is good for one request at ${name}`, async () => {
        const proof = proofFor(place);
        const replies = await Promise.all([ask(proof), ask(proof), ask(proof)]);
        assert.deepEqual(replies.map(({ status }) => status).toSorted(), [200, place.refused, place.refused]);
        await refused(await ask(proof), /jti of the DPoP proof has been used already/);
        // The same id with another key is another proof.
        const jti = { claims: { jti: `the same id at ${name}` } };
        assert.equal((await ask(proofFor(place, jti))).status, 200);
        if (place.htm === 'POST') assert.equal((await ask(proofFor(place, jti, other))).status, 200);
      });
    }

    test('and its token go together: no other key, no other token, no bearer', async () => {
      const place = PLACES['the management API'] ?? assert.fail();
      const foreign = await boundToken(other);
      const reasonOf = (reply: Reply): unknown =>
        app.log().findLast(({ requestId }) => requestId === reply.json.requestId)?.['reason'];
      for (const [note, reply, error, reason] of [
        [
          'a proof by another key',
          await selfWith(app, token, [proofFor(place, {}, other)]),
          'invalid_dpop_proof',
          'proof_key',
        ],
        [
          'no ath',
          await selfWith(app, token, [proofFor(place, { claims: { ath: undefined } })]),
          'invalid_dpop_proof',
          'proof_invalid',
        ],
        [
          'the ath of another token',
          await selfWith(app, token, [proofFor(place, { accessToken: foreign })]),
          'invalid_dpop_proof',
          'proof_invalid',
        ],
        [
          "client 1's key with client 2's token",
          await selfWith(app, foreign, [proofFor(place, { accessToken: foreign })]),
          'invalid_dpop_proof',
          'proof_key',
        ],
        ['no proof', await selfWith(app, token, []), 'invalid_dpop_proof', 'proof_missing'],
        ['Bearer', await selfWith(app, token, [], 'Bearer'), 'invalid_token', 'token_bound'],
        [
          'Bearer with a proof',
          await selfWith(app, token, [proofFor(place)], 'Bearer'),
          'invalid_token',
          'token_bound',
        ],
      ] as const) {
        assert.equal(reply.status, 401, note);
        assert.match(header(reply), new RegExp(`error="${error}"`), note);
        assert.equal(reasonOf(reply), reason, note);
      }
      for (const scheme of ['DPOP', 'dPOP', 'dpop']) {
        assert.equal((await selfWith(app, token, [proofFor(place)], scheme)).status, 200, scheme);
      }
      // A bearer token is bound to no key, and a proof with it says nothing.
      const { json } = await app.token(client, { resource: `${app.issuer}/api` });
      const accessToken: string = json.access_token;
      for (const [scheme, proofs] of [
        ['DPoP', [proofFor(place, { accessToken })]],
        ['DPoP', []],
        ['Bearer', [proofFor(place, { accessToken })]],
      ] as const) {
        const reply = await selfWith(app, accessToken, proofs, scheme);
        assert.deepEqual([reply.status, reasonOf(reply)], [401, 'token_unbound'], scheme);
      }
      assert.equal((await selfWith(app, accessToken, [], 'Bearer')).status, 200);
    });

    test('is asked for at /tokeninfo, and refused where nobody would look at it', async () => {
      const htu = `${app.issuer}/tokeninfo`;
      const proof = dpopProof(key, { htu, htm: 'GET', accessToken: token });
      const good = await selfWith(app, token, [proof], 'DPoP', '/tokeninfo');
      assert.deepEqual([good.status, good.json.token_type, good.json.cnf], [200, 'DPoP', { jkt: key.jkt }], good.text);
      for (const [scheme, proofs, reason] of [
        ['DPoP', [proof], 'proof_invalid'],
        ['DPoP', [], 'proof_missing'],
        ['Bearer', [], 'token_bound'],
      ] as const) {
        const reply = await selfWith(app, token, proofs, scheme, '/tokeninfo');
        const line = app.log().findLast(({ event }) => event === 'tokeninfo.refused');
        assert.deepEqual([reply.status, line?.['reason']], [401, reason], reply.text);
        assert.match(header(reply), /^DPoP realm="writ", error=/);
      }
      for (const path of ['/oauth/introspect', '/oauth/revoke']) {
        const reply = await tokenWith(app, client, [dpopProof(key, { htu: app.issuer + path })], { token }, path);
        assert.deepEqual([reply.status, reply.json.error], [400, 'invalid_request'], path);
      }
    });

    test('by a client that does not authenticate tells nothing, and is not used up', async () => {
      const proof = dpopProof(key, { htu: `${app.issuer}/oauth/token` });
      for (const proofs of [[proof], ['garbage']]) {
        const wrong = await tokenWith(app, { clientId: client.clientId, clientSecret: 'writ_wrong' }, proofs);
        assert.deepEqual([wrong.status, wrong.json.error], [401, 'invalid_client']);
      }
      assert.equal((await tokenWith(app, client, [proof])).status, 200);
    });

    test('stays with a token that is exchanged for a narrower one', async () => {
      const htu = `${app.issuer}/oauth/token`;
      const exchange = (proofs: readonly string[]): Promise<Reply> =>
        withHeaders(
          app,
          '/oauth/token',
          'POST',
          [...Object.entries(TYPE), ...proofs.map((proof) => ['DPoP', proof] as const)],
          new URLSearchParams(exchangeOf(token)),
        );
      const good = await exchange([dpopProof(key, { htu })]);
      assert.deepEqual([good.status, good.json.token_type], [200, 'DPoP'], good.text);
      assert.deepEqual(decodeJwt(good.json.access_token)['cnf'], { jkt: key.jkt });
      for (const proofs of [[], [dpopProof(other, { htu })]]) {
        const reply = await exchange(proofs);
        assert.deepEqual([reply.status, reply.json.error], [400, 'invalid_grant'], reply.text);
        assert.equal(lastRefusal(app)['reason'], 'invalid_grant');
      }
    });

    test('goes with the path of Mia’s clients, and each path takes its own', async () => {
      const alias = '/api/m2m/oauth/token';
      const good = await tokenWith(app, client, [dpopProof(key, { htu: app.issuer + alias })], {}, alias);
      assert.deepEqual([good.status, good.json.token_type], [200, 'DPoP'], good.text);
      const wrong = await tokenWith(app, client, [dpopProof(key, { htu: `${app.issuer}/oauth/token` })], {}, alias);
      assert.deepEqual([wrong.status, wrong.json.error], [400, 'invalid_dpop_proof']);
    });

    test('comes with a client assertion in one statement, and shares no id with it', async () => {
      const own = clientKey('ES256');
      const { clientId } = await registerWithKeys(app, 'By key', [own]);
      const htu = `${app.issuer}/oauth/token`;
      const jti = 'one id for both';
      const ask = (proof: string, id: string): Promise<Reply> =>
        withHeaders(
          app,
          '/oauth/token',
          'POST',
          [...Object.entries(TYPE), ['DPoP', proof]],
          new URLSearchParams({
            grant_type: 'client_credentials',
            client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
            client_assertion: assertion(own, clientId, app.issuer, { jti: id }),
          }),
        );
      const inserts = (): number => app.statements().filter((sql) => sql.includes('into assertion_replays')).length;
      const earlier = inserts();
      const proof = dpopProof(key, { htu, claims: { jti } });
      const good = await ask(proof, jti);
      assert.deepEqual([good.status, good.json.token_type], [200, 'DPoP'], good.text);
      assert.equal(inserts() - earlier, 1);
      const replayed = await ask(proof, 'a new id');
      assert.deepEqual([replayed.status, replayed.json.error], [400, 'invalid_dpop_proof'], replayed.text);
      const assertionAgain = await ask(dpopProof(key, { htu }), jti);
      assert.deepEqual([assertionAgain.status, assertionAgain.json.error], [401, 'invalid_client']);
      // A wrong proof uses the assertion up, as every answer does.
      const wrong = await ask('garbage', 'another id');
      assert.deepEqual([wrong.status, wrong.json.error], [400, 'invalid_dpop_proof']);
      assert.equal((await ask(dpopProof(key, { htu }), 'another id')).status, 401);
    });

    test('binds a token that its holder gets as another account', async () => {
      const admin = await registerAccount(
        app,
        { permissions: [], roles: ['company-owner'] },
        '/api/companies/acme/service-accounts',
      );
      const got = await tokenWith(app, admin, [dpopProof(key, { htu: `${app.issuer}/oauth/token` })]);
      const accessToken: string = got.json.access_token;
      const path = `${client.path}/impersonate`;
      const proof = dpopProof(key, { htu: app.issuer + path, accessToken });
      const reply = await app.request(path, {
        method: 'POST',
        headers: { Authorization: `DPoP ${accessToken}`, DPoP: proof, 'Content-Type': 'application/json' },
        body: JSON.stringify({ reason: 'Ticket 1', resource: `${app.issuer}/api` }),
      });
      assert.deepEqual([reply.status, reply.json.token_type], [200, 'DPoP'], reply.text);
      assert.deepEqual(decodeJwt(reply.json.access_token)['cnf'], { jkt: key.jkt });
    });
  },
  embeddedAndNewest,
);

test('a proof that was used on one node is refused on another', async () => {
  const database = await postgres18.create();
  const nodes: TestApp[] = [];
  const start = (from: TestDatabase): Promise<TestApp> => startTestApp(from, { WRIT_ISSUER: 'https://id.example' });
  nodes.push(await start(database), await start(database));
  const [one, two] = nodes;
  assert.ok(one && two);
  const client = await registerAccount(one);
  const proof = dpopProof(key, { htu: 'https://id.example/oauth/token' });
  assert.equal((await tokenWith(one, client, [proof])).status, 200);
  const again = await tokenWith(two, client, [proof]);
  assert.deepEqual([again.status, again.json.error], [400, 'invalid_dpop_proof']);
  await Promise.all(nodes.map((node) => node.close()));
  await database.drop();
});

onEachDatabase(
  'a nonce for proofs of possession',
  (kind) => {
    const clock = testClock();
    const app = useTestApp(kind, { WRIT_DPOP_NONCE: 'required' }, { clock });
    let client: RegisteredAccount;
    before(async () => {
      client = await registerAccount(app, {
        permissions: ['writ.serviceaccounts.view'],
        audience: `${app.issuer}/api`,
      });
    });
    const htu = (): string => `${app.issuer}/oauth/token`;

    test('is demanded where the setting says so, given with the refusal, and good for some minutes', async () => {
      const first = await tokenWith(app, client, [dpopProof(key, { htu: htu() })]);
      assert.deepEqual([first.status, first.json.error], [400, 'use_dpop_nonce'], first.text);
      assert.equal(lastRefusal(app)['reason'], 'use_dpop_nonce');
      const nonce = first.headers.get('dpop-nonce') ?? '';
      assert.match(nonce, /^[\w.-]{20,60}$/);
      // With a nonce, the clock of the client does not matter.
      const second = await tokenWith(app, client, [dpopProof(key, { htu: htu(), claims: { nonce, iat: 1000 } })]);
      assert.deepEqual([second.status, second.json.token_type], [200, 'DPoP'], second.text);
      const accessToken: string = second.json.access_token;
      const self = { htu: `${app.issuer}/api/self`, htm: 'GET', accessToken };
      const without = await selfWith(app, accessToken, [dpopProof(key, self)]);
      assert.equal(without.status, 401);
      assert.match(without.headers.get('www-authenticate') ?? '', /DPoP realm="writ", error="use_dpop_nonce"/);
      const next = without.headers.get('dpop-nonce') ?? '';
      const good = await selfWith(app, accessToken, [dpopProof(key, { ...self, claims: { nonce: next } })]);
      assert.equal(good.status, 200, good.text);
      for (const wrong of ['', 'x', `${nonce}x`, nonce.replace(/^\w+/, 'zzzz'), `${nonce.split('.')[0]}.AAAA`]) {
        const reply = await tokenWith(app, client, [dpopProof(key, { htu: htu(), claims: { nonce: wrong } })]);
        assert.deepEqual([reply.status, reply.json.error], [400, 'use_dpop_nonce'], wrong);
        assert.ok(reply.headers.get('dpop-nonce'));
      }
      // A client without proofs gets bearer tokens as before.
      assert.equal((await app.token(client)).status, 200);
    });

    test('comes with the answers after which a client needs another one', async () => {
      const ask = (nonce: string | undefined): Promise<Reply> =>
        tokenWith(app, client, [dpopProof(key, { htu: htu(), claims: { nonce } })]);
      const given = (reply: Reply): string | null => reply.headers.get('dpop-nonce');
      clock.stop();
      const nonce = given(await ask(undefined)) ?? assert.fail('no nonce');
      const good = await ask(nonce);
      assert.deepEqual([good.status, given(good)], [200, null]);
      const broken = await tokenWith(app, client, ['garbage']);
      assert.deepEqual([broken.json.error, given(broken)], ['invalid_dpop_proof', nonce]);
      clock.forward(60_000);
      const later = await ask(nonce);
      const next = given(later) ?? assert.fail('no new nonce');
      assert.equal(later.status, 200);
      assert.notEqual(next, nonce);
      assert.equal(given(await ask(next)), null);
      clock.forward(300_000);
      assert.equal((await ask(nonce)).json.error, 'use_dpop_nonce');
    });
  },
  [embedded, postgres18],
);

test('the thumbprint of the key is the one of RFC 7638', () => {
  const { x, y } = key.publicKey.export({ format: 'jwk' });
  const members = JSON.stringify({ crv: 'P-256', kty: 'EC', x, y });
  assert.equal(key.jkt, createHash('sha256').update(members).digest('base64url'));
});
