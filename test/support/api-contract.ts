import assert from 'node:assert/strict';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { TEXT_FORMATS } from '../../src/management/text-formats.ts';

/** An HTTP answer whose body has been read. */
export interface Reply {
  readonly status: number;
  /** The headers. `Location` and the address in `Link` are resolved against the request, and given as paths. */
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

/** The parts of the OpenAPI document that the tests read. */
export interface ApiDocument {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, object>> };
}

const ajv = new Ajv2020({ strict: false, allErrors: true });
formats.default(ajv);
for (const [name, { fits }] of Object.entries(TEXT_FORMATS)) ajv.addFormat(name, fits);

const escaped = (text: string): string => text.replaceAll('~', '~0').replaceAll('/', '~1');

/** Asserts that the document describes the status, the headers, the content type and the body of an answer. */
export function assertDescribed(document: ApiDocument, method: string, path: string, reply: Reply): void {
  // An issuer with a path puts that path before `/api`.
  const [pathname = ''] = path.slice(path.indexOf('/api')).split('?', 1);
  const template = Object.keys(document.paths)
    // Paths with few parameters are tried first.
    .toSorted((one, other) => one.split('{').length - other.split('{').length)
    .find((candidate) => new RegExp(`^${candidate.replaceAll(/\{\w+\}/g, '[^/]+')}/?$`).test(pathname));
  const operation = template === undefined ? undefined : document.paths[template]?.[method.toLowerCase()];
  // A request that belongs to no operation must be answered with 404 or 405.
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
  const answer: unknown = type.endsWith('json') ? reply.json : reply.text;
  assert.ok(validate(answer), `${where}: ${JSON.stringify(validate.errors)} ${reply.text}`);
}

/** Compiles the schema at a pointer of the document, with the schemas that it refers to. */
function schemaAt(document: ApiDocument, pointer: readonly string[]): ValidateFunction {
  // One document serves all tests: their documents differ only in the address of the server.
  if (ajv.getSchema('api') === undefined) ajv.addSchema(document, 'api');
  const validate = ajv.getSchema(`api#/${pointer.map(escaped).map(encodeURIComponent).join('/')}`);
  assert.ok(validate, pointer.join(' '));
  return validate as ValidateFunction;
}
