import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type AssertionRules, rulesFor } from '../../src/domain/assertions/assertion-rules.ts';
import { checkAssertion, measureAssertion } from '../../src/domain/assertions/check-assertion.ts';
import type { Assertion } from '../../src/domain/assertions/parse-assertion.ts';
import type { ClientId } from '../../src/domain/ids.ts';

const NOW = 1_800_000_000;
const ISSUER = 'https://id.example/auth';
const RULES: AssertionRules = {
  audiences: new Map([[ISSUER, 300]]),
  issuer: ISSUER,
  tolerance: 10,
  algs: ['ES256', 'RS256'],
  plainAudience: false,
  now: NOW,
};
const GOOD = { iss: 'sa_one', sub: 'sa_one', aud: ISSUER, exp: NOW + 60, jti: 'once' };

function assertionWith(claims: object, typ?: unknown): Assertion {
  const clientId = 'sa_one' as ClientId;
  return { compact: '', alg: 'ES256', kid: undefined, typ, header: {}, clientId, claims: { ...GOOD, ...claims } };
}

describe('the check of an assertion', () => {
  const passes: readonly (readonly [string, object])[] = [
    ['every claim as it should be', {}],
    ['the audience in an array of one', { aud: [ISSUER] }],
    ['an end that has passed within the tolerance', { exp: NOW - 9 }],
    ['the longest lifetime, with the tolerance', { exp: NOW + 310 }],
    ['a start that lies ahead within the tolerance', { nbf: NOW + 10, iat: NOW + 10 }],
    ['a part of a second in its times', { exp: NOW + 60.5, iat: NOW - 0.5 }],
    ['an id of 128 characters', { jti: 'j'.repeat(128) }],
    ['no time of issue', { iat: undefined }],
  ];
  for (const [what, claims] of passes) {
    test(`passes an assertion with ${what}`, () => {
      assert.equal(checkAssertion(assertionWith(claims), RULES), undefined);
    });
  }

  const failures: readonly (readonly [string, object])[] = [
    ['issuer', { iss: 'sa_two' }],
    ['issuer', { iss: undefined }],
    ['audience', { aud: 'https://other.example' }],
    ['audience', { aud: [ISSUER, 'https://other.example'] }],
    ['audience', { aud: [] }],
    ['audience', { aud: `${ISSUER}/` }],
    ['expiry', { exp: NOW - 10 }],
    ['expiry', { exp: undefined }],
    ['expiry', { exp: String(NOW + 60) }],
    ['expiry', { exp: Infinity }],
    ['lifetime', { exp: NOW + 311 }],
    ['issued_at', { iat: NOW + 11 }],
    ['issued_at', { iat: 'now' }],
    ['not_before', { nbf: NOW + 11 }],
    ['jti', { jti: undefined }],
    ['jti', { jti: '' }],
    ['jti', { jti: 'j'.repeat(129) }],
    ['jti', { jti: 'with\0zero' }],
    ['jti', { jti: '\ud800' }],
  ];
  for (const [check, claims] of failures) {
    test(`fails an assertion with ${JSON.stringify(claims)} by ${check}`, () => {
      assert.equal(checkAssertion(assertionWith(claims), RULES)?.check, check);
    });
  }

  for (const typ of ['JWT', 'jwt', 'application/jwt', 'client-authentication+jwt', undefined]) {
    test(`passes the type ${typ}`, () => assert.equal(checkAssertion(assertionWith({}, typ), RULES), undefined));
  }
  for (const typ of ['at+jwt', 'application/at+jwt', 'application/a/jwt', 1, null, '']) {
    test(`fails the type ${JSON.stringify(typ)}`, () =>
      assert.equal(checkAssertion(assertionWith({}, typ), RULES)?.check, 'type'));
  }

  test('names every failed check, so that a diagnosis shows them all', () => {
    const failed = measureAssertion(assertionWith({ iss: 'x', exp: NOW - 60, jti: undefined }, 'at+jwt'), RULES);
    const names = failed.filter(({ message }) => message !== undefined).map(({ check }) => check);
    assert.deepEqual(names, ['type', 'issuer', 'expiry', 'jti']);
  });
});

describe('the rules of an assertion', () => {
  const settings = {
    issuer: 'https://id.example',
    profile: 'standard' as const,
    audiences: ['urn:also'],
    maxTtl: 300,
    clockTolerance: 10,
    clock: () => new Date(NOW * 1000 + 900),
  };

  test('accept the issuer in both spellings, the audiences of the server and those of the key', () => {
    const key = { assertionAudiences: ['urn:key'], assertionMaxTtl: 60 };
    const { audiences, now, tolerance } = rulesFor(key, false, settings);
    assert.deepEqual(
      [...audiences],
      ['https://id.example', 'https://id.example/', 'urn:also', 'urn:key'].map((audience) => [audience, 60]),
    );
    assert.deepEqual([now, tolerance], [NOW, 10]);
  });

  test('accept the issuer alone, and no RS256, where the profile is strict', () => {
    const key = { assertionAudiences: ['urn:key'], assertionMaxTtl: 60 };
    const { audiences, algs, plainAudience } = rulesFor(key, true, { ...settings, profile: 'fapi2' });
    assert.deepEqual([...audiences], [['https://id.example', 60]]);
    assert.deepEqual([algs, plainAudience], [['PS256', 'ES256', 'EdDSA', 'Ed25519'], true]);
    const strict = { ...RULES, algs, plainAudience };
    assert.equal(checkAssertion(assertionWith({ aud: [ISSUER] }), strict)?.check, 'audience');
    assert.equal(checkAssertion(assertionWith({ aud: ISSUER }), strict), undefined);
    assert.equal(checkAssertion({ ...assertionWith({}), alg: 'RS256' }, strict)?.check, 'algorithm');
  });

  test("accept the audience of Mia's clients at their path only, for an hour", () => {
    assert.equal(rulesFor(undefined, false, settings).audiences.get('console-client-credentials'), undefined);
    assert.equal(rulesFor(undefined, true, settings).audiences.get('console-client-credentials'), 3600);
  });
});
