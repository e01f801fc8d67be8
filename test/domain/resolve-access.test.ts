import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Grant } from '../../src/domain/permissions/grant.ts';
import { bindPermissions } from '../../src/domain/permissions/grant.ts';
import { holdingsOf } from '../../src/domain/permissions/holdings.ts';
import { type AccessRequest, resolveAccess } from '../../src/domain/permissions/resolve-access.ts';
import { builtInResourceServers, type ResourceServerId } from '../../src/domain/permissions/resource-server.ts';

const servers = builtInResourceServers({ issuer: 'https://id.example', defaultAudience: 'https://api.example' });

function decide(names: readonly string[], audience: ResourceServerId, request: Partial<AccessRequest>): string {
  const grants: Grant[] = bindPermissions(names, servers, '/permissions');
  const access = resolveAccess({ holdings: holdingsOf(grants, undefined), audience }, servers, {
    resource: undefined,
    scope: undefined,
    ...request,
  });
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
    test(`${JSON.stringify(request)} of an account for ${audience}: ${expected}`, () => {
      assert.equal(decide(names, audience, request), expected);
    });
  }

  test('the management API is open to who holds nothing there, the default one is not', () => {
    assert.equal(decide(['a'], 'default', { resource: 'https://id.example/api' }), 'management: ');
    assert.equal(
      decide(['writ.serviceaccounts.view'], 'management', { resource: 'https://api.example' }),
      'invalid_target',
    );
  });
});
