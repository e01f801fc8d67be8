import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { DIAGNOSIS_CHECKS } from '../../src/domain/assertions/diagnose-assertion.ts';
import {
  assertion,
  claimsFor,
  clientKey,
  jws,
  lastRefusal,
  registerWithKeys,
  type TestAccount,
  tokenByAssertion,
} from '../support/assertions.ts';
import { assertRefused, makeCaller, makeCompany } from '../support/companies.ts';
import { newest, onEachDatabase } from '../support/databases.ts';
import { useTestApp } from '../support/test-app.ts';
import { testClock } from '../support/test-clock.ts';

interface Diagnosis {
  readonly accepted: boolean;
  readonly credentialId: string | null;
  readonly checks: readonly { readonly check: string; readonly outcome: string; readonly message: string | null }[];
}

const ROOTS = '/api/service-accounts';

onEachDatabase(
  'the diagnosis of an assertion',
  (kind) => {
    const clock = testClock();
    const app = useTestApp(kind, {}, { clock });
    const key = clientKey('ES256', 'good');
    const seconds = (): number => Math.floor(clock().getTime() / 1000);

    async function account(): Promise<TestAccount> {
      return registerWithKeys(app, `Account ${randomUUID()}`, [key, clientKey('ES256', 'other')]);
    }

    async function diagnose(clientId: string, value: string, bearer?: string): Promise<Diagnosis> {
      const path = `${ROOTS}/${clientId}/diagnose-assertion`;
      const { status, json, text } = await app.api('POST', path, { assertion: value }, bearer);
      assert.equal(status, 200, text);
      assert.deepEqual(
        json.checks.map(({ check }: { check: string }) => check),
        DIAGNOSIS_CHECKS,
      );
      return json;
    }

    const those = ({ checks }: Diagnosis, wanted: string): string[] =>
      checks.filter(({ outcome }) => outcome === wanted).map(({ check }) => check);
    const said = ({ checks }: Diagnosis, wanted: string): string =>
      checks.find(({ check }) => check === wanted)?.message ?? '';

    test('passes every check for a valid assertion, and consumes the assertion', async () => {
      const { clientId, credentials } = await account();
      const value = assertion(key, clientId, app.issuer, {}, { kid: 'good' });
      const good = await diagnose(clientId, value);
      assert.deepEqual(those(good, 'passed'), DIAGNOSIS_CHECKS);
      assert.equal(good.accepted, true);
      assert.equal(good.credentialId, credentials.find(({ kid }) => kid === 'good')?.credentialId);
      assert.equal((await tokenByAssertion(app, value)).status, 401);
      assert.equal(lastRefusal(app)['reason'], 'assertion_replay');
      const again = await diagnose(clientId, value);
      assert.deepEqual([again.accepted, those(again, 'failed')], [false, ['replay']]);
    });

    test('accepts what a token request accepts: a final slash, another spelling of typ, fractions of a second', async () => {
      const { clientId } = await account();
      const now = clock().getTime() / 1000;
      for (const [changes, header] of [
        [{ aud: `${app.issuer}/` }, {}],
        [{}, { typ: 'application/jwt' }],
        [{ exp: now + 60.97, iat: now - 0.5, nbf: now - 0.25 }, {}],
      ] as const) {
        const value = assertion(key, clientId, app.issuer, changes, { kid: 'good', ...header });
        const { accepted, checks } = await diagnose(clientId, value);
        assert.equal(accepted, true, JSON.stringify(checks));
      }
    });

    test('is recorded in the audit with its caller, but only if it consumed the assertion', async () => {
      const { clientId, credentials } = await account();
      const events = async (): Promise<unknown[]> => {
        const { json } = await app.api('GET', `/api/audit-events?action=assertion.diagnosed&target=${clientId}`);
        return json.map(({ actor, details, company }: Record<string, unknown>) => ({ actor, details, company }));
      };
      for (const unusable of [
        'no assertion',
        assertion(clientKey('ES256'), clientId, app.issuer, {}, { kid: 'good' }),
        assertion(key, (await account()).clientId, app.issuer, {}, { kid: 'good' }),
        assertion(key, clientId, app.issuer, { jti: undefined }, { kid: 'good' }),
      ]) {
        assert.equal((await diagnose(clientId, unusable)).accepted, false);
      }
      assert.deepEqual(await events(), []);
      const viewer = await makeCaller(app, ROOTS, ['writ.activity.view']);
      await diagnose(
        clientId,
        assertion(key, clientId, app.issuer, { jti: 'looked-at' }, { kid: 'good' }),
        viewer.bearer,
      );
      const { json: used } = await app.api('GET', `${ROOTS}/${viewer.clientId}/credentials`);
      assert.deepEqual(await events(), [
        {
          actor: { type: 'service_account', clientId: viewer.clientId, credentialId: used[0].credentialId },
          company: null,
          details: {
            jti: 'looked-at',
            credentialId: credentials.find(({ kid }) => kid === 'good')?.credentialId,
          },
        },
      ]);
    });

    test('names exactly the checks that fail, one or many', async () => {
      const { clientId } = await account();
      const stranger = clientKey('ES256');
      clock.stop();
      const signed = (changes: object, header: object = {}): string =>
        assertion(key, clientId, app.issuer, { ...changes }, { kid: 'good', ...header });
      const table: [string[], string, RegExp, string[]?][] = [
        [['type'], signed({}, { typ: 'at+jwt' }), /^typ is 'at\+jwt'/],
        [['issuer'], signed({ iss: 'me' }), /^iss is 'me', expected the same as sub/],
        [['audience'], signed({ aud: 'https://other.example' }), /^aud is 'https:\/\/other\.example', expected http/],
        [['audience'], signed({ aud: [app.issuer, 'x'] }), /^aud is/],
        [['expiry'], signed({ exp: seconds() - 37 }), /^expired 37 seconds ago/],
        [['expiry'], signed({ exp: 'soon' }), /^exp is 'soon'/],
        [['lifetime'], signed({ exp: seconds() + 4000 }), /^exp is 4000 seconds ahead, at most 310/],
        [['issued_at'], signed({ iat: seconds() + 50 }), /^iat is 50 seconds ahead/],
        [['not_before'], signed({ nbf: seconds() + 50 }), /^nbf is 50 seconds ahead/],
        [['jti'], signed({ jti: undefined }), /^jti is absent/, ['replay']],
        [
          ['type', 'issuer', 'audience', 'lifetime', 'issued_at', 'not_before'],
          signed(
            { iss: 'me', aud: 'x', exp: seconds() + 9000, iat: seconds() + 90, nbf: seconds() + 90 },
            { typ: 'x' },
          ),
          /^typ is 'x'/,
        ],
        [
          ['key'],
          signed({}, { kid: 'bad' }),
          /^kid is 'bad' and alg ES256, the account has no key with both$/,
          ['credential', 'signature', 'replay'],
        ],
        [
          ['key', 'expiry'],
          signed({ exp: 7 }, { kid: undefined }),
          /^the account has several keys for ES256, kid must say which$/,
          ['credential', 'signature', 'replay'],
        ],
        [
          ['key'],
          assertion(clientKey('RS256'), clientId, app.issuer),
          /^alg is RS256, the account has no key for it$/,
          ['credential', 'signature', 'replay'],
        ],
        [
          ['signature', 'audience'],
          jws(stranger, { alg: 'ES256', kid: 'good' }, claimsFor(clientId, 'x')),
          /^it does not verify with this key$/,
          ['replay'],
        ],
        [['account', 'issuer'], signed({ sub: 'sa_other' }), /^sub is 'sa_other', this account is sa_/, ['replay']],
      ];
      const forms: [string, RegExp][] = [
        ['x', /^it is not three segments of base64url/],
        [`${signed({})}=`, /^it is not three segments/],
        ['x'.repeat(20_000), /^it is longer than 16384 characters$/],
        ['e.e30.AAAA', /^its header is not a JSON object/],
        [jws(key, { alg: 'none' }, {}), /^alg is 'none', expected one of RS256/],
        [jws(key, { alg: 'ES256', crit: ['x'] }, {}), /^crit and b64 are not taken$/],
        [jws(key, { alg: 'ES256', kid: 7 }, {}), /^kid is not a string$/],
        [jws(key, { alg: 'ES256' }, '{"sub":"a","sub":"b"}'), /^its payload is not a JSON object/],
        [jws(key, { alg: 'ES256' }, {}), /^sub is absent, expected the client id$/],
      ];
      const rest = DIAGNOSIS_CHECKS.slice(1);
      for (const [failed, value, message, skipped = []] of [
        ...table,
        ...forms.map(([value, message]): [string[], string, RegExp, string[]] => [['form'], value, message, rest]),
      ]) {
        const note = `${failed.join()} ${value}`;
        const diagnosis = await diagnose(clientId, value);
        assert.deepEqual(those(diagnosis, 'failed'), failed, note);
        assert.deepEqual(those(diagnosis, 'skipped'), skipped, note);
        assert.equal(diagnosis.accepted, false, note);
        assert.match(said(diagnosis, failed[0] ?? ''), message, note);
        assert.ok(diagnosis.checks.every((check) => (check.message !== null) === (check.outcome === 'failed')));
      }
      clock.go();
    });

    test('names a disabled account, a disabled key and an expired key', async () => {
      const { clientId, credentials } = await account();
      const keyId = credentials.find(({ kid }) => kid === 'good')?.credentialId;
      const change = async (below: string, body: object): Promise<void> => {
        assert.equal((await app.api('PATCH', `${ROOTS}/${clientId}${below}`, body)).status, 200);
      };
      const value = (): string => assertion(key, clientId, app.issuer, {}, { kid: 'good' });
      await change(`/credentials/${keyId}`, { expiresIn: 1 });
      await setTimeout(1100);
      const expired = await diagnose(clientId, value());
      assert.deepEqual(those(expired, 'failed'), ['credential']);
      assert.equal(said(expired, 'credential'), 'this key has expired');
      await change(`/credentials/${keyId}`, { expiresIn: null, state: 'disabled' });
      await change('', { state: 'disabled' });
      const disabled = await diagnose(clientId, value());
      assert.deepEqual(those(disabled, 'failed'), ['state', 'credential']);
      assert.equal(said(disabled, 'credential'), 'this key is disabled');
    });

    test('applies the rules of the key, and says where the audience of Mia’s clients is accepted', async () => {
      const own = clientKey('ES256');
      const { clientId } = await registerWithKeys(app, `Own rules ${randomUUID()}`, [own], {
        assertionAudiences: ['https://other.example'],
        assertionMaxTtl: 600,
      });
      const byKey = assertion(own, clientId, 'https://other.example', { exp: seconds() + 590 });
      assert.equal((await diagnose(clientId, byKey)).accepted, true);
      const mias = await diagnose(
        clientId,
        assertion(own, clientId, 'console-client-credentials', { exp: seconds() + 3600 }),
      );
      assert.equal(mias.accepted, true);
      assert.equal(said(mias, 'audience'), 'it is accepted at /api/m2m/oauth/token only');
    });

    test('E-01 consumes no assertion of another account, and no assertion without a valid signature', async () => {
      const [mine, other] = [await account(), await account()];
      const jti = randomUUID();
      const forOther = assertion(key, other.clientId, app.issuer, { jti }, { kid: 'good' });
      assert.deepEqual(those(await diagnose(mine.clientId, forOther), 'failed'), ['account']);
      const forged = jws(
        clientKey('ES256'),
        { alg: 'ES256', kid: 'good' },
        claimsFor(other.clientId, app.issuer, { jti }),
      );
      assert.deepEqual(those(await diagnose(other.clientId, forged), 'failed'), ['signature']);
      assert.equal((await tokenByAssertion(app, forOther)).status, 200);
    });

    test('requires writ.activity.view for the account, and keeps the assertion out of the log', async () => {
      await makeCompany(app, 'acme');
      const inAcme = '/api/companies/acme/service-accounts';
      const viewer = await makeCaller(app, inAcme, ['writ.activity.view']);
      const reader = await makeCaller(app, inAcme, ['writ.serviceaccounts.view']);
      const { clientId } = await account();
      const value = assertion(key, clientId, app.issuer, {}, { kid: 'good' });
      const call = (path: string, bearer: string, body: unknown = { assertion: value }): ReturnType<typeof app.api> =>
        app.api('POST', `${path}/diagnose-assertion`, body, bearer);
      assertRefused(app, await call(`${inAcme}/${clientId}`, viewer.bearer), 404, 'not_found');
      assertRefused(app, await call(`${ROOTS}/${clientId}`, viewer.bearer), 403, 'forbidden');
      assertRefused(app, await call(`${inAcme}/${viewer.clientId}`, reader.bearer), 403, 'insufficient_scope');
      const own = await call(`${inAcme}/${viewer.clientId}`, viewer.bearer);
      assert.deepEqual(those(own.json, 'failed'), ['account', 'key']);
      for (const body of [{}, { assertion: 7 }, { assertion: '' }, { assertion: value, more: 1 }]) {
        assert.ok([400, 422].includes((await call(`${inAcme}/${viewer.clientId}`, viewer.bearer, body)).status));
      }
      assert.equal(JSON.stringify(app.log()).includes(value.slice(-40)), false);
      // The calls above have not consumed the assertion.
      assert.equal((await tokenByAssertion(app, value)).status, 200);
    });
  },
  newest,
);
