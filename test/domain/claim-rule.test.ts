import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { assertRule, type ClaimRule, type ClaimValue, mismatches } from '../../src/domain/federation/claim-rule.ts';
import { matchesGlob } from '../../src/domain/federation/matches-glob.ts';
import { DomainError } from '../../src/domain/domain-error.ts';

const OWN = 'https://ci.example';
const GITHUB = 'https://token.actions.githubusercontent.com';

function rule(members: Partial<ClaimRule>): ClaimRule {
  return { issuer: OWN, subject: undefined, claims: {}, match: 'exact', ...members };
}

/** The refusal of a rule: its code, and the problems by their pointers. */
function refusalOf(members: Partial<ClaimRule>): { code: string; fields: Record<string, string> } | undefined {
  try {
    assertRule(rule(members), '');
    return undefined;
  } catch (error) {
    assert.ok(error instanceof DomainError);
    return {
      code: error.code,
      fields: Object.fromEntries(error.fields.map(({ pointer, message }) => [pointer, message])),
    };
  }
}

describe('a pattern', () => {
  for (const [pattern, text, expected] of [
    ['repo:acme/*', 'repo:acme/shop', true],
    ['repo:acme/*', 'repo:acme-123/shop', false],
    ['repo:acme/*', 'repo:acme/shop/x', false],
    ['repo:acme/*', 'repo:acme/shop:ref:main', false],
    ['repo:acme/**', 'repo:acme/shop/x', true],
    ['repo:acme/**', 'repo:acme/shop:ref:main', false],
    ['repo:acme/*:ref:refs/heads/**', 'repo:acme/shop:ref:refs/heads/feature/one', true],
    ['repo:acme/*:ref:refs/heads/*', 'repo:acme/shop:ref:refs/heads/feature/one', false],
    ['a*', 'a', true],
    ['a*', 'xa', false],
    ['a*c', 'abcbc', true],
    ['a.c', 'abc', false],
    ['[a-z]', 'a', false],
    ['a?', 'ab', false],
    ['A', 'a', false],
    ['ét*', 'été', true],
  ] as const) {
    test(`D-08 ${pattern} ${expected ? 'matches' : 'does not match'} ${text}`, () => {
      assert.equal(matchesGlob(pattern, text), expected);
    });
  }

  test('D-08 matches what an independent matcher matches', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '/', ':', '.', '😀'), maxLength: 12 });
    const pattern = fc
      .array(fc.constantFrom('a', 'b', '/', ':', '.', '😀', '*', '**'), { maxLength: 10 })
      .map((parts) => parts.join(''))
      .filter((joined) => !joined.includes('***'));
    fc.assert(
      fc.property(pattern, text, (glob, value) => {
        const source = glob
          .split(/(\*+)/)
          .map((part) => (part === '*' ? '[^/:]*' : part === '**' ? '[^:]*' : RegExp.escape(part)))
          .join('');
        assert.equal(matchesGlob(glob, value), new RegExp(`^${source}$`, 'su').test(value));
      }),
      { numRuns: 20_000 },
    );
  });

  test('D-08 with many wildcards is compared without backtracking, which would never end', () => {
    assert.equal(matchesGlob(`${'a*'.repeat(500)}b`, 'a'.repeat(1000)), false);
  });
});

describe('a rule', () => {
  const token = {
    sub: 'repo:acme/shop:environment:prod',
    repository_owner_id: '4711',
    runs: 7,
    great: 2 ** 53,
    protected: true,
    groups: ['ops'],
    one: ['4711'],
    nothing: null,
    'kubernetes.io': { namespace: 'shop', 'a/b': { '~': 'deep' }, serviceaccount: { name: 'api' } },
  };

  for (const [claim, value, fits] of [
    ['repository_owner_id', '4711', true],
    ['repository_owner_id', 4711, false],
    ['repository_owner_id', '471', false],
    ['repository_owner_id', '4711 ', false],
    ['runs', 7, true],
    ['runs', '7', false],
    ['great', 2 ** 53, false],
    ['protected', true, true],
    ['protected', 'true', false],
    ['protected', 1, false],
    ['groups', 'ops', false],
    ['one', '4711', false],
    ['nothing', 'null', false],
    ['nothing', false, false],
    ['absent', 'x', false],
    ['constructor', 'x', false],
    ['__proto__', 'x', false],
    ['toString', 'x', false],
    ['kubernetes.io', 'shop', false],
    ['/kubernetes.io/namespace', 'shop', true],
    ['/kubernetes.io/serviceaccount/name', 'api', true],
    ['/kubernetes.io/a~1b/~0', 'deep', true],
    ['/kubernetes.io/absent/name', 'api', false],
    ['/groups/0', 'ops', false],
    ['/sub/length', 31, false],
  ] as [string, ClaimValue, boolean][]) {
    test(`D-09 that wants ${claim} to be ${JSON.stringify(value)} ${fits ? 'fits' : 'does not fit'} the token`, () => {
      const wrong = mismatches(rule({ claims: { [claim]: value } }), token);
      assert.equal(wrong.length === 0, fits);
      if (!fits) assert.deepEqual([wrong[0]?.claim, wrong[0]?.expected], [claim, value]);
    });
  }

  test('D-09 fits only when its subject and every claim fit', () => {
    const whole = rule({ subject: token.sub, claims: { repository_owner_id: '4711', runs: 7, protected: true } });
    assert.deepEqual(mismatches(whole, token), []);
    for (const claim of ['sub', 'repository_owner_id', 'runs', 'protected']) {
      const rest = Object.fromEntries(Object.entries(token).filter(([name]) => name !== claim));
      assert.deepEqual(
        mismatches(whole, rest).map((wrong) => [wrong.claim, wrong.came]),
        [[claim, undefined]],
      );
    }
  });

  test('D-07 takes the same text in another form for another text', () => {
    assert.equal(mismatches(rule({ subject: 'repo:acme/shop' }), { sub: 'repo:Acme/shop' }).length, 1);
    assert.equal(mismatches(rule({ subject: 'caf\u00e9' }), { sub: 'cafe\u0301' }).length, 1);
  });

  test('D-08 reads patterns only when it says so, and only in texts', () => {
    const pattern = { repository_owner_id: '47*' };
    assert.equal(mismatches(rule({ claims: pattern, match: 'glob' }), token).length, 0);
    assert.equal(mismatches(rule({ claims: pattern }), token).length, 1);
    assert.equal(mismatches(rule({ claims: { runs: '7*' }, match: 'glob' }), token).length, 1);
  });
});

