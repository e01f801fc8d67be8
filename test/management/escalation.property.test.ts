import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import fc from 'fast-check';
import { decodeJwt } from 'jose';
import type { Reply } from '../support/api-contract.ts';
import { apiToken } from '../support/companies.ts';
import { postgres18 } from '../support/databases.ts';
import {
  type Account,
  atPlace,
  BUILT_IN,
  covers,
  DECLARED,
  DEFAULT,
  effective,
  expectedToken,
  type Gain,
  gainsOf,
  GRANTABLE,
  type Grounds,
  type Held,
  MANAGEMENT,
  OTHER,
  OWN,
  ROOT_ONLY,
  SHARED,
  shownRight,
  type TokenAnswer,
  type TokenRequest,
  type World,
  type Written,
} from '../support/permission-model.ts';
import { useTestApp } from '../support/test-app.ts';

interface Credentials {
  readonly clientId: string;
  readonly clientSecret: string;
}

/** The roles of root, which every company sees: roles that root created, and built-in roles that root extended. */
const OF_ROOT: World['roles'] = {
  everywhere: ['p', 'q'],
  beyond: ['p', 'writ.tokens.introspect'],
  reporter: ['p'],
  maintainer: ['q'],
};

const ON_BOTH: readonly Written[] = [OWN, SHARED].map((resource) => ({ permission: 'both', resource }));
const DATA: readonly Written[] = ['p', 'q', 'o', 'own:r', ...ON_BOTH];
const MANAGING: readonly string[] = [
  'writ.serviceaccounts.manage',
  'writ.roles.bind',
  'writ.roles.manage',
  'writ.resourceservers.manage',
  'writ.audit.view',
];
/** Permissions that no account of a company can get: one is ambiguous, the others are for root only. */
const NEVER: readonly Written[] = ['both', 'writ.permissions.grant', 'writ.companies.manage'];
// `shops` is not below `shop`, although it begins with the same letters.
const PLACES = ['', 'shop', 'shop/prod', 'shops'];
const ROLES = [
  'guest',
  'reporter',
  'reporter@shop/prod',
  'developer@shops',
  'maintainer',
  'maintainer@shop',
  'project-admin',
  'project-admin@shop',
  'company-owner',
  'everywhere@shop',
  'r0',
  'r0@shop',
  'r1@shops',
  'r1@shop/prod',
];
/** The permissions with which an account can write. Each of the duties adds rights that the account can pass on. */
const WRITES = ['writ.serviceaccounts.manage', 'writ.roles.bind', 'writ.roles.manage'];
const DUTIES: readonly Pick<Account, 'permissions' | 'roles'>[] = [
  { permissions: ['q@shop'], roles: ['company-owner'] },
  { permissions: [...WRITES, 'q', 'own:r@shop'], roles: ['project-admin'] },
  { permissions: [...WRITES, 'p@shop', ...ON_BOTH.slice(0, 1)], roles: ['r0'] },
  { permissions: [...WRITES, 'writ.resourceservers.manage'], roles: ['maintainer@shop'] },
  // This account holds the permissions of a reporter, but not the role.
  { permissions: [...WRITES, ...(BUILT_IN['reporter'] ?? [])], roles: ['guest', 'project-admin@shop'] },
];

const written = (permission: Written, place: string): Written =>
  typeof permission === 'string'
    ? atPlace(permission, place)
    : { ...permission, permission: atPlace(permission.permission, place) };
const some = <Item>(items: fc.Arbitrary<Item>, maxLength: number): fc.Arbitrary<Item[]> =>
  fc.uniqueArray(items, { maxLength, selector: (item) => JSON.stringify(item) });
const place = fc.constantFrom(...PLACES);
const permission = fc.constantFrom(...DATA, ...DATA, ...MANAGING);
const permissions = some(
  fc.tuple(permission, place).map(([name, at]) => written(name, at)),
  3,
);
const roles = some(fc.constantFrom(...ROLES), 2);

/** The roles, groups and accounts that root creates first, in the form of the request bodies. */
const beginning = fc.record({
  roles: fc.record({ r0: some(permission, 3), r1: some(permission, 3) }),
  groups: fc.record({ g0: fc.record({ permissions, roles }), g1: fc.record({ permissions, roles }) }),
  accounts: fc
    .array(
      fc.record({
        duty: fc.constantFrom(...DUTIES),
        permissions,
        roles,
        groups: fc.subarray(['g0', 'g1']),
        audience: fc.constantFrom(MANAGEMENT, DEFAULT, SHARED, OWN),
      }),
      { minLength: 4, maxLength: 4 },
    )
    .map((accounts) =>
      Object.fromEntries(
        accounts.map(({ duty, ...more }, index) => [
          `a${index}`,
          { ...more, permissions: [...duty.permissions, ...more.permissions], roles: [...duty.roles, ...more.roles] },
        ]),
      ),
    ),
});
type Beginning = Parameters<Parameters<typeof beginning.map>[0]>[0];

