import assert from 'node:assert/strict';
import type { Reply } from './api-contract.ts';
import type { TestApp } from './test-app.ts';

/** Every permission of the management API that an account of a company may hold. */
export const COMPANY_PERMISSIONS = [
  'writ.activity.view',
  'writ.audit.view',
  'writ.companies.view',
  'writ.credentials.manage',
  'writ.resourceservers.manage',
  'writ.roles.bind',
  'writ.roles.manage',
  'writ.serviceaccounts.impersonate',
  'writ.serviceaccounts.manage',
  'writ.serviceaccounts.view',
  'writ.trustedissuers.manage',
];

/** An account that calls the management API. */
export interface ApiCaller {
  readonly clientId: string;
  readonly clientSecret: string;
  readonly bearer: string;
}

export async function makeCompany(app: TestApp, companyId: string): Promise<void> {
  const { status, text } = await app.api('POST', '/api/companies', { companyId, name: companyId });
  assert.equal(status, 201, text);
}

/** Registers an account at a path, and gets an access token for the management API. */
export async function makeCaller(app: TestApp, path: string, permissions: readonly string[]): Promise<ApiCaller> {
  const { status, json, text } = await app.api('POST', path, {
    name: `Caller ${process.hrtime.bigint()}`,
    permissions,
    audience: `${app.issuer}/api`,
  });
  assert.equal(status, 201, text);
  const { clientId, clientSecret } = json;
  return { clientId, clientSecret, bearer: await apiToken(app, json) };
}

/** Gets an access token for the management API. Without a scope, it has all permissions of the account there. */
export async function apiToken(
  app: TestApp,
  account: { clientId: string; clientSecret: string },
  scope?: string,
): Promise<string> {
  const { status, json, text } = await app.token(account, {
    resource: `${app.issuer}/api`,
    ...(scope !== undefined && { scope }),
  });
  assert.equal(status, 200, text);
  return json.access_token;
}

/** Asserts that the management API refused a request, with this code in the answer and in the log. */
export function assertRefused(app: TestApp, reply: Reply, status: number, code: string, note = ''): void {
  assert.equal(reply.status, status, `${note} ${reply.text}`);
  assert.equal(reply.json.code, code, `${note} ${reply.text}`);
  const line = app.log().findLast(({ requestId }) => requestId === reply.json.requestId);
  assert.equal(line?.['event'], 'management.refused', note);
  if (status !== 401) assert.equal(line['reason'], code, note);
}