describe('a rule that nobody can mean', () => {
  for (const [name, members, pointer] of [
    ['has no claim and no subject', {}, '/claims'],
    ['has an empty subject', { subject: '' }, '/subject'],
    ['has a blank for a subject', { subject: ' ' }, '/subject'],
    ['has a subject with a line break', { subject: 'a\n' }, '/subject'],
    ['has an empty claim', { claims: { tenant: '' } }, '/claims/tenant'],
    ['has a claim without a name', { claims: { '': 'x' } }, '/claims/'],
    ['has a number that JSON cannot hold', { claims: { runs: 2 ** 53 } }, '/claims/runs'],
    ['has a fraction', { claims: { runs: 0.5 } }, '/claims/runs'],
    ['has the issuer among its claims', { claims: { iss: OWN } }, '/claims/iss'],
    ['has the audience among its claims', { claims: { aud: 'x' } }, '/claims/aud'],
    ['has the subject among its claims', { claims: { sub: 'x' } }, '/claims/sub'],
    ['has a * without match glob', { subject: 'repo:acme/*' }, '/subject'],
    ['begins with *', { subject: '*', match: 'glob' }, '/subject'],
    ['begins with **', { claims: { tenant: '**acme' }, match: 'glob' }, '/claims/tenant'],
    ['has three * beside one another', { subject: 'a***', match: 'glob' }, '/subject'],
    ['has a pointer that is none', { claims: { '/a/~2': 'x' } }, '/claims/~1a~1~02'],
  ] as [string, Partial<ClaimRule>, string][]) {
    test(`D-10 is refused with a pointer when it ${name}`, () => {
      const refusal = refusalOf(members);
      assert.deepEqual([refusal?.code, Object.keys(refusal?.fields ?? {})], ['invalid_value', [pointer]]);
    });
  }

  test('is refused when it has too much', () => {
    const many = Object.fromEntries(Array.from({ length: 21 }, (_, index) => [`claim${index}`, 'x']));
    assert.deepEqual(Object.keys(refusalOf({ claims: many })?.fields ?? {}), ['/claims']);
    assert.deepEqual(Object.keys(refusalOf({ subject: 'x'.repeat(1025) })?.fields ?? {}), ['/subject']);
  });
});

describe('a rule for an issuer that the whole world shares', () => {
  for (const [issuer, claim] of [
    [GITHUB, 'repository_owner_id'],
    [`${GITHUB}/`, 'repository_owner_id'],
    [`${GITHUB}/some-enterprise`, 'repository_owner_id'],
    ['https://gitlab.com', 'namespace_id'],
    ['https://app.terraform.io', 'terraform_organization_id'],
    ['https://api.bitbucket.org/2.0/workspaces/acme/pipelines-config/identity/oidc', 'workspaceUuid'],
    ['https://oidc.circleci.com/org/6f', 'oidc.circleci.com/org-id'],
    ['https://agent.buildkite.com', 'organization_id'],
    ['https://accounts.google.com', 'azp'],
    ['https://login.microsoftonline.com/4f/v2.0', 'oid'],
    ['https://sts.windows.net/4f/', 'oid'],
  ] as const) {
    test(`D-06 ${issuer} needs one tenant`, () => {
      const loose = refusalOf({ issuer, claims: { ref: 'refs/heads/main' } });
      assert.deepEqual(loose, {
        code: 'rule_unsafe',
        fields: { '/claims': `must have ${claim}, with its exact value` },
      });
      assert.equal(refusalOf({ issuer, claims: { [claim]: '47*' }, match: 'glob' })?.code, 'rule_unsafe');
      assert.equal(refusalOf({ issuer, subject: 'repo:acme/*', match: 'glob' })?.code, 'rule_unsafe');
      assert.equal(refusalOf({ issuer, claims: { [claim]: '4711' } }), undefined);
      assert.equal(refusalOf({ issuer, claims: { [claim]: '4711', ref: 'refs/*' }, match: 'glob' }), undefined);
      assert.equal(refusalOf({ issuer, subject: 'repo:acme/shop:ref:refs/heads/main' }), undefined);
    });
  }

  test('D-06 leaves the rules of other issuers alone', () => {
    for (const issuer of [OWN, 'https://gitlab.com.example', 'https://token.actions.githubusercontent.com.example']) {
      assert.equal(refusalOf({ issuer, claims: { ref: 'refs/heads/main' } }), undefined, issuer);
    }
  });
});
