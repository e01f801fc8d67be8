import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ResourceServerId } from '../../src/domain/ids.ts';
import type { Grant } from '../../src/domain/permissions/grant.ts';
import { holdingsOf } from '../../src/domain/permissions/rules/holdings.ts';
import { type AccessRequest, resolveAccess } from '../../src/domain/permissions/rules/resolve-access.ts';
import { parseScopeToken } from '../../src/domain/permissions/scope-token.ts';
import type { Audience } from '../../src/domain/resource-servers/resource-server.ts';

const identifiers = { management: 'https://id.example/api', default: 'https://api.example' };
const audiences = new Map(
  (['management', 'default'] as const).map((resourceServerId): [ResourceServerId, Audience] => [
    resourceServerId,
    {
      resourceServerId,
      identifier: identifiers[resourceServerId],
      company: undefined,
      tokenTtl: undefined,
      signingAlg: undefined,
      tokenType: 'at+jwt',
      senderConstraint: 'none',
    },
  ]),
);

function decide(names: readonly string[], audience: ResourceServerId, request: Partial<AccessRequest>): string {
  const grants = names.map((text) => ({
    kind: 'permission',
    permission: parseScopeToken(text)?.name,
    place: parseScopeToken(text)?.place,
    resourceServerId: text.startsWith('writ.') ? 'management' : 'default',
    qualified: false,
  })) as Grant[];
  const holdings = holdingsOf({ grants, groups: [], roles: new Map() }, undefined);
  const access = resolveAccess(
    { holdings, audience, audiences },
    { resource: undefined, scope: undefined, ...request },
  );
  return 'refused' in access ? access.refused : `${access.server.resourceServerId}: ${access.permissions.join(' ')}`;
}

describe('the audience and the scope of a token', () => {
  const names = ['b', 'a', 'writ.serviceaccounts.view'];
  const cases: [Partial<AccessRequest>, ResourceServerId, string][] = [
    [{}, 'default', 'default: a b'],
    [{}, 'management', 'management: writ.serviceaccounts.view'],
    [{ scope: ['a'] }, 'default', 'default: a'],
    [{ scope: ['a'] }, 'management', 'default: a'],
    [{ scope: ['writ.serviceaccounts.view'] }, 'default', 'management: writ.serviceaccounts.view'],
    [{ scope: ['a', 'writ.serviceaccounts.view'] }, 'default', 'invalid_scope'],
    [{ scope: ['c'] }, 'default', 'invalid_scope'],
    [{ scope: ['constructor'] }, 'default', 'invalid_scope'],
    [{ resource: 'https://api.example' }, 'management', 'default: a b'],
    [{ resource: 'https://api.example/' }, 'management', 'default: a b'],
    [{ resource: 'https://api.example/x' }, 'management', 'invalid_target'],
    [{ resource: 'HTTPS://API.EXAMPLE' }, 'management', 'invalid_target'],
    [{ resource: 'https://id.example/api', scope: ['a'] }, 'default', 'invalid_scope'],
    [{ resource: 'https://id.example/api/' }, 'default', 'invalid_target'],
  ];
  for (const [request, audience, expected] of cases) {
    test(`an account with the audience ${audience} asks for ${JSON.stringify(request)} and gets ${expected}`, () => {
      assert.equal(decide(names, audience, request), expected);
    });
  }

  const placed: [readonly string[], string][] = [
    [['a'], 'default: a'],
    [['a@shop'], 'default: a@shop'],
    [['a@shop/prod/eu'], 'default: a@shop/prod/eu'],
    [['a@shop', 'b@shop/prod'], 'default: a@shop b@shop/prod'],
    [['b@shop/prod/eu'], 'default: b@shop/prod/eu'],
    // Wider places, sibling places, and a place whose name only begins with the same letters.
    [['b'], 'invalid_scope'],
    [['b@shop'], 'invalid_scope'],
    [['b@shop/test'], 'invalid_scope'],
    [['b@shop/production'], 'invalid_scope'],
    [['b@other/shop/prod'], 'invalid_scope'],
    // Invalid places.
    ...['a@', 'a@/', 'a@shop/', 'a@/shop', 'a@shop//prod', 'a@.', 'a@shop/..', 'a@x@y', 'a@shöp', '@shop', '@'].map(
      (token): [readonly string[], string] => [[token], 'invalid_scope'],
    ),
    [[`a@${Array(8).fill('x').join('/')}`], `default: a@${Array(8).fill('x').join('/')}`],
    [[`a@${Array(9).fill('x').join('/')}`], 'invalid_scope'],
    [[`a@${'x'.repeat(65)}`], 'invalid_scope'],
  ];
  for (const [scope, expected] of placed) {
    test(`an account with the permissions a and b@shop/prod asks for ${scope.join(' ')} and gets ${expected}`, () => {
      assert.equal(decide(['a', 'b@shop/prod'], 'default', { scope }), expected);
    });
  }

  test('an account without permissions at a resource server gets a token there only if it is the management API', () => {
    assert.equal(decide(['a'], 'default', { resource: 'https://id.example/api' }), 'management: ');
    assert.equal(
      decide(['writ.serviceaccounts.view'], 'management', { resource: 'https://api.example' }),
      'invalid_target',
    );
  });
});
