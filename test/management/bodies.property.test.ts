import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import fc from 'fast-check';
import type { Reply } from '../support/api-contract.ts';
import { arbitraryOf, type SchemaNode } from '../support/arbitrary-of.ts';
import { makeCompany } from '../support/companies.ts';
import { postgres18 } from '../support/databases.ts';
import { useTestApp } from '../support/test-app.ts';

type Body = Record<string, unknown>;

const RUNS = { numRuns: 40 };
/** Members that are not read back as they were sent. Other tests cover them. */
const TESTED_ELSEWHERE = [
  'credentials',
  'publicKey',
  'tokenEndpointAuthMethod',
  'audience',
  'roles',
  'groups',
  'role',
  'projectsRole',
  'grantable',
  'limits',
  'owner',
];

describe('bodies that are generated from the schemas', () => {
  const app = useTestApp(postgres18);
  let schemas: Record<string, SchemaNode>;
  let made = 0;
  before(async () => {
    schemas = (await app.request('/api/openapi.json')).json.components.schemas;
    await makeCompany(app, 'generated');
  });

  const schema = (name: string): SchemaNode => {
    const found = schemas[name];
    assert.ok(found?.properties, name);
    const properties = Object.entries(found.properties).filter(([member]) => !TESTED_ELSEWHERE.includes(member));
    return { ...found, properties: Object.fromEntries(properties) };
  };

  /** Replaces the values that fit the schema and break another rule. */
  function tidied(body: Body): Body {
    const permissions = (body['permissions'] as (string | { permission: string })[] | undefined)?.map(
      (wanted) =>
        (typeof wanted === 'string' ? wanted : wanted.permission)
          .replaceAll(/^\.+$|[^!#-?A-[\]-~]/g, '_')
          .slice(0, 128) || 'p',
    );
    made += 1;
    return {
      ...body,
      ...('slug' in body && { slug: `${String(body['slug']).slice(0, 40)}-${made}`.replace('--', '-') }),
      ...('companyId' in body && { companyId: `company-${made}` }),
      ...(permissions && { permissions: [...new Set(permissions.map((name) => name.replace(/^writ\./, 'w.')))] }),
      ...('secretMaxAge' in body && { secretMaxAge: made }),
      ...('keyMaxAge' in body && { keyMaxAge: null }),
      ...('tokenTtl' in body && body['tokenTtl'] !== null && { tokenTtl: (made % 86_400) + 1 }),
    };
  }

  function assertReadBack(sent: Body, reply: Reply): void {
    for (const [member, value] of Object.entries(sent)) {
      // Permissions are a set: the API answers them sorted.
      const shown = member === 'permissions' ? (value as string[]).toSorted() : value;
      assert.deepEqual(reply.json[member], shown, `${member} ${JSON.stringify(sent)}`);
    }
  }

  const spoilers: readonly unknown[] = [null, true, 7, -1.5, '', 'x\u0000y', [], ['x', 1], {}, { a: { b: 1 } }];

  test('are accepted when they fit, and read back as they were sent', async () => {
    for (const [name, path] of [
      ['ServiceAccountInput', '/api/service-accounts'],
      ['ServiceAccountInput', '/api/companies/generated/service-accounts'],
      ['CompanyInput', '/api/companies'],
    ] as const) {
      await fc.assert(
        fc.asyncProperty(arbitraryOf(schema(name)), async (value) => {
          const body = {
            ...tidied(value as Body),
            ...(name === 'ServiceAccountInput' && { slug: `s-${made}` }),
            ...(name === 'CompanyInput' && { companyId: `c-${made}` }),
          };
          const reply = await app.api('POST', path, body);
          assert.equal(reply.status, 201, `${JSON.stringify(body)} ${reply.text}`);
          const read = await app.api('GET', String(reply.headers.get('location')));
          assert.equal(read.status, 200);
          assertReadBack(body, read);
        }),
        RUNS,
      );
    }
  });

  test('change only the members that they name', async () => {
    const { json } = await app.api('POST', '/api/service-accounts', { name: 'Changing' });
    const path = `/api/service-accounts/${json.clientId}`;
    await fc.assert(
      fc.asyncProperty(arbitraryOf(schema('ServiceAccountPatch')), async (value) => {
        const body = tidied(value as Body);
        // A patch of `metadata` merges its members: another test covers that.
        delete body['metadata'];
        const before = (await app.api('GET', path)).json;
        const reply = await app.api('PATCH', path, body);
        assert.equal(reply.status, 200, `${JSON.stringify(body)} ${reply.text}`);
        const { updatedAt, ...rest } = reply.json;
        assert.ok(updatedAt >= before.updatedAt);
        const { updatedAt: earlier, ...unchanged } = { ...before, ...body };
        assert.ok(earlier);
        assert.deepEqual(rest, { ...unchanged, permissions: unchanged.permissions.toSorted() });
      }),
      RUNS,
    );
  });

  test('are refused with a pointer to the spoiled member, and never answered with 500', async () => {
    for (const [name, method, path] of [
      ['ServiceAccountInput', 'POST', '/api/service-accounts'],
      ['CompanyInput', 'POST', '/api/companies'],
    ] as const) {
      const whole = schemas[name];
      assert.ok(whole?.properties);
      const members = [...Object.keys(whole.properties), 'unheardOf'];
      await fc.assert(
        fc.asyncProperty(
          arbitraryOf(schema(name)),
          fc.constantFrom(...members),
          fc.oneof(
            fc.constantFrom(...spoilers),
            fc.anything({ withNullPrototype: false }).filter((value) => JSON.stringify(value) !== undefined),
          ),
          async (value, member, spoiler) => {
            const body = { ...tidied(value as Body), [member]: spoiler };
            const reply = await app.api(method, path, body);
            const note = `${JSON.stringify(body)} ${reply.text}`;
            // The spoiler may happen to fit, or another fault may be refused first.
            assert.ok([201, 400, 409, 422].includes(reply.status), note);
            if (reply.status === 400) {
              assert.equal(reply.json.code, 'invalid_body', note);
              const pointers: string[] = reply.json.errors.map(({ pointer }: { pointer: string }) => pointer);
              assert.ok(
                pointers.every((pointer) => pointer === `/${member}` || pointer.startsWith(`/${member}/`)),
                note,
              );
            }
          },
        ),
        { numRuns: 80 },
      );
    }
  });
});
