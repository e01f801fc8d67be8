import { LIMITS, MOST, STANDARD_LIMITS } from '../../src/domain/companies/company-limits.ts';
import { KINDS } from '../../src/domain/credentials/kinds/kinds.ts';
import { JWKS_MAX_AGE } from '../../src/domain/signing-keys/jwks-max-age.ts';
import { HTTP_LIMITS } from '../../src/http/http-server.ts';
import { BODY_LIMIT } from '../../src/management/parse-json-body.ts';
import { OAUTH_BODY_LIMIT } from '../../src/oauth/endpoints/read-client-request.ts';
import { GUESS_LIMITS } from '../../src/oauth/refusals/guess-limiter.ts';
import { EXPECTED } from '../../src/config/expected-values.ts';
import { SETTINGS } from '../../src/config/settings.ts';
import { MANAGEMENT_PERMISSIONS, MEANINGS, ROOT_ONLY } from '../../src/domain/permissions/management-permissions.ts';
import { BUILT_IN_ROLES, managementPermissionsOf } from '../../src/domain/roles/built-in-roles.ts';
import type { ApiDocument, DocumentedOperation } from '../../src/management/reference-page.ts';
import { managementRoutes } from '../../src/management/routes.ts';

/** An operation of the management API, as the OpenAPI document describes it. */
interface Call extends DocumentedOperation {
  readonly method: string;
  readonly path: string;
}

/** The sections of pages that are written from the code, by the name in their marker. Each is Markdown. */
export const SECTIONS: Readonly<Record<string, () => string>> = {
  settings: settingsTable,
  'management-permissions': permissionsTable,
  operations: operationsTables,
  limits: limitsTable,
};

/** Replaces every generated section of a page. @returns the page, which prettier has yet to format */
export function withSections(page: string): string {
  return page.replaceAll(
    /(<!-- generated: ([\w-]+) -->\n).*?(<!-- end -->)/gs,
    (_, begin: string, name: string, end: string) =>
      `${begin}\n${(SECTIONS[name] ?? (() => `There is no section ${name}`))()}\n\n${end}`,
  );
}

function document(): ApiDocument {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- no use case is called before a request arrives
  const parts = { tokens: { issuer: 'http://localhost:3000' } } as unknown as Parameters<typeof managementRoutes>[0];
  const routes = managementRoutes(parts);
  const route = routes.find(({ path }) => path === '/api/openapi.json');
  if (route === undefined || !('document' in route)) throw new Error('there is no OpenAPI document');
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the route has just written this document
  return JSON.parse(String(route.document().bytes)) as ApiDocument;
}

function calls(): Call[] {
  return Object.entries(document().paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ ...operation, method: method.toUpperCase(), path })),
  );
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [row(head), row(head.map(() => '---')), ...rows.map(row)].join('\n');
}

function settingsTable(): string {
  const expected = new Map<string, string>(Object.entries(EXPECTED));
  const rows = Object.entries(SETTINGS.properties).map(([name, schema]) => [
    `\`${name}\``,
    'default' in schema ? `\`${schema.default}\`` : '–',
    expected.get(name) ?? '',
    schema.description,
  ]);
  return table(['variable', 'default', 'value', 'meaning'], rows);
}

function limitsTable(): string {
  const { pair, source, everyone } = GUESS_LIMITS;
  const allowed = ({ burst, interval }: { burst: number; interval: number }): string =>
    interval >= 1000
      ? `${burst}, then one in ${interval / 1000} seconds`
      : `${burst}, then ${1000 / interval} a second`;
  const ofKinds = Object.entries(KINDS).map(([type, { most }]) => [`\`${type}\` credentials of an account`, `${most}`]);
  const { headersTimeout, requestTimeout, stallTimeout, headerCount, connections } = HTTP_LIMITS;
  return table(
    ['limit', 'value'],
    [
      ...LIMITS.map((name) => [
        name === 'permissions' ? '`permissions`: of one account, each way to one counted' : `\`${name}\` of a company`,
        `${STANDARD_LIMITS[name]}, settable up to ${MOST[name]}`,
      ]),
      ...ofKinds,
      ['failed attempts for one client id from one address', allowed(pair)],
      ['failed attempts from one address', allowed(source)],
      ['failed attempts from all addresses, past which the failing ones wait', allowed(everyone)],
      ['body of a request at the OAuth endpoints', `${OAUTH_BODY_LIMIT / 1024} KB`],
      ['body of a call of the management API', `${BODY_LIMIT / 1024} KB`],
      ['headers of a request', `${headerCount}, within ${headersTimeout / 1000} seconds`],
      ['a whole request', `within ${requestTimeout / 1000} seconds`],
      ['a connection whose answer nobody reads', `cut after ${stallTimeout / 1000} seconds`],
      ['requests of one connection', `${connections.inFlight} at once, ${connections.waiting} that wait`],
      ['the JWKS may be kept', `${JWKS_MAX_AGE} seconds`],
    ],
  );
}

function permissionsTable(): string {
  const all = calls();
  const rows = MANAGEMENT_PERMISSIONS.map((name) => {
    const mine = all.filter(({ security }) => security.some(({ accessToken }) => accessToken.includes(name)));
    const role = BUILT_IN_ROLES.find((roleKey) => managementPermissionsOf(roleKey).some((held) => held === name));
    return [`\`${name}\``, MEANINGS[name], ROOT_ONLY.has(name) ? 'root only' : `\`${role}\``, callsOf(name, mine)];
  });
  return table(['permission', 'allows to', 'built-in role', 'calls'], rows);
}

/** Permissions that no operation of the management API names. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  'writ.permissions.grant': 'lifts the rule of [granting](#who-may-grant-what) in every call that grants',
  'writ.tokens.introspect': '`POST /oauth/introspect`, about every token',
};

function callsOf(name: string, mine: readonly Call[]): string {
  const methods = new Map<string, Set<string>>();
  for (const { method, path } of mine) {
    const short = shortPath(path);
    methods.set(short, (methods.get(short) ?? new Set()).add(method));
  }
  if (methods.size === 0) return ELSEWHERE[name] ?? '';
  return [...methods].map(([path, verbs]) => `\`${[...verbs].join(' ')} ${path}\``).join('<br>');
}

/** Writes the paths of a collection of root and of a company as one. */
function shortPath(path: string): string {
  return path.replace(/^\/api\/(?:companies\/\{companyId\}\/|(?!companies))/, '…/');
}

function operationsTables(): string {
  const all = calls();
  return document()
    .tags.map(({ name, description }) => {
      const rows = all
        .filter(({ tags }) => tags.includes(name))
        .map(({ method, path, summary, security }) => [
          `\`${method} ${path}\``,
          summary,
          security.length === 0
            ? 'no token'
            : security
                .flatMap(({ accessToken }) => accessToken)
                .map((permission) => `\`${permission}\``)
                .join(' or ') || '–',
        ]);
      return `### ${name}\n\n${description}.\n\n${table(['call', 'what it does', 'permission'], rows)}`;
    })
    .join('\n\n');
}
