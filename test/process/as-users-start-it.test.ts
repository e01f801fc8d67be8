import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { TEST_ENVIRONMENT, ROOT } from '../support/config.ts';
import { rawRequest } from '../support/raw-request.ts';
import { type ServerProcess, startServerProcess, workFolder } from '../support/server-process.ts';

const basic = (user: string): string => `Basic ${Buffer.from(user).toString('base64')}`;
const RIGHT = basic(`${ROOT.clientId}:${ROOT.clientSecret}`);
const FORM = 'application/x-www-form-urlencoded';
const GRANT = 'grant_type=client_credentials';

describe('a server as users start it', () => {
  const folder = workFolder();
  let server: ServerProcess;
  let bearer: string;
  before(async () => {
    // A compose file passes empty texts for settings that are not set, and a shell may add blanks to a secret.
    server = await startServerProcess(folder.path, {
      ...TEST_ENVIRONMENT,
      WRIT_ISSUER: '',
      NODE_ENV: '',
      WRIT_BOOTSTRAP_CLIENT_SECRET: ` ${ROOT.clientSecret} `,
    });
    await server.ready();
    const { text } = await ask('POST', '/oauth/token', { Authorization: RIGHT, 'Content-Type': FORM }, GRANT);
    bearer = `Bearer ${JSON.parse(text).access_token}`;
  });
  after(async () => {
    assert.equal(await server.end(), 0);
    folder.remove();
  });

  const ask = (method: string, path: string, headers: Record<string, string>, body?: string) =>
    rawRequest(server.url + path, { method, headers, ...(body !== undefined && { body }) });

  for (const [what, path, headers, body, status] of [
    ['a charset', '/oauth/token', { 'Content-Type': `${FORM}; charset=ISO-8859-1` }, GRANT, 200],
    ['blanks in a scope', '/oauth/token', {}, `${GRANT}&scope=writ.audit.view++writ.companies.view+`, 200],
    ['a final slash and a foreign query parameter', '/oauth/token/?api-version=1', {}, GRANT, 200],
    ['a secret with a line break', '/oauth/token', { Authorization: basic(`${ROOT.clientId}:x\n`) }, GRANT, 401],
    [
      'two client authentication methods at the token endpoint',
      '/oauth/token',
      {},
      `${GRANT}&client_id=x&client_secret=y`,
      400,
    ],
    [
      'the same credentials in header and body at introspection',
      '/oauth/introspect',
      {},
      `token=x&client_id=${ROOT.clientId}&client_secret=${ROOT.clientSecret}`,
      200,
    ],
    ['an unknown endpoint', '/oauth/nothing', {}, GRANT, 404],
  ] as const) {
    test(`answers ${status} to ${what}`, async () => {
      const sent = { Authorization: RIGHT, 'Content-Type': FORM, ...headers };
      const reply = await ask('POST', path, sent, body);
      assert.equal(reply.status, status, reply.text);
      if (status >= 400) assert.equal(typeof JSON.parse(reply.text).error, 'string');
    });
  }

  for (const [what, method, path, body, status] of [
    ['a duration in place of a time', 'GET', '/api/service-accounts?lastUsedBefore=P90D', undefined, 200],
    ['a text that is no time', 'GET', '/api/service-accounts?lastUsedBefore=soon', undefined, 400],
    ['a name without Latin letters', 'POST', '/api/roles', '{"name":"開発","permissions":[]}', 201],
    ['a body with the same member twice', 'POST', '/api/roles', '{"name":"a","name":"b","permissions":[]}', 400],
    ['tokeninfo for another audience', 'GET', '/tokeninfo?resource=api://default', undefined, 401],
    ['tokeninfo for a scope that the token lacks', 'GET', '/tokeninfo?scope=nope', undefined, 403],
    ['HEAD of the metrics', 'HEAD', '/metrics', undefined, 200],
    ['a preflight for the metadata', 'OPTIONS', '/.well-known/oauth-authorization-server', undefined, 204],
  ] as const) {
    test(`answers ${status} to ${what}`, async () => {
      const headers = { Authorization: bearer, 'Content-Type': 'application/json; charset=ISO-8859-1' };
      assert.equal((await ask(method, path, headers, body)).status, status);
    });
  }
});