/** A request below `/api/companies/a`. */
interface Call {
  readonly method: string;
  readonly path: string;
  readonly body?: object | undefined;
}

// Each kind has the id `new`, which does not exist at first and may be created.
const account = fc.constantFrom('a0', 'a0', 'a1', 'a1', 'a2', 'a2', 'a3', 'a3', 'new');
const group = fc.constantFrom('g0', 'g0', 'g1', 'g1', 'new');
const role = fc.constantFrom('r0', 'r0', 'r1', 'r1', 'new');
const anyPermission = fc.oneof({ weight: 9, arbitrary: permission }, fc.constantFrom(...NEVER));
const anyRole = fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...ROLES) }, fc.constantFrom('new', 'beyond'));
const lists = {
  permissions: some(
    fc.tuple(anyPermission, place).map(([name, at]) => written(name, at)),
    2,
  ),
  roles: some(anyRole, 2),
};
const members = fc.subarray(['a0', 'a1', 'a2', 'a3']);
const groups = fc.subarray(['g0', 'g1']);
const ofAccount = fc.record({ ...lists, groups }, { requiredKeys: [] });
const ofGroup = fc.record({ ...lists, members }, { requiredKeys: [] });
const ofRole = fc.record({ permissions: some(anyPermission, 2) });
const asMia = fc.record(
  {
    role: fc.constantFrom(...Object.keys(BUILT_IN), 'r0'),
    projectsRole: fc.constantFrom('maintainer', 'project-admin', 'r1').map((id) => [{ projectId: 'shop', role: id }]),
  },
  { requiredKeys: [] },
);
const oneGrant = fc.oneof(
  fc.tuple(anyPermission, place).map(([name, at]) => pathOf('permissions', written(name, at))),
  anyRole.map((text) => pathOf('roles', text)),
);

function pathOf(list: string, granted: Written): string {
  const [name, at] = (typeof granted === 'string' ? granted : granted.permission).split('@');
  return `${list}/${name}${at === undefined ? '' : `?place=${at}`}`;
}

/** An arbitrary of requests whose path has these segments. */
const calls = (
  weight: number,
  methods: readonly string[],
  path: readonly (string | fc.Arbitrary<string>)[],
  body: fc.Arbitrary<object | undefined> = fc.constant(undefined),
): { weight: number; arbitrary: fc.Arbitrary<Call> } => ({
  weight,
  arbitrary: fc.record({
    method: fc.constantFrom(...methods),
    path: fc
      .tuple(...path.map((segment) => (typeof segment === 'string' ? fc.constant(segment) : segment)))
      .map((segments) => segments.join('/')),
    body,
  }),
});
const named = (names: object, body: fc.Arbitrary<object>): fc.Arbitrary<object> =>
  body.map((rest) => ({ name: 'New', ...names, ...rest }));

const anyCall = fc.oneof(
  calls(6, ['PUT', 'PUT', 'PUT', 'PUT', 'DELETE'], ['service-accounts', account, oneGrant]),
  calls(4, ['PATCH'], ['service-accounts', account], ofAccount),
  calls(1, ['PATCH'], ['service-accounts', account], asMia),
  calls(2, ['POST'], ['service-accounts'], named({ slug: 'new', audience: MANAGEMENT }, ofAccount)),
  calls(1, ['POST'], ['roles'], named({ roleId: 'new' }, ofRole)),
  calls(3, ['PATCH'], ['roles', role], ofRole),
  calls(1, ['POST'], ['groups'], named({ groupId: 'new' }, ofGroup)),
  calls(3, ['PATCH'], ['groups', group], ofGroup),
  calls(3, ['PUT', 'PUT', 'PUT', 'PUT', 'DELETE'], ['groups', group, oneGrant]),
  calls(3, ['PUT', 'PUT', 'PUT', 'PUT', 'DELETE'], ['groups', group, 'members', account]),
  calls(1, ['POST'], ['groups', group, 'members'], fc.record({ members })),
);
/** A request, its caller, and the permissions to which the token of the caller is narrowed; null: not narrowed. */
const attempt = fc.record({
  caller: fc.oneof({ weight: 15, arbitrary: account }, fc.constant('root')),
  narrowTo: fc.oneof(
    { weight: 4, arbitrary: fc.constant(null) },
    some(
      fc.tuple(fc.constantFrom(...WRITES), fc.constantFrom('', 'shop')).map(([name, at]) => atPlace(name, at)),
      4,
    ),
  ),
  call: anyCall,
});

