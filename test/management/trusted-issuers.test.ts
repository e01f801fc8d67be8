import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { exportJWK, generateKeyPair } from 'jose';
import type { Reply } from '../support/api-contract.ts';
import { type ApiCaller, assertRefused, COMPANY_PERMISSIONS, makeCaller, makeCompany } from '../support/companies.ts';
import { databases, onEachDatabase } from '../support/databases.ts';
import { startTestApp, useTestApp } from '../support/test-app.ts';

const ROOTS = '/api/trusted-issuers';
const IN_A = '/api/companies/a/trusted-issuers';

onEachDatabase(
  'trusted issuers',
  (kind) => {
    const app = useTestApp(kind);
    let owner: ApiCaller;
    let made = 0;
    before(async () => {
      await makeCompany(app, 'a');
      await makeCompany(app, 'b');
      owner = await makeCaller(app, '/api/companies/a/service-accounts', COMPANY_PERMISSIONS);
    });

    const trust = (path: string, body: object = {}, bearer?: string): Promise<Reply> =>
      app.api('POST', path, { issuer: `https://ci.example/${(made += 1)}`, name: 'CI', ...body }, bearer);

    test('are created with defaults, and read back as they were sent', async () => {
      const { status, json, headers } = await trust(ROOTS, { issuer: 'https://ci.example' });
      assert.equal(status, 201);
      const { trustedIssuerId: id, createdAt, updatedAt, createdBy, ...rest } = json;
      assert.match(id, /^iss_/);
      assert.ok(createdAt === updatedAt && typeof createdBy === 'string');
      assert.deepEqual(rest, {
        issuer: 'https://ci.example',
        name: 'CI',
        company: null,
        audience: null,
        jwksUri: null,
        jwks: null,
        algorithms: ['RS256', 'ES256'],
        maxTokenAge: 3600,
        replay: 'reusable',
        state: 'enabled',
      });
      assert.equal(headers.get('location'), `${ROOTS}/${id}`);
      const wanted = {
        audience: 'writ',
        jwksUri: 'https://ci.example/keys',
        algorithms: ['EdDSA'],
        maxTokenAge: 'PT5M',
        replay: 'once',
        state: 'disabled',
      };
      const { json: other } = await trust(ROOTS, wanted);
      const { json: read } = await app.api('GET', `${ROOTS}/${other.trustedIssuerId}`);
      assert.deepEqual(read, other);
      assert.deepEqual({ ...read, maxTokenAge: 'PT5M' }, { ...read, ...wanted });
      assert.equal(read.maxTokenAge, 300);
    });

    test('are created once for each owner: a repeated request leads to the first', async () => {
      const { json } = await trust(IN_A, { issuer: 'https://twice.example' }, owner.bearer);
      const again = await trust(IN_A, { issuer: 'https://twice.example' }, owner.bearer);
      assertRefused(app, again, 409, 'already_exists');
      assert.equal(again.headers.get('location'), `${IN_A}/${json.trustedIssuerId}`);
      assert.equal((await trust(ROOTS, { issuer: 'https://twice.example' })).status, 201);
      assert.equal((await trust('/api/companies/b/trusted-issuers', { issuer: 'https://twice.example' })).status, 201);
    });

    for (const [what, body, pointer] of [
      ['no https URL', { issuer: 'http://ci.example' }, '/issuer'],
      ['no URL', { issuer: 'ci.example' }, '/issuer'],
      ['a file', { issuer: 'file:///etc/passwd' }, '/issuer'],
      ['a query', { issuer: 'https://ci.example?x=1' }, '/issuer'],
      ['a fragment', { issuer: 'https://ci.example#x' }, '/issuer'],
      ['a password', { issuer: 'https://a:b@ci.example' }, '/issuer'],
      ['a host in another form', { issuer: 'https://CI.example' }, '/issuer'],
      ['a path that means another one', { issuer: 'https://ci.example/a/../b' }, '/issuer'],
      ['keys at no https URL', { jwksUri: 'http://ci.example/keys' }, '/jwksUri'],
      ['keys in two places', { jwksUri: 'https://ci.example/keys', jwks: { keys: [{ kty: 'EC' }] } }, '/jwksUri'],
      ['a private key', { jwks: { keys: [{ kty: 'EC', d: 'x' }] } }, '/jwks/keys/0'],
      ['a symmetric key', { jwks: { keys: [{ kty: 'oct', k: 'x' }] } }, '/jwks/keys/0'],
      ['a maximum age of more than a day', { maxTokenAge: 'P2D' }, '/maxTokenAge'],
    ] as [string, object, string][]) {
      test(`D-01 D-04 are refused with a pointer when they have ${what}`, async () => {
        const reply = await trust(ROOTS, body);
        assertRefused(app, reply, 422, 'invalid_body');
        assert.deepEqual(
          reply.json.errors.map((error: { pointer: string }) => error.pointer),
          [pointer],
        );
      });
    }

    test('may not be this server itself, with or without a final slash', async () => {
      const database = await kind.create();
      const own = await startTestApp(database, { WRIT_ISSUER: 'https://id.example' });
      try {
        for (const issuer of ['https://id.example', 'https://id.example/']) {
          const { status, json } = await own.api('POST', ROOTS, { issuer, name: 'Own' });
          assert.deepEqual([status, json.errors?.[0]?.message], [422, 'is this server itself'], issuer);
        }
        assert.equal((await own.api('POST', ROOTS, { issuer: 'https://id.example/ci', name: 'CI' })).status, 201);
      } finally {
        await own.close();
        await database.drop();
      }
    });

    test('take keys by hand, for an issuer that cannot be reached', async () => {
      const { publicKey } = await generateKeyPair('ES256');
      const jwk = { ...(await exportJWK(publicKey)), kid: 'one' };
      const { status, json } = await trust(ROOTS, { jwks: { keys: [jwk] } });
      assert.deepEqual([status, json.jwks], [201, { keys: [jwk] }]);
      const path = `${ROOTS}/${json.trustedIssuerId}`;
      const { json: moved } = await app.api('PATCH', path, { jwksUri: 'https://ci.example/keys' });
      assert.deepEqual([moved.jwks, moved.jwksUri], [null, 'https://ci.example/keys']);
      const { json: found } = await app.api('PATCH', path, { jwksUri: null });
      assert.deepEqual([found.jwks, found.jwksUri], [null, null]);
    });

    test("are seen by a company, its own and root's; only its own can it change", async () => {
      const { json: roots } = await trust(ROOTS, { name: 'Of root' });
      const { json: own } = await trust(IN_A, { name: 'Of the company' }, owner.bearer);
      const { json: foreign } = await trust('/api/companies/b/trusted-issuers', { name: 'Of another' });
      const { json: listed } = await app.api('GET', `${IN_A}?search=of`, undefined, owner.bearer);
      const ids: string[] = listed.map((one: { trustedIssuerId: string }) => one.trustedIssuerId);
      assert.deepEqual(ids.slice(0, 2), [own.trustedIssuerId, roots.trustedIssuerId]);
      assert.equal(ids.includes(foreign.trustedIssuerId), false);
      const change = (id: string): Promise<Reply> =>
        app.api('PATCH', `${IN_A}/${id}`, { state: 'disabled' }, owner.bearer);
      assert.equal((await change(own.trustedIssuerId)).status, 200);
      assertRefused(app, await change(roots.trustedIssuerId), 403, 'forbidden');
      assertRefused(app, await change(foreign.trustedIssuerId), 404, 'not_found');
    });

    test('are changed and deleted with an audit event each, and only in the revision that was seen', async () => {
      const { json } = await trust(IN_A, {}, owner.bearer);
      const path = `${IN_A}/${json.trustedIssuerId}`;
      const overtaken = await app.api('PATCH', path, { name: 'X' }, owner.bearer, { 'If-Match': '"2"' });
      assertRefused(app, overtaken, 412, 'precondition_failed');
      await app.api('PATCH', path, { name: 'Changed', audience: 'writ' }, owner.bearer);
      await app.api('PATCH', path, { name: 'Changed' }, owner.bearer);
      assert.equal((await app.api('DELETE', path, undefined, owner.bearer)).status, 204);
      assertRefused(app, await app.api('DELETE', path, undefined, owner.bearer), 404, 'not_found');
      const { json: events } = await app.api('GET', '/api/companies/a/audit-events?limit=20', undefined, owner.bearer);
      const own = events.filter((event: { target: string }) => event.target === json.trustedIssuerId);
      assert.deepEqual(
        own.map((event: { action: string }) => event.action),
        ['trusted_issuer.deleted', 'trusted_issuer.changed', 'trusted_issuer.created'],
      );
      assert.deepEqual(own[1].details, {
        name: { from: 'CI', to: 'Changed' },
        audience: { from: null, to: 'writ' },
      });
    });

    test('E-02 are not taken over by a caller that may do less than an account with a rule for them', async () => {
      const { json } = await trust(IN_A, { issuer: 'https://strong.example' }, owner.bearer);
      const accounts = '/api/companies/a/service-accounts';
      const strong = await app.api('POST', accounts, {
        name: 'Strong',
        permissions: ['nuclear:launch'],
        credentials: [{ type: 'federated', issuer: 'https://strong.example', subject: 'silo' }],
      });
      assert.equal(strong.status, 201, strong.text);
      const keeper = await makeCaller(app, accounts, ['writ.trustedissuers.manage']);
      const path = `${IN_A}/${json.trustedIssuerId}`;
      const change = (body: object, bearer = keeper.bearer): Promise<Reply> => app.api('PATCH', path, body, bearer);
      for (const body of [
        { jwksUri: 'https://evil.example/keys' },
        { jwks: { keys: [{ kty: 'EC', crv: 'P-256', x: 'x', y: 'y' }] } },
        { algorithms: ['ES384'] },
        { audience: 'other' },
        { maxTokenAge: 86_400 },
        { replay: 'once' },
        { state: 'disabled' },
      ]) {
        assertRefused(app, await change(body), 403, 'forbidden', JSON.stringify(body));
      }
      assert.equal((await change({ name: 'Renamed' })).status, 200);
      // Root may grant everything, and so may vouch for everybody.
      assert.equal((await app.api('PATCH', path, { state: 'disabled' })).status, 200);

      // An entry of the company's own would replace that of root.
      const rootIssuer = 'https://of-root.example';
      await trust(ROOTS, { issuer: rootIssuer });
      await app.api('POST', `${accounts}/${strong.json.clientId}/credentials`, {
        type: 'federated',
        issuer: rootIssuer,
        subject: 'silo',
      });
      assertRefused(app, await trust(IN_A, { issuer: rootIssuer }, keeper.bearer), 403, 'forbidden');
      const weakRoot = await makeCaller(app, '/api/service-accounts', ['writ.trustedissuers.manage']);
      const { json: listed } = await app.api('GET', `${ROOTS}?search=${encodeURIComponent(rootIssuer)}`);
      const ofRoot = `${ROOTS}/${listed[0].trustedIssuerId}`;
      assertRefused(app, await app.api('PATCH', ofRoot, { replay: 'once' }, weakRoot.bearer), 403, 'forbidden');
      assert.equal((await trust(IN_A, { issuer: rootIssuer })).status, 201);
      // From here on the account goes by the entry of its company, and root's concerns it no more.
      assert.equal((await app.api('PATCH', ofRoot, { replay: 'once' }, weakRoot.bearer)).status, 200);
    });

    test('go with their company', async () => {
      await makeCompany(app, 'gone');
      const { json } = await trust('/api/companies/gone/trusted-issuers');
      await app.api('DELETE', '/api/companies/gone?cascade=true');
      const { rows } = await app.knex.raw('select from trusted_issuers where trusted_issuer_id = ?', [
        json.trustedIssuerId,
      ]);
      assert.equal(rows.length, 0);
    });

    test('are limited to a hundred for each owner', async () => {
      await makeCompany(app, 'many');
      const path = '/api/companies/many/trusted-issuers';
      for (let index = 0; index < 100; index += 1) assert.equal((await trust(path)).status, 201);
      assertRefused(app, await trust(path), 422, 'limit_reached');
      assert.equal((await trust(IN_A, {}, owner.bearer)).status, 201);
    });
  },
  databases,
);
