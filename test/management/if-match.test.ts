import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { clientKey } from '../support/assertions.ts';
import { assertRefused, makeCompany } from '../support/companies.ts';
import { embedded } from '../support/databases.ts';
import { useTestApp } from '../support/test-app.ts';

/** A thing that can be changed: the path where it is read, and the body of the operation if it takes one. */
interface Thing {
  readonly read: string;
  readonly body?: object;
}

const COMPANY = '/api/companies/matched';

describe('If-Match', () => {
  const app = useTestApp(embedded);
  let made = 0;
  before(() => makeCompany(app, 'matched'));

  async function make(path: string, input: object = {}): Promise<string> {
    made += 1;
    const { status, text, headers } = await app.api('POST', path, { name: `Thing ${made}`, ...input });
    assert.equal(status, 201, text);
    const location = headers.get('location') ?? '';
    // A change gives every thing a second revision, so that the first revision is old.
    const { status: changed, text: refusal } = await app.api('PATCH', location, { name: `Changed ${made}` });
    assert.equal(changed, 200, refusal);
    return location;
  }

  const identifier = (path: string): string =>
    path === '/api' ? `https://root.example/${made}` : `api://matched/${made}`;

  /** The functions that create the things which operations can change. They return the paths of the things. */
  const makers: Readonly<Record<string, (path: string) => Promise<string>>> = {
    companyId: () => make('/api/companies', { companyId: `matched-${made}` }),
    clientId: (path) =>
      make(`${path}/service-accounts`, { permissions: ['a'], roles: ['reporter'], audience: 'api://default' }),
    credentialId: async (path) => {
      const account = await make(`${path}/service-accounts`);
      return make(`${account}/credentials`, { type: 'public_key', publicKey: clientKey('EdDSA').jwk });
    },
    roleId: (path) => make(`${path}/roles`, { permissions: [] }),
    resourceServerId: (path) => make(`${path}/resource-servers`, { identifier: identifier(path) }),
    trustedIssuerId: (path) => make(`${path}/trusted-issuers`, { issuer: `https://matched.example/${made}` }),
    groupId: (path) => make(`${path}/groups`, { permissions: ['a'], roles: ['reporter'] }),
  };

  /** Creates the thing that an operation changes. @param path the path of the operation in the document */
  async function thingOf(path: string): Promise<Thing & { readonly path: string }> {
    const owner = path === '/api/companies/{companyId}' || !path.startsWith('/api/companies/') ? '/api' : COMPANY;
    const parameters = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => String(name));
    const ofCompany = owner === COMPANY ? parameters.slice(1) : parameters;
    const kind = ofCompany.findLast((name) => name in makers) ?? '';
    const make = makers[kind];
    assert.ok(make !== undefined, `no maker creates a thing for ${path}`);
    const read = await make(owner);
    const rest = path.slice(path.indexOf(`{${kind}}`) + kind.length + 2);
    return { read, path: read + rest.replace('{permission}', 'a').replace('{role}', 'reporter') };
  }

  test('is honoured by every operation that declares it, and every DELETE of one thing declares it', async () => {
    const { json: document } = await app.request('/api/openapi.json');
    const honouring: string[] = [];
    for (const [template, operations] of Object.entries<Record<string, { parameters?: { name: string }[] }>>(
      document.paths,
    )) {
      for (const [verb, { parameters = [] }] of Object.entries(operations)) {
        if (!parameters.some(({ name }) => name === 'If-Match')) continue;
        const method = verb.toUpperCase();
        honouring.push(`${method} ${template}`);
        const thing = await thingOf(template);
        const send = (tag: string) =>
          app.api(method, thing.path, method === 'PATCH' ? { name: 'Sent' } : undefined, undefined, {
            'If-Match': tag,
          });
        const before = await app.api('GET', thing.read);
        assert.equal(before.headers.get('etag'), '"2"', template);
        // An old revision, revisions that never existed, and malformed tags.
        for (const tag of ['"1"', '"99"', 'W/"1"', '"x"', '2', '"0"', '""', '"2.5.1.x"', '']) {
          assertRefused(app, await send(tag), 412, 'precondition_failed', `${method} ${template} ${tag}`);
        }
        const after = await app.api('GET', thing.read);
        assert.deepEqual([after.text, after.headers.get('etag')], [before.text, '"2"'], template);
        const { status, text } = await send('"1", "2"');
        assert.ok(status === 200 || status === 204, `${method} ${template}: ${text}`);
      }
    }
    const deletes = Object.entries<object>(document.paths)
      // A signing key has no revision: nobody edits it.
      .filter(([path, operations]) => 'delete' in operations && !/\/members|\/signing-keys/.test(path))
      .map(([path]) => `DELETE ${path}`);
    assert.deepEqual(honouring.filter((one) => one.startsWith('DELETE')).toSorted(), deletes.toSorted());
    assert.ok(honouring.length >= 30, String(honouring.length));
  });
});