type Attempt = Parameters<Parameters<typeof attempt.map>[0]>[0];

/** Writes that are allowed, one on each of the grounds, and forbidden writes that random attempts rarely reach. */
const EXAMPLE: [Beginning, Attempt[]] = [
  {
    roles: { r0: [], r1: [] },
    groups: { g0: { permissions: [], roles: [] }, g1: { permissions: [], roles: [] } },
    accounts: Object.fromEntries(
      [
        { permissions: [], roles: ['company-owner', 'r0'] },
        { permissions: [], roles: [] },
        { permissions: [...WRITES, ...(BUILT_IN['reporter'] ?? [])], roles: ['guest', 'project-admin@shop'] },
        { permissions: [...WRITES, ...(BUILT_IN['maintainer'] ?? []), 'q'], roles: [] },
      ].map((given, index) => [`a${index}`, { ...given, groups: [], audience: MANAGEMENT }]),
    ),
  },
  [
    trial('a0', 'PUT', 'service-accounts/a1/permissions/writ.audit.view?place=shop'),
    trial('a0', 'PUT', 'service-accounts/a1/permissions/own:r'),
    trial('a0', 'PUT', 'service-accounts/a1/roles/reporter?place=shop/prod'),
    // Forbidden: the role of the caller holds at another place or is missing, or the token of the caller is narrow.
    trial('a2', 'PUT', 'service-accounts/a1/roles/reporter?place=shops'),
    trial('a2', 'PUT', 'service-accounts/a1/roles/reporter'),
    trial('a3', 'PUT', 'service-accounts/a1/roles/maintainer'),
    { ...trial('a0', 'PUT', 'service-accounts/a1/permissions/writ.roles.manage'), narrowTo: WRITES.slice(0, 1) },
    trial('a0', 'PATCH', 'roles/r0', { permissions: ['own:r'] }),
    trial('a0', 'PUT', 'service-accounts/a1/permissions/o?place=shop'),
    // Forbidden: the caller would widen itself, directly or by a role that it holds.
    trial('a0', 'PUT', 'service-accounts/a0/permissions/o'),
    trial('a0', 'PATCH', 'roles/r0', { permissions: ['own:r', 'o'] }),
    trial('root', 'PUT', 'service-accounts/a1/permissions/writ.tokens.introspect'),
    trial('root', 'PUT', 'service-accounts/a1/roles/beyond'),
  ],
];

function trial(caller: Attempt['caller'], method: string, path: string, body?: object): Attempt {
  return { caller, narrowTo: null, call: { method, path, body } };
}

const scope = fc.array(
  fc.oneof(
    fc.tuple(fc.constantFrom('p', 'q', 'both', 'writ.roles.bind'), place).map(([name, at]) => atPlace(name, at)),
    // A permission that the account holds, or the same permission at a place below.
    fc.record({ held: fc.nat({ max: 99 }), below: fc.constantFrom('', 'deep') }),
  ),
  { minLength: 1, maxLength: 3 },
);
/** An account that holds one name at two resource servers, neither of which is its audience. */
const TWICE: [Beginning, { scope: string[] }[]] = [
  {
    ...EXAMPLE[0],
    accounts: { a0: { permissions: [...ON_BOTH], roles: [], groups: [], audience: DEFAULT } },
  },
  [{ scope: ['both'] }],
];
const tokenRequest = fc.record(
  { resource: fc.constantFrom(MANAGEMENT, DEFAULT, SHARED, OTHER, OWN), scope },
  { requiredKeys: [] },
);

