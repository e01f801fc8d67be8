import assert from 'node:assert/strict';
import type { Reply } from './api-contract.ts';
import type { TestApp } from './test-app.ts';

/** A registered account and its first credential. */
export interface RegisteredAccount {
  readonly clientId: string;
  /** The secret of the first credential, if that is a client secret. */
  readonly clientSecret: string;
  readonly path: string;
  /** The path of its first credential. */
  readonly first: string;
}

/** Registers an account. The account may read orders, unless the body says otherwise. */
export async function registerAccount(
  app: TestApp,
  body: object = {},
  path = '/api/service-accounts',
): Promise<RegisteredAccount> {
  const { json, text } = await app.api('POST', path, {
    name: `Account ${Math.random()}`,
    permissions: ['orders:read'],
    ...body,
  });
  assert.ok(json.clientId, text);
  const own = `${path}/${json.clientId}`;
  const [first = {}] = json.credentials;
  return {
    clientId: json.clientId,
    clientSecret: String(first.clientSecret),
    path: own,
    first: `${own}/credentials/${first.credentialId}`,
  };
}

/** The parameters that exchange an API key for a token (RFC 8693). */
export function exchangeOf(key: string): Record<string, string> {
  return {
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    subject_token: key,
    subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
  };
}

/** Exchanges an API key for a token. */
export function exchange(
  app: TestApp,
  key: string,
  parameters: Record<string, string> = {},
  headers: Record<string, string> = {},
): Promise<Reply> {
  const body = new URLSearchParams({ ...exchangeOf(key), ...parameters });
  return app.request('/oauth/token', { method: 'POST', headers, body });
}
