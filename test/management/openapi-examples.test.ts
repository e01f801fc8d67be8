import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { TEXT_FORMATS } from '../../src/management/text-formats.ts';
import { type BodyOperation, type DocumentSchema, operationsWithBody } from '../support/api-document.ts';
import { apiToken } from '../support/companies.ts';
import { postgres18 } from '../support/databases.ts';
import { useTestApp } from '../support/test-app.ts';

/** Members that identify a thing. */
const NAMES = new Set(['issuer', 'slug', 'companyId', 'roleId', 'groupId', 'identifier']);

/** Operations that refuse the examples of their schema, with the reason. They have examples of their own. */
const REFUSED_ELSEWHERE: Readonly<Record<string, string>> = {
  createCompanyRole: 'every company sees the roles of root, and has none of the same id',
  registerCompanyResourceServer: 'identifiers of a company begin with the company, and those of root do not',
};

describe('the examples of the OpenAPI document', () => {
  const app = useTestApp(postgres18);
  let operations: BodyOperation[];
  let schemas: Record<string, DocumentSchema>;
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  formats.default(ajv);
  for (const [name, { fits }] of Object.entries(TEXT_FORMATS)) ajv.addFormat(name, fits);

  before(async () => {
    const { json } = await app.request('/api/openapi.json');
    operations = operationsWithBody(json);
    schemas = json.components.schemas;
    ajv.addSchema(json, 'api');
    assert.ok(operations.length > 20, String(operations.length));
  });

  const schemaOf = ({ schema }: BodyOperation): DocumentSchema => {
    const found = schemas[schema];
    assert.ok(found, schema);
    return found;
  };

  const resolved = (schema: DocumentSchema | undefined): DocumentSchema | undefined =>
    schema?.$ref === undefined ? schema : schemas[schema.$ref.replace('#/components/schemas/', '')];

  /** Assembles a body from the first example of each member, as tools do that ignore examples of the whole. */
  function assembled({ properties = {}, required = [] }: DocumentSchema): Record<string, unknown> {
    return Object.fromEntries(
      Object.entries(properties).flatMap(([name, node]): [string, unknown][] => {
        const member = resolved(node) as DocumentSchema;
        const [example] = member.examples ?? (required.includes(name) ? (member.enum ?? []) : []);
        return example === undefined ? [] : [[name, example]];
      }),
    );
  }

  /** Creates everything that a path names, so that no call meets what an earlier call has changed. */
  async function seeded(path: string): Promise<{ path: string; bearer: string }> {
    const collection = path.startsWith('/api/companies/{companyId}') ? '/api/companies/acme' : '/api';
    const make = async (segment: string, body: object): Promise<Record<string, string>> => {
      const { status, json, text } = await app.api('POST', `${collection}/${segment}`, body);
      assert.equal(status, 201, text);
      return json;
    };
    const name = `Seed ${process.hrtime.bigint()}`;
    const account = (await make('service-accounts', { name, permissions: ['orders:read'] })) as unknown as {
      clientId: string;
      clientSecret: string;
      credentials: { credentialId: string }[];
    };
    const ids: Record<string, string | undefined> = {
      companyId: 'acme',
      clientId: account.clientId,
      credentialId: account.credentials[0]?.credentialId,
      ...(path.includes('{roleId}') && (await make('roles', { name }))),
      ...(path.includes('{groupId}') && (await make('groups', { name }))),
      ...(path.includes('{trustedIssuerId}') &&
        (await make('trusted-issuers', { issuer: `https://seed.example/${process.hrtime.bigint()}`, name }))),
      ...(path.includes('{resourceServerId}') &&
        (await make('resource-servers', {
          identifier: `${collection === '/api' ? 'https://seed.example' : 'api://acme'}/${process.hrtime.bigint()}`,
          name,
        }))),
    };
    if (path.endsWith('/test')) {
      const issuer = `https://tried.example/${process.hrtime.bigint()}`;
      await make('trusted-issuers', { issuer, name });
      const rule = { type: 'federated', issuer, claims: { tried: true } };
      ids['credentialId'] = (await make(`service-accounts/${account.clientId}/credentials`, rule))['credentialId'];
    }
    return {
      path: path.replaceAll(/\{(\w+)\}/g, (_, parameter: string) => ids[parameter] ?? assert.fail(parameter)),
      bearer: path.startsWith('/api/self') ? await apiToken(app, account) : await app.rootToken(),
    };
  }

  async function assertAccepted({ method, path }: BodyOperation, body: unknown): Promise<void> {
    const target = await seeded(path);
    const { status, text } = await app.api(method, target.path, body, target.bearer);
    assert.ok([200, 201, 204].includes(status), `${method} ${target.path} ${JSON.stringify(body)}: ${text}`);
  }

  test('exist for every body and fit its schema, and bodies that are assembled from members fit, too', () => {
    for (const operation of operations) {
      const schema = schemaOf(operation);
      const validate = ajv.getSchema(`api#/components/schemas/${operation.schema}`);
      assert.ok(validate, operation.schema);
      assert.ok(schema.examples !== undefined && schema.examples.length > 0, operation.schema);
      assert.ok(
        operation.examples.every((example) => example !== undefined),
        operation.operationId,
      );
      for (const body of [...operation.examples, ...schema.examples, assembled(schema)]) {
        assert.ok(validate(body), `${operation.schema} ${JSON.stringify(body)} ${JSON.stringify(validate.errors)}`);
      }
    }
  });

  test('are accepted by every operation, in the order of the document', async () => {
    for (const operation of operations) {
      const { operationId, examples } = operation;
      const others = operationId in REFUSED_ELSEWHERE ? [] : (schemaOf(operation).examples ?? []);
      const bodies = new Map([...examples, ...others].map((body) => [JSON.stringify(body), body]));
      for (const body of bodies.values()) await assertAccepted(operation, body);
    }
  });

  test('of members add up to a body that its operation accepts', async () => {
    for (const operation of operations) {
      if (operation.operationId in REFUSED_ELSEWHERE) continue;
      const { properties = {} } = schemaOf(operation);
      const body = assembled(schemaOf(operation));
      // The examples of whole bodies have created things with these names: other names are needed.
      const anew = Object.keys(body).filter(
        (name) => NAMES.has(name) && operation.method === 'POST' && name in properties,
      );
      for (const name of anew) body[name] = `${String(body[name])}-too`;
      await assertAccepted(operation, body);
    }
  });
});