describe('the permissions of accounts', () => {
  const app = useTestApp(postgres18, { WRIT_TOKEN_MAX_BYTES: '12288' });
  before(async () => {
    await made('/api/resource-servers', { identifier: SHARED, name: 'Shared', permissions: declared(SHARED) });
    await made('/api/resource-servers', { identifier: OTHER, name: 'Other', permissions: declared(OTHER) });
    for (const [roleId, permissions] of Object.entries(OF_ROOT)) {
      if (!(roleId in BUILT_IN)) await made('/api/roles', { roleId, name: roleId, permissions });
      else assert.equal((await app.api('PATCH', `/api/roles/${roleId}`, { permissions })).status, 200);
    }
  });

  const declared = (resource: keyof typeof DECLARED): object[] => DECLARED[resource].map((name) => ({ name }));

  async function made(path: string, body: object): Promise<Reply> {
    const reply = await app.api('POST', path, body);
    assert.equal(reply.status, 201, `${path} ${JSON.stringify(body)} ${reply.text}`);
    return reply;
  }

  const setOf = (rights: readonly Held[]): string[] =>
    [
      ...new Set(rights.map((right) => `${shownRight(right)}, role ${right.role ?? '-'}, group ${right.group ?? '-'}`)),
    ].toSorted();

  function answered({ status, json }: Reply): TokenAnswer {
    if (status !== 200) return json.error;
    const { aud, permissions: said } = decodeJwt<{ permissions: string[] }>(json.access_token);
    return { aud: String(aud), permissions: said.toSorted() };
  }

  let companies = 0;

  /** Creates a company with a beginning. The model calls every company `a`. */
  async function found({ roles, groups, accounts }: Beginning) {
    const company = `a${(companies += 1)}`;
    const names = [
      [OWN, `api://${company}/own`],
      [MANAGEMENT, `${app.issuer}/api`],
    ] as const;
    const outward = <Value>(value: Value): Value =>
      JSON.parse(names.reduce((text, [ours, theirs]) => text.replaceAll(ours, theirs), JSON.stringify(value)));
    const inward = <Value>(value: Value): Value =>
      JSON.parse(names.reduce((text, [ours, theirs]) => text.replaceAll(theirs, ours), JSON.stringify(value)));
    const secrets = new Map<string, Credentials>();
    const tokens = new Map<string, Promise<string>>();
    const send = async ({ method, path, body }: Call, bearer?: string): Promise<Reply> => {
      const sent = body === undefined ? undefined : outward(body);
      const reply = await app.api(method, `/api/companies/${company}/${path}`, sent, bearer);
      if (reply.json?.clientSecret !== undefined) secrets.set(reply.json.slug, reply.json);
      return { ...reply, json: reply.json === undefined ? undefined : inward(reply.json) };
    };
    const post = async (path: string, body: object): Promise<void> => {
      const reply = await send({ method: 'POST', path, body });
      assert.equal(reply.status, 201, `${path} ${JSON.stringify(body)} ${reply.text}`);
    };

    await made('/api/companies', { companyId: company, name: company, grantable: GRANTABLE });
    await post('resource-servers', { identifier: OWN, name: 'Own', permissions: declared(OWN) });
    for (const [roleId, permissions] of Object.entries(roles))
      await post('roles', { roleId, name: roleId, permissions });
    for (const [groupId, given] of Object.entries(groups)) await post('groups', { groupId, name: groupId, ...given });
    for (const [slug, given] of Object.entries(accounts))
      await post('service-accounts', { slug, name: slug, ...given });

    const list = async <Item>(path: string): Promise<Item[]> => {
      const { status, json, text } = await send({ method: 'GET', path });
      assert.equal(status, 200, text);
      return json;
    };
    return {
      send,
      outward,
      inward,
      secretOf: (slug: string): Credentials | undefined => secrets.get(slug),
      /** A token for the management API. The token is reused until the permissions of the account there change. */
      bearer(slug: string, held: readonly Held[], scope?: string): Promise<string> {
        const key = `${slug} ${scope} ${setOf(held).join(' ')}`;
        const secret = secrets.get(slug);
        assert.ok(secret, slug);
        const token = tokens.get(key) ?? apiToken(app, secret, scope);
        tokens.set(key, token);
        return token;
      },
      /** Reads as root what the roles, groups and accounts were given. */
      async read(): Promise<World> {
        const [ofRoles, ofGroups, ofAccounts] = await Promise.all([
          list<{ roleId: string; permissions: Written[] }>('roles'),
          list<{ groupId: string; permissions: Written[]; roles: string[] }>('groups'),
          list<Account & { slug: string }>('service-accounts'),
        ]);
        return {
          roles: Object.fromEntries(ofRoles.map(({ roleId, permissions }) => [roleId, permissions])),
          groups: Object.fromEntries(
            ofGroups.map(({ groupId, permissions, roles }) => [groupId, { permissions, roles }]),
          ),
          accounts: Object.fromEntries(
            ofAccounts.map(({ slug, permissions, roles, groups }) => [slug, { permissions, roles, groups }]),
          ),
        };
      },
    };
  }

  type Company = Awaited<ReturnType<typeof found>>;

  /** Lets an account try one write, and asserts that no account gained by it a right that the caller may not give. */
  async function tryOut(
    company: Company,
    world: World,
    { caller, narrowTo, call }: Attempt,
  ): Promise<{ world: World; gains: readonly Gain[] }> {
    const isRoot = caller === 'root';
    if (!isRoot && company.secretOf(caller) === undefined) return { world, gains: [] };
    const held = effective(world, caller).filter(({ resource }) => resource === MANAGEMENT);
    const narrowed = narrowTo?.filter((text) => {
      const [name = '', at = ''] = text.split('@');
      return covers(held, { resource: MANAGEMENT, permission: name, place: at });
    });
    const bearer = isRoot
      ? await app.rootToken()
      : await company.bearer(caller, held, narrowed?.length ? narrowed.join(' ') : undefined);
    const token = decodeJwt<{ permissions: string[] }>(bearer).permissions;
    const reply = await company.send(call, bearer);
    const { method, path, body } = call;
    const note = `${method} ${path} ${JSON.stringify(body ?? {})} by ${caller}, whose token says ${JSON.stringify(token)}`;
    assert.ok([200, 201, 204, 403, 404, 409, 422].includes(reply.status), `${note}: ${reply.text}`);
    if (reply.status >= 300) return { world, gains: [] };

    const after = await company.read();
    // Root may grant everything that an account of a company may hold.
    const gains = isRoot ? [] : gainsOf(world, after, { slug: caller, token });
    for (const { account: slug, gained, grounds } of gains) {
      assert.ok(grounds, `${slug} gained ${shownRight(gained)} by ${note}`);
    }
    for (const slug of Object.keys(after.accounts)) {
      const beyond = effective(after, slug).filter((right) => ROOT_ONLY.includes(right.permission));
      assert.deepEqual(beyond, [], `${slug} gained a permission for root only by ${note}`);
    }
    return { world: after, gains };
  }

  test('gain by no sequence of writes a right that the caller of a write may not give', async () => {
    const seen = new Set<Grounds | undefined>();
    await fc.assert(
      fc.asyncProperty(
        beginning,
        fc.array(attempt, { minLength: 20, maxLength: 30, size: 'max' }),
        async (first, attempts) => {
          const company = await found(first);
          let world = await company.read();
          for (const one of attempts) {
            const { gains, ...then } = await tryOut(company, world, one);
            for (const { grounds } of gains) seen.add(grounds);
            ({ world } = then);
          }
          // A refused write has changed nothing.
          assert.deepEqual(await company.read(), world);
        },
      ),
      { numRuns: 10, interruptAfterTimeLimit: 25_000, examples: [EXAMPLE] },
    );
    assert.equal(seen.size, 4, [...seen].join(', '));
  });

  test('are in effective permissions and in tokens exactly as an independent model expects', async () => {
    await fc.assert(
      fc.asyncProperty(beginning, fc.array(tokenRequest, { minLength: 3, maxLength: 6 }), async (first, requests) => {
        const company = await found(first);
        const builtIn = Object.entries(BUILT_IN).map(([id, own]) => [id, [...own, ...(OF_ROOT[id] ?? [])]] as const);
        const world: World = { ...first, roles: { ...OF_ROOT, ...Object.fromEntries(builtIn), ...first.roles } };
        for (const [slug, { audience }] of Object.entries(first.accounts)) {
          const held = effective(world, slug);
          const path = `service-accounts/${slug}/effective-permissions`;
          const { json } = await company.send({ method: 'GET', path });
          const shown = json.permissions.map((one: Held) => ({ ...one, place: one.place ?? '' }));
          assert.deepEqual(setOf(shown), setOf(held), slug);

          const secret = company.secretOf(slug);
          assert.ok(secret);
          const everywhere = [MANAGEMENT, DEFAULT, SHARED, OTHER, OWN].map((resource) => ({ resource }));
          const scoped = requests.map(({ resource, scope: items }) => ({
            resource,
            scope: items?.map((item) => {
              if (typeof item === 'string') return item;
              const { permission: name, place: at } = held[item.held % held.length] ?? { permission: 'p', place: '' };
              return atPlace(name, [at, item.below].filter((segment) => segment !== '').join('/'));
            }),
          }));
          const requested: readonly TokenRequest[] = [{}, ...everywhere, ...scoped];
          for (const asked of requested) {
            const parameters = {
              ...(asked.resource !== undefined && { resource: company.outward(asked.resource) }),
              ...(asked.scope !== undefined && { scope: asked.scope.join(' ') }),
            };
            const answer: TokenAnswer = company.inward(answered(await app.token(secret, parameters)));
            assert.deepEqual(answer, expectedToken(held, audience, asked), `${slug} ${JSON.stringify(asked)}`);
          }
        }
      }),
      { numRuns: 8, interruptAfterTimeLimit: 25_000, examples: [TWICE] },
    );
  });
});
