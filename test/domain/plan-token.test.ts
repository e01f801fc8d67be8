import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ClientId, ResourceServerId } from '../../src/domain/ids.ts';
import type { Audience } from '../../src/domain/resource-servers/resource-server.ts';
import type { AccountSnapshot } from '../../src/domain/service-accounts/service-account.ts';
import { heldAt, planToken, type PlanRequest } from '../../src/domain/tokens/plan-token.ts';

const SETTINGS = {
  issuer: 'https://id.example',
  profile: 'standard',
  signingAlg: 'ES256',
  tokenTtl: 300,
  tokenMaxTtl: 3600,
  tokenMaxBytes: 6144,
} as const;

/** An account that holds some scope-tokens at the resource server `default`. */
function accountWith(held: readonly string[], server: Partial<Audience> = {}, tokenTtl?: number): AccountSnapshot {
  const id: ResourceServerId = 'default';
  const audience: Audience = {
    resourceServerId: id,
    identifier: 'https://api.example',
    company: undefined,
    tokenTtl: undefined,
    signingAlg: undefined,
    tokenType: 'at+jwt',
    senderConstraint: 'none',
    ...server,
  };
  return {
    account: { clientId: 'sa_one' as ClientId, company: undefined, audience: id, tokenTtl, senderConstraint: 'none' },
    holdings: new Map([[id, new Set(held)]]),
    audiences: new Map([[id, audience]]),
  } as unknown as AccountSnapshot;
}

const EVERYTHING: PlanRequest = { resource: undefined, scope: undefined };

describe('the plan of a token', () => {
  const scopes: readonly (readonly [string | undefined, readonly string[] | undefined, string])[] = [
    [undefined, undefined, 'a b'],
    ['a', undefined, 'a'],
    ['a  a', undefined, 'a'],
    ['c', undefined, 'invalid_scope'],
    ['a c', undefined, 'invalid_scope'],
    ['a"', undefined, 'invalid_scope'],
    [undefined, ['a'], 'a'],
    ['b', ['a'], 'invalid_scope'],
    [undefined, [], ''],
    [undefined, ['b@shop'], 'b@shop'],
  ];
  for (const [scope, subset, expected] of scopes) {
    test(`for the scope ${scope} of a credential for ${subset?.join(' ') ?? 'everything'} is: ${expected || 'no permission'}`, () => {
      const plan = planToken(accountWith(['a', 'b']), { resource: undefined, scope }, SETTINGS, subset);
      assert.equal('refused' in plan ? plan.refused : plan.scope, expected);
    });
  }

  const lifetimes: readonly (readonly [string, number | undefined, number | undefined, number])[] = [
    ['the server, when neither the resource server nor the account says one', undefined, undefined, 300],
    ['the resource server', 900, undefined, 900],
    ['the account, when it is shorter', 900, 60, 60],
    ['the resource server, when that of the account is longer', 60, 900, 60],
    ['the maximum of the server, when the resource server says more', 7200, undefined, 3600],
  ];
  for (const [whose, ofServer, ofAccount, expected] of lifetimes) {
    test(`has the lifetime of ${whose}`, () => {
      const plan = planToken(accountWith(['a'], { tokenTtl: ofServer }, ofAccount), EVERYTHING, SETTINGS);
      assert.ok(!('refused' in plan));
      assert.equal(plan.expiresIn, expected);
    });
  }

  test('has the algorithm of the resource server, or else that of the server', () => {
    for (const [signingAlg, expected] of [['RS256', 'RS256'] as const, [undefined, 'ES256'] as const]) {
      const plan = planToken(accountWith(['a'], { signingAlg }), EVERYTHING, SETTINGS);
      assert.ok(!('refused' in plan));
      assert.equal(plan.signingAlg, expected);
    }
  });

  test('is refused when the token would be larger than allowed, and the refusal says how to ask for less', () => {
    const held = Array.from({ length: 400 }, (_, index) => `permission-number-${index}`);
    const all = planToken(accountWith(held), EVERYTHING, SETTINGS);
    assert.ok('refused' in all);
    assert.match(
      all.description,
      /^a token with everything .* would have \d+ bytes, at most 6144 are allowed: name a scope$/,
    );
    const less = planToken(accountWith(held), { resource: undefined, scope: held.slice(0, 50).join(' ') }, SETTINGS);
    assert.ok(!('refused' in less));
  });

  test('names what a credential reaches at one resource server in alphabetical order', () => {
    assert.deepEqual(heldAt(accountWith(['b', 'a']), 'default', undefined), ['a', 'b']);
    assert.deepEqual(heldAt(accountWith(['b', 'a']), 'default', ['b']), ['b']);
    assert.deepEqual(heldAt(accountWith(['b', 'a']), 'management', undefined), []);
  });
});
