import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { decodeJwt } from 'jose';
import type { Reply } from '../support/api-contract.ts';
import { clientKey, jws } from '../support/assertions.ts';
import { apiToken } from '../support/companies.ts';
import { ROOT } from '../support/config.ts';
import { embedded, type TestDatabase } from '../support/databases.ts';
import { rawRequest } from '../support/raw-request.ts';
import { startTestApp, type TestApp } from '../support/test-app.ts';

describe('an access token at the management API', () => {
  let database: TestDatabase;
  let app: TestApp;
  let now = Date.now();
  before(async () => {
    database = await embedded.create();
    app = await startTestApp(database, { WRIT_TOKEN_TTL: '60' }, { clock: () => new Date(now) });
  });
  after(async () => {
    await app.close();
    await database.drop();
  });

  // The library issues tokens by the real clock: the test clock begins at the same time.
  beforeEach(() => {
    now = Date.now();
  });

  const self = (bearer: string): Promise<Reply> => app.api('GET', '/api/self', undefined, bearer);

  function assertInvalid(reply: Reply): void {
    assert.equal(reply.status, 401, reply.text);
    const line = app.log().findLast(({ requestId }) => requestId === reply.json.requestId);
    assert.equal(line?.['reason'], 'token_invalid');
  }

  test('is refused after its expiry, although it was accepted before', async () => {
    const bearer = await apiToken(app, ROOT);
    for (const later of [0, 30_000, 28_000]) {
      now += later;
      assert.equal((await self(bearer)).status, 200);
    }
    now += 4000;
    assertInvalid(await self(bearer));
  });

  /** The description in the header of a refusal, which must be the same in the body and in the log. */
  function said({ status, json, headers }: Reply): string {
    assert.equal(status, 401);
    assert.equal(json.code, 'unauthorized');
    assert.equal(json.message, json.detail);
    const header = String(headers.get('www-authenticate'));
    const description = /, error="invalid_token", error_description="([^"\\]+)", resource_metadata="/.exec(header)?.[1];
    if (description !== undefined) assert.equal(description, json.detail);
    const line = app.log().findLast(({ requestId }) => requestId === json.requestId);
    assert.deepEqual([line?.['status'], line?.['detail']], [401, description]);
    return description ?? '';
  }

  test('is refused with a reason when it is expired or for another audience, and signed by this server', async () => {
    const [own, other] = await Promise.all([apiToken(app, ROOT), registerAndToken()]);
    assert.match(
      said(await self(other)),
      new RegExp(`^The access token is for api://default: ask for resource=${app.issuer}/api$`),
    );
    now = (Number(decodeJwt(own).exp) + 40.5) * 1000;
    assert.equal(said(await self(own)), 'The access token expired 40 s ago');
    assert.equal(said(await self(own)), 'The access token expired 40 s ago');
    assert.match(
      said(await self(other)),
      /^The access token expired \d\d s ago, and is for api:\/\/default: ask for resource=http.*\/api$/,
    );
    now += 3_600_000;
    assert.equal(said(await self(own)), 'The access token expired 3640 s ago');
  });

  test('is refused without a reason when it is forged or revoked', async () => {
    const { clientId, bearer } = await registered();
    const expired = await apiToken(app, ROOT);
    const [header = '', payload = '', signature = ''] = expired.split('.');
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString());
    const forged = (changes: object): string =>
      `${header}.${Buffer.from(JSON.stringify({ ...claims, ...changes })).toString('base64url')}.${signature}`;
    const stranger = clientKey('ES256');
    const { kid } = JSON.parse(Buffer.from(header, 'base64url').toString());
    for (const other of [
      forged({ exp: claims.exp - 1000 }),
      forged({ aud: 'api://default' }),
      jws(stranger, { alg: 'ES256', typ: 'at+jwt', kid }, { ...claims, exp: claims.exp - 1000 }),
      jws(stranger, { alg: 'ES256', typ: 'at+jwt', kid: 'x' }, claims),
      'rubbish',
      'a.b.c',
    ]) {
      assert.equal(said(await self(other)), '', other.slice(0, 30));
    }
    assert.equal((await self(bearer)).status, 200);
    await app.api('PATCH', `/api/service-accounts/${clientId}`, { state: 'disabled' }, expired);
    assert.equal(said(await self(bearer)), '');
  });

  async function registered(): Promise<{ clientId: string; bearer: string }> {
    const { json } = await app.api('POST', '/api/service-accounts', { name: 'Short' }, await apiToken(app, ROOT));
    return { clientId: json.clientId, bearer: await apiToken(app, json) };
  }

  async function registerAndToken(): Promise<string> {
    const body = { name: 'Elsewhere', permissions: ['orders:read'] };
    const { json } = await app.api('POST', '/api/service-accounts', body, await apiToken(app, ROOT));
    return (await app.token(json)).json.access_token;
  }

  test('is refused when it comes in one of two Authorization headers', async () => {
    const bearer = await apiToken(app, ROOT);
    const call = async (...values: string[]): Promise<{ status: number; reason: unknown }> => {
      const { status, text } = await rawRequest(`${app.url}/api/self`, { headers: { Authorization: values } });
      const { requestId } = JSON.parse(text);
      const line = app.log().findLast((one) => one['requestId'] === requestId && one['event'] === 'management.refused');
      return { status, reason: line?.['reason'] };
    };
    assert.equal((await call(`Bearer ${bearer}`)).status, 200);
    for (const values of [
      [`Bearer ${bearer}`, `Bearer ${bearer}`],
      [`Bearer ${bearer}`, 'Bearer x'],
      ['Bearer x', `Bearer ${bearer}`],
      [`Bearer ${bearer}`, 'Basic eDp5'],
      ['', `Bearer ${bearer}`],
    ]) {
      assert.deepEqual(await call(...values), { status: 401, reason: 'token_malformed' }, values.join());
    }
    for (const value of [`Bearer ${bearer}, Bearer ${bearer}`, `Bearer ${bearer} ${bearer}`, bearer, 'Bearer', '']) {
      assert.equal((await call(value)).status, 401, value);
    }
  });

  test('is refused when it differs in any part from an accepted token', async () => {
    const bearer = await apiToken(app, ROOT);
    assert.equal((await self(bearer)).status, 200);
    const [header = '', payload = '', signature = ''] = bearer.split('.');
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString());
    const longer = Buffer.from(JSON.stringify({ ...claims, exp: claims.exp + 60 })).toString('base64url');
    for (const other of [`${header}.${longer}.${signature}`, bearer.slice(0, -2), `${bearer}A`]) {
      assertInvalid(await self(other));
    }
    assert.equal((await self(bearer)).status, 200);
  });
});
