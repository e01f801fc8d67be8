import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { type ApiDocument, referencePage } from '../../src/management/reference-page.ts';
import { embedded } from '../support/databases.ts';
import { useTestApp } from '../support/test-app.ts';

describe('the page that shows the management API to people', () => {
  const app = useTestApp(embedded);
  let page: string;
  let document: ApiDocument;
  before(async () => {
    page = (await app.request('/api/reference')).text;
    document = (await app.request('/api/openapi.json')).json;
  });

  test('shows every operation, with its permissions, and every schema', () => {
    for (const [path, methods] of Object.entries(document.paths)) {
      for (const [method, { operationId, security }] of Object.entries(methods)) {
        const [, section = ''] =
          new RegExp(`<details id="${operationId}">(.*?)</details>`, 's').exec(page) ?? assert.fail(operationId);
        assert.ok(section.includes(`<span class="method">${method.toUpperCase()}</span> <code>${path}</code>`), path);
        for (const name of security.flatMap(({ accessToken }) => accessToken)) assert.ok(section.includes(name), path);
      }
    }
    for (const name of Object.keys(document.components.schemas)) {
      assert.ok(page.includes(`<details id="schema-${name}">`), name);
    }
  });

  test('has no link that leads nowhere', () => {
    const ids = new Set([...page.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id));
    const links = [...page.matchAll(/ href="#([^"]+)"/g)].map(([, id]) => id);
    assert.ok(links.length > 100);
    assert.deepEqual(
      links.filter((id) => !ids.has(id)),
      [],
    );
  });

  test('loads nothing and runs nothing', async () => {
    const { headers } = await app.request('/api/reference');
    assert.equal(headers.get('content-type'), 'text/html; charset=utf-8');
    assert.equal(headers.get('content-security-policy'), "default-src 'none'; style-src 'unsafe-inline'");
    assert.equal(headers.get('x-content-type-options'), 'nosniff');
    assert.doesNotMatch(page, /<script|<link|<img| src=/);
    const elsewhere = [...page.matchAll(/ href="([^#][^"]*)"/g)].map(([, address]) => address);
    assert.deepEqual(elsewhere, ['openapi.json']);
    assert.equal((await app.request('/api/openapi.json')).headers.get('content-security-policy'), null);
  });

  test('shows text of the document as text', () => {
    const hostile = '<script>alert("x")</script> & `<b>`';
    const written = referencePage({
      info: { title: hostile, description: hostile },
      tags: [{ name: hostile, description: hostile }],
      paths: {
        [hostile]: {
          get: {
            operationId: hostile,
            summary: hostile,
            tags: [hostile],
            parameters: [{ name: hostile, in: 'query', schema: { enum: [hostile] }, description: hostile }],
            security: [{ accessToken: [hostile] }],
            requestBody: { content: { 'application/json': { schema: { type: hostile }, example: hostile } } },
            responses: { [hostile]: { description: hostile, content: { [hostile]: { schema: { $ref: hostile } } } } },
          },
        },
      },
      components: { schemas: { [hostile]: { properties: { [hostile]: { description: hostile } } } } },
    });
    assert.doesNotMatch(written, /<script|<b>|alert\("/);
  });
});
