import { generateKeyPairSync, type KeyObject, randomUUID, sign } from 'node:crypto';
import type { Reply } from './api-contract.ts';
import type { TestApp } from './test-app.ts';

export type ClientAlg = 'RS256' | 'PS256' | 'ES256' | 'EdDSA' | 'Ed25519';

/** A key pair of a client. */
export interface ClientKey {
  readonly alg: ClientAlg;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  readonly jwk: Record<string, unknown>;
}

/** An account whose credentials a test knows. */
export interface TestAccount {
  readonly clientId: string;
  readonly clientSecret: string;
  readonly credentials: readonly { credentialId: string; type: string; kid?: string; clientSecret?: string }[];
}

export function clientKey(alg: ClientAlg, kid?: string): ClientKey {
  const { privateKey, publicKey } =
    alg === 'ES256'
      ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
      : alg === 'RS256' || alg === 'PS256'
        ? generateKeyPairSync('rsa', { modulusLength: 2048 })
        : generateKeyPairSync('ed25519');
  const jwk = {
    ...publicKey.export({ format: 'jwk' }),
    ...(kid !== undefined && { kid }),
    ...(alg === 'PS256' && { alg }),
  };
  return { alg, privateKey, publicKey, jwk };
}

const encode = (value: unknown): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

/** Signs any text with the algorithm of the key. */
export function signature({ alg, privateKey }: Pick<ClientKey, 'alg' | 'privateKey'>, input: string): string {
  const data = Buffer.from(input);
  switch (alg) {
    case 'RS256':
      return sign('sha256', data, privateKey).toString('base64url');
    case 'PS256':
      return sign('sha256', data, { key: privateKey, padding: 6, saltLength: 32 }).toString('base64url');
    case 'ES256':
      return sign('sha256', data, { key: privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64url');
    case 'EdDSA':
    case 'Ed25519':
      return sign(null, data, privateKey).toString('base64url');
  }
}

/** Signs a JWS. The header and the payload are given as values, or as the exact text to encode. */
export function jws(key: Pick<ClientKey, 'alg' | 'privateKey'>, header: unknown, payload: unknown): string {
  const input = `${encode(header)}.${encode(payload)}`;
  return `${input}.${signature(key, input)}`;
}

/** The claims of a valid assertion with changes. The value `undefined` leaves a claim out. */
export function claimsFor(clientId: string, audience: string, changes: Record<string, unknown> = {}): object {
  const now = Math.floor(Date.now() / 1000);
  return {
    iss: clientId,
    sub: clientId,
    aud: audience,
    jti: randomUUID(),
    iat: now,
    exp: now + 60,
    ...changes,
  };
}

/** A valid assertion with changed claims and header members. */
export function assertion(
  key: ClientKey,
  clientId: string,
  audience: string,
  changes: Record<string, unknown> = {},
  header: Record<string, unknown> = {},
): string {
  return jws(key, { alg: key.alg, ...header }, claimsFor(clientId, audience, changes));
}

/** Sends an assertion to the token endpoint. */
export function tokenByAssertion(
  app: Pick<TestApp, 'request'>,
  value: string,
  parameters: Record<string, string> = {},
  path = '/oauth/token',
): Promise<Reply> {
  return app.request(path, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: value,
      ...parameters,
    }),
  });
}

/** Registers an account with public keys, and with a client secret if `secret` is set. */
export async function registerWithKeys(
  app: TestApp,
  name: string,
  keys: readonly ClientKey[],
  options: { secret?: boolean; assertionAudiences?: string[]; assertionMaxTtl?: number } = {},
): Promise<TestAccount> {
  const { secret = false, ...rules } = options;
  const { status, json, text } = await app.api('POST', '/api/service-accounts', {
    name,
    permissions: ['a'],
    credentials: [
      ...keys.map(({ jwk }) => ({ type: 'public_key', publicKey: jwk, ...rules })),
      ...(secret ? [{ type: 'client_secret' }] : []),
    ],
  });
  if (status !== 201) throw new Error(text);
  return json;
}

/** The last log line about a refused token request. The result is empty if there is no such line. */
export function lastRefusal(app: TestApp): Record<string, unknown> {
  return app.log().findLast((line) => line['event'] === 'token.refused') ?? {};
}
