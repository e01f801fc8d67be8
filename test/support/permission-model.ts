// The rules of permissions, written a second time from their description in docs/reference: this file uses nothing of
// the code under test.

/** The resource servers of the model. Tests translate the names that differ from the identifiers on a server. */
export const MANAGEMENT = 'api://management';
export const DEFAULT = 'api://default';
export const SHARED = 'api://shared';
export const OTHER = 'api://other';
export const OWN = 'api://a/own';

/** The permissions that resource servers declare. The default resource server takes all that none declares. */
export const DECLARED = { [SHARED]: ['q', 'both'], [OTHER]: ['o'], [OWN]: ['own:r', 'both'] };

/** Root lets the company grant these without holding them: one permission of an API, and all of another API. */
export const GRANTABLE: readonly (Written | { readonly resource: string })[] = [
  { permission: 'both', resource: SHARED },
  { resource: OTHER },
];

const isGrantable = ({ resource, permission }: Right): boolean =>
  resource === OTHER || (resource === SHARED && permission === 'both');

/** A permission as a request writes it, perhaps at a place. */
export type Written = string | { readonly permission: string; readonly resource: string };

/** The permissions and roles that an account or a group was given. */
export interface Given {
  readonly permissions: readonly Written[];
  /** Ids of roles, some of them at a place (`role@place`). */
  readonly roles: readonly string[];
}

export interface Account extends Given {
  readonly groups: readonly string[];
}

/** The roles, groups and accounts of one company, with everything that they were given. */
export interface World {
  readonly roles: Readonly<Record<string, readonly Written[]>>;
  readonly groups: Readonly<Record<string, Given>>;
  readonly accounts: Readonly<Record<string, Account>>;
}

/** A permission of a resource server, perhaps at a place. */
export interface Right {
  readonly resource: string;
  readonly permission: string;
  /** Empty: the permission is held in the whole company. */
  readonly place: string;
}

/** A right that an account has, with the role and the group that gave it. */
export interface Held extends Right {
  readonly role: string | null;
  readonly group: string | null;
}

const STEPS: readonly (readonly [role: string, adds: readonly string[]])[] = [
  ['guest', ['writ.companies.view']],
  ['reporter', ['writ.serviceaccounts.view', 'writ.activity.view']],
  ['developer', []],
  ['maintainer', []],
  ['project-admin', ['writ.roles.bind']],
  [
    'company-owner',
    [
      'writ.serviceaccounts.manage',
      'writ.credentials.manage',
      'writ.roles.manage',
      'writ.resourceservers.manage',
      'writ.trustedissuers.manage',
      'writ.audit.view',
      'writ.serviceaccounts.impersonate',
    ],
  ],
];

/** The built-in roles, each with everything that the lower roles give. */
export const BUILT_IN: World['roles'] = Object.fromEntries(
  STEPS.map(([role], rank) => [role, STEPS.slice(0, rank + 1).flatMap(([, adds]) => adds)]),
);

export const ROOT_ONLY = [
  'writ.companies.manage',
  'writ.tokens.introspect',
  'writ.signingkeys.manage',
  'writ.permissions.grant',
];

const rankOf = (role: string | null): number => STEPS.findIndex(([id]) => id === role);

/** `name`, or `name@place`. */
export const atPlace = (name: string, place: string): string => (place === '' ? name : `${name}@${place}`);

function parse(text: string): { name: string; place: string } {
  const [name = '', place = ''] = text.split('@');
  return { name, place };
}

/** A right as text, for messages. */
export const shownRight = ({ resource, permission, place }: Right): string =>
  `${atPlace(permission, place)} of ${resource}`;

function rightOf(written: Written): Right {
  const { name: permission, place } = parse(typeof written === 'string' ? written : written.permission);
  if (typeof written !== 'string') return { resource: written.resource, permission, place };
  if (permission.startsWith('writ.')) return { resource: MANAGEMENT, permission, place };
  const owner = Object.entries(DECLARED).find(([, names]) => names.includes(permission));
  return { resource: owner?.[0] ?? DEFAULT, permission, place };
}

/** Everything that an account may do. A right that came by two ways is listed twice. */
export function effective({ accounts, groups, roles }: World, slug: string): Held[] {
  const account = accounts[slug];
  if (account === undefined) return [];
  const from = (given: Given | undefined, group: string | null): Held[] => [
    ...(given?.permissions ?? []).map((written): Held => ({ ...rightOf(written), role: null, group })),
    ...(given?.roles ?? []).flatMap((text) => {
      const { name: role, place } = parse(text);
      return (roles[role] ?? []).map((written): Held => ({ ...rightOf(written), place, role, group }));
    }),
  ];
  return [...from(account, null), ...account.groups.flatMap((group) => from(groups[group], group))];
}

