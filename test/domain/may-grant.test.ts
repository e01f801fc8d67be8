import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { CompanyId, ResourceServerId, RoleId, RoleKey } from '../../src/domain/ids.ts';
import type { Grant, RoleGrant } from '../../src/domain/permissions/grant.ts';
import type { Grantable } from '../../src/domain/permissions/grantable.ts';
import { assertAllowed, assertMayActAs, assertMayGrant } from '../../src/domain/permissions/rules/may-grant.ts';
import { parseScopeToken } from '../../src/domain/permissions/scope-token.ts';
import type { Audience } from '../../src/domain/resource-servers/resource-server.ts';
import { BUILT_IN_ROLES } from '../../src/domain/roles/built-in-roles.ts';
import type { RoleRights } from '../../src/domain/roles/role.ts';
import type { Caller } from '../../src/domain/service-accounts/caller.ts';

const ACME = 'acme' as CompanyId;
const ORDERS = 'rs_orders' as ResourceServerId;
const OWN = 'rs_own' as ResourceServerId;
const roles = new Map(
  BUILT_IN_ROLES.map((id): [RoleKey, RoleRights] => [
    id as RoleKey,
    { roleKey: id as RoleKey, roleId: id as RoleId, permissions: [] },
  ]),
);
const audiences = new Map(
  [[ORDERS, undefined] as const, [OWN, ACME] as const].map(([resourceServerId, company]) => [
    resourceServerId,
    { resourceServerId, company, identifier: resourceServerId } as Audience,
  ]),
);

function callerWith(parts: { management?: string[]; orders?: string[]; roles?: string[] }): Caller {
  return {
    company: ACME,
    permissions: new Set(parts.management),
    holdings: new Map([[ORDERS, new Set(parts.orders)]]),
    roles: (parts.roles ?? []).map(role),
    groups: [],
  } as unknown as Caller;
}

function permission(text: string, resourceServerId: ResourceServerId = ORDERS): Grant {
  const parsed = parseScopeToken(text);
  assert.ok(parsed);
  return {
    kind: 'permission',
    permission: parsed.name as never,
    place: parsed.place,
    resourceServerId,
    qualified: false,
  };
}

function role(text: string): RoleGrant {
  const parsed = parseScopeToken(text);
  assert.ok(parsed);
  return { kind: 'role', roleKey: parsed.name as RoleKey, roleId: parsed.name as RoleId, place: parsed.place };
}

const companies = (grantable: readonly Partial<Grantable>[] = []) =>
  ({ companies: { find: () => Promise.resolve({ grantable }) } }) as never;

async function refusalOf(work: Promise<void>): Promise<string | undefined> {
  try {
    await work;
    return undefined;
  } catch (error) {
    assert.ok(error instanceof Error && 'code' in error);
    return String(error.code);
  }
}

describe('who may grant a permission', () => {
  const target = { company: ACME, self: false, roles, audiences };
  const cases: readonly (readonly [string, Caller, Grant, string | undefined])[] = [
    ['a caller that holds it', callerWith({ orders: ['read'] }), permission('read'), undefined],
    ['a caller that does not hold it', callerWith({ orders: ['write'] }), permission('read'), 'forbidden'],
    [
      'a caller that holds it at the same place',
      callerWith({ orders: ['read@shop'] }),
      permission('read@shop'),
      undefined,
    ],
    ['a caller that holds it above', callerWith({ orders: ['read@shop'] }), permission('read@shop/prod'), undefined],
    ['a caller that holds it below', callerWith({ orders: ['read@shop/prod'] }), permission('read@shop'), 'forbidden'],
    ['a caller that holds it beside', callerWith({ orders: ['read@shop'] }), permission('read@shopping'), 'forbidden'],
    [
      'a caller that manages the resource servers, for one of its company',
      callerWith({ management: ['writ.resourceservers.manage'] }),
      permission('read', OWN),
      undefined,
    ],
    [
      'a caller that manages the resource servers, for one of root',
      callerWith({ management: ['writ.resourceservers.manage'] }),
      permission('read'),
      'forbidden',
    ],
    [
      'a caller with writ.permissions.grant',
      callerWith({ management: ['writ.permissions.grant'] }),
      permission('read'),
      undefined,
    ],
    [
      'anybody, when it reaches beyond a company',
      callerWith({ management: ['writ.permissions.grant'] }),
      permission('writ.companies.manage', 'management'),
      'forbidden',
    ],
    [
      'a caller with the same built-in role and all of its permissions',
      callerWith({ management: ['writ.serviceaccounts.view', 'writ.companies.view'], roles: ['guest'] }),
      role('guest'),
      undefined,
    ],
    [
      'a caller with a lower built-in role',
      callerWith({ management: ['writ.serviceaccounts.view', 'writ.companies.view'], roles: ['guest'] }),
      role('company-owner'),
      'forbidden',
    ],
  ];
  for (const [who, caller, grant, expected] of cases) {
    test(`${who}: ${expected ?? 'allowed'}`, async () => {
      assert.equal(await refusalOf(assertMayGrant(companies(), caller, [grant], target)), expected);
    });
  }

  test('a caller that manages accounts grants what root has made grantable, to others only', async () => {
    const caller = callerWith({ management: ['writ.serviceaccounts.manage'] });
    const store = companies([{ resourceServerId: ORDERS, permission: undefined }]);
    assert.equal(await refusalOf(assertMayGrant(store, caller, [permission('read')], target)), undefined);
    const self = { ...target, self: true };
    assert.equal(await refusalOf(assertMayGrant(store, caller, [permission('read')], self)), 'forbidden');
    const other = callerWith({ management: ['writ.serviceaccounts.view'] });
    assert.equal(await refusalOf(assertMayGrant(store, other, [permission('read')], target)), 'forbidden');
  });

  test('no exception lets a caller widen its own permissions', async () => {
    const self = { ...target, self: true };
    for (const management of [['writ.permissions.grant'], ['writ.resourceservers.manage']]) {
      const caller = callerWith({ management, roles: ['company-owner'] });
      for (const grant of [permission('read', OWN), role('guest')]) {
        assert.equal(await refusalOf(assertMayGrant(companies(), caller, [grant], self)), 'forbidden');
      }
    }
  });
});

describe('who may have a credential of an account', () => {
  const target = { company: ACME, self: false, roles, audiences };

  test('a caller that holds everything that the credential may ask for', async () => {
    const caller = callerWith({ orders: ['read'] });
    const grants = [permission('read'), permission('write')];
    const within = new Set(['read']);
    assert.equal(await refusalOf(assertMayActAs(companies(), caller, grants, target, within)), undefined);
    assert.equal(await refusalOf(assertMayActAs(companies(), caller, grants, target, undefined)), 'forbidden');
  });
});

describe('a management permission that a call takes', () => {
  const cases: readonly (readonly [readonly string[], string, string | undefined])[] = [
    [['writ.roles.bind'], '', undefined],
    [['writ.roles.bind'], 'shop', undefined],
    [['writ.roles.bind@shop'], 'shop/prod', undefined],
    [['writ.roles.bind@shop'], '', 'insufficient_scope'],
    [['writ.roles.manage'], '', 'insufficient_scope'],
    [[], '', 'insufficient_scope'],
  ];
  for (const [held, place, expected] of cases) {
    test(`held as [${held.join(' ')}] at "${place}": ${expected ?? 'allowed'}`, async () => {
      const check = (): Promise<void> =>
        Promise.resolve(assertAllowed(callerWith({ management: [...held] }), 'writ.roles.bind', place as never));
      assert.equal(await refusalOf(Promise.resolve().then(check)), expected);
    });
  }
});
