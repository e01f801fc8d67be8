import assert from 'node:assert/strict';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { TEXT_FORMATS } from '../../src/management/text-formats.ts';

/** An answer over HTTP, its body read. */
export interface Reply {
  readonly status: number;
  /** `Location` and the address in `Link` as clients resolve them, as a path. */
  readonly headers: Headers;
  readonly text: string;
  // oxlint-disable-next-line typescript/no-explicit-any -- a test says what it expects of a body by asserting on it
  readonly json: any;
}

interface Operation {
  readonly operationId: string;
  readonly responses: Readonly<
    Record<string, { content?: Readonly<Record<string, { schema: object }>>; headers?: object }>
  >;
}

/** The OpenAPI document, as far as the tests read it. */
export interface ApiDocument {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, object>> };
}

const ajv = new Ajv2020({ strict: false, allErrors: true });
formats.default(ajv);
for (const [name, { fits }] of Object.entries(TEXT_FORMATS)) ajv.addFormat(name, fits);

const escaped = (text: string): string => text.replaceAll('~', '~0').replaceAll('/', '~1');

/** Asserts that an answer is one that the document describes: status, content type and body. */
export function assertDescribed(document: ApiDocument, method: string, path: string, reply: Reply): void {
  // Below the path of the issuer it is the same.
  const [pathname = ''] = path.slice(path.indexOf('/api')).split('?', 1);
  const template = Object.keys(document.paths)
    // A path without parameters comes before one with them.
    .toSorted((one, other) => one.split('{').length - other.split('{').length)
    .find((candidate) => new RegExp(`^${candidate.replaceAll(/\{\w+\}/g, '[^/]+')}/?$`).test(pathname));
  const operation = template === undefined ? undefined : document.paths[template]?.[method.toLowerCase()];
  // What is not routed is no operation.
  if (template === undefined || operation === undefined) {
    assert.ok([404, 405].includes(reply.status), `${method} ${path}: ${reply.status}`);
    return;
  }
  const where = `${method} ${template} ${reply.status}`;
  const status = String(reply.status);
  const described = status in operation.responses ? status : 'default';
  assert.ok(described === status || reply.status >= 500, `${where} is not described`);
  const type = reply.headers.get('content-type')?.split(';', 1)[0];
  const content = operation.responses[described]?.content;
  assert.equal(type, content && Object.keys(content)[0], where);
  for (const name of ['ETag', 'Location', 'Link'].filter((header) => reply.headers.has(header) && reply.status < 300)) {
    assert.ok(name in (operation.responses[described]?.headers ?? {}), `${where}: ${name} is not described`);
  }
  if (type === undefined) {
    assert.equal(reply.text, '', where);
    return;
  }
  const pointer = ['paths', template, method.toLowerCase(), 'responses', described, 'content', type, 'schema'];
  const validate = schemaAt(document, pointer);
  assert.ok(validate(reply.json), `${where}: ${JSON.stringify(validate.errors)} ${reply.text}`);
}

/** Compiles the schema of the document at a pointer, with what it refers to. */
function schemaAt(document: ApiDocument, pointer: readonly string[]): ValidateFunction {
  // The documents of all tests differ in the address of the server only.
  if (ajv.getSchema('api') === undefined) ajv.addSchema(document, 'api');
  const validate = ajv.getSchema(`api#/${pointer.map(escaped).map(encodeURIComponent).join('/')}`);
  assert.ok(validate, pointer.join(' '));
  return validate as ValidateFunction;
}