/** Everything that an account may do or give. A built-in role also lets an account give the lower built-in roles. */
function authority(world: World, slug: string): Held[] {
  const lower = (text: string): string[] => {
    const { name, place } = parse(text);
    return STEPS.slice(0, Math.max(rankOf(name), 0)).map(([role]) => atPlace(role, place));
  };
  const withLower = <Some extends Given>(given: Some): Some => ({
    ...given,
    roles: given.roles.flatMap((text) => [text, ...lower(text)]),
  });
  const mapped = <Some extends Given>(some: Readonly<Record<string, Some>>): Record<string, Some> =>
    Object.fromEntries(Object.entries(some).map(([id, given]) => [id, withLower(given)]));
  return effective({ ...world, groups: mapped(world.groups), accounts: mapped(world.accounts) }, slug);
}

const isBelow = (place: string, above: string): boolean => above === '' || `${place}/`.startsWith(`${above}/`);

/** Whether the held rights include a right, at its place or above. */
export function covers(held: readonly Right[], { resource, permission, place }: Right): boolean {
  return held.some((one) => one.resource === resource && one.permission === permission && isBelow(place, one.place));
}

/** The caller of a write: an account, with a token that may say less than the account holds. */
export interface Writer {
  readonly slug: string;
  /** The permissions in the token for the management API. */
  readonly token: readonly string[];
}

/** The reasons for which a right may be given. */
export type Grounds =
  'the caller held it' | 'the caller has as high a role' | "the company's own API" | 'root made it grantable';

/** A right that an account can use or give only since a write. The grounds are undefined if no rule allows the gain. */
export interface Gain {
  readonly account: string;
  readonly gained: Held;
  readonly grounds: Grounds | undefined;
}

export function gainsOf(before: World, after: World, { slug, token }: Writer): Gain[] {
  const live = effective(before, slug);
  const said = token.map(rightOf);
  const held = (right: Right): boolean => covers(live, right) && (right.resource !== MANAGEMENT || covers(said, right));
  const bound = [before.accounts[slug], ...(before.accounts[slug]?.groups ?? []).map((id) => before.groups[id])]
    .flatMap((given) => given?.roles ?? [])
    .map(parse);

  const groundsFor = (account: string, { role, ...right }: Held): Grounds | undefined => {
    // No grounds let an account widen its own rights.
    if (account === slug) return undefined;
    if (held(right)) return 'the caller held it';
    const asHigh = bound.some((own) => isBelow(right.place, own.place) && rankOf(own.name) >= rankOf(role));
    // Not at the management API: a caller with as high a role holds the right there, unless its token is narrower.
    if (rankOf(role) !== -1 && asHigh && right.resource !== MANAGEMENT) return 'the caller has as high a role';
    const manages = held({ resource: MANAGEMENT, permission: 'writ.resourceservers.manage', place: '' });
    if (right.resource === OWN && manages) return "the company's own API";
    const managesAccounts = held({ resource: MANAGEMENT, permission: 'writ.serviceaccounts.manage', place: '' });
    return managesAccounts && isGrantable(right) ? 'root made it grantable' : undefined;
  };

  return Object.keys(after.accounts).flatMap((account) => {
    const had = authority(before, account);
    const has = authority(after, account).filter((right) => !covers(had, right));
    const allowed = has.map((gained): Gain => ({ account, gained, grounds: groundsFor(account, gained) }));
    // An account may gain one right by two ways: the gain is allowed if one of the ways is.
    return allowed.filter(
      ({ gained, grounds }) =>
        grounds !== undefined ||
        !allowed.some((other) => other.grounds !== undefined && covers([other.gained], gained)),
    );
  });
}

/** A request for a token. */
export interface TokenRequest {
  readonly resource?: string | undefined;
  /** Scope-tokens. */
  readonly scope?: readonly string[] | undefined;
}

/** The expected answer: the audience with its sorted permissions, or the code of an error. */
export type TokenAnswer = { readonly aud: string; readonly permissions: readonly string[] } | string;

/** The answer that the server must give to an account with these rights and this audience of its own. */
export function expectedToken(
  held: readonly Right[],
  audience: string,
  { resource, scope }: TokenRequest,
): TokenAnswer {
  const inOrder = (texts: readonly string[]): string[] => [...new Set(texts)].toSorted();
  const everythingAt = (aud: string): string[] =>
    held.filter((right) => right.resource === aud).map(({ permission, place }) => atPlace(permission, place));
  const holdsAll = (aud: string): boolean =>
    (scope ?? []).every((text) => {
      const { name: permission, place } = parse(text);
      return covers(held, { resource: aud, permission, place });
    });
  const at = (aud: string): TokenAnswer =>
    holdsAll(aud) ? { aud, permissions: inOrder(scope ?? everythingAt(aud)) } : 'invalid_scope';

  if (resource !== undefined) {
    const open = [audience, MANAGEMENT].includes(resource) || everythingAt(resource).length > 0;
    return open ? at(resource) : 'invalid_target';
  }
  if (scope === undefined || holdsAll(audience)) return at(audience);
  const [only, ...others] = [MANAGEMENT, DEFAULT, SHARED, OTHER, OWN].filter(holdsAll);
  return only !== undefined && others.length === 0 ? at(only) : 'invalid_scope';
}
