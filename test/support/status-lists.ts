import assert from 'node:assert/strict';
import { inflateSync } from 'node:zlib';
import { decodeJwt } from 'jose';
import { startStatusLists, type StatusListOptions, type StatusLists } from '../../src/oauth/status-lists.ts';
import { eventually } from './eventually.ts';
import { newSigningKey } from './signing-keys.ts';
import type { TestApp } from './test-app.ts';

/** Starts status lists that a newly generated key signs. */
export async function startLists(
  options: Pick<StatusListOptions, 'store' | 'clock' | 'onFailure'>,
): Promise<StatusLists> {
  const key = await newSigningKey('ES256');
  return startStatusLists({
    ...options,
    signingKeys: {
      current: () => ({ keys: [key], active: { ES256: key, RS256: key, PS256: key, EdDSA: key } }),
      onChange: () => undefined,
    },
    signingAlg: 'ES256',
    issuer: 'https://id.example',
  });
}

/** The `status` claim of an access token. */
export interface StatusReference {
  readonly idx: number;
  readonly uri: string;
}

export function statusOf(accessToken: string): StatusReference {
  const { status } = decodeJwt<{ status: { status_list: StatusReference } }>(accessToken);
  return status.status_list;
}

/** Whether the bit of a token is set in the status list that a server serves at this moment. */
export async function isRevokedBy(app: TestApp, { idx, uri }: StatusReference): Promise<boolean> {
  const { status, text } = await app.request(new URL(uri).pathname);
  assert.equal(status, 200, text);
  return bitOf(text, idx) === 1;
}

/** Reads one bit of a status list token. */
export function bitOf(jwt: string, idx: number): number {
  const { status_list: list } = decodeJwt<{ status_list: { bits: number; lst: string } }>(jwt);
  assert.equal(list.bits, 1);
  const bits = inflateSync(Buffer.from(list.lst, 'base64url'));
  return ((bits[idx >> 3] ?? 0) >> (idx & 7)) & 1;
}

/** Waits until the status list shows a token as revoked, or as valid. */
export async function untilListed(
  app: TestApp,
  token: StatusReference,
  revoked: boolean,
  milliseconds = 3000,
): Promise<void> {
  const complaint = `the status list did not show in time that the token is ${revoked ? 'revoked' : 'valid'}`;
  await eventually(milliseconds, async () => (await isRevokedBy(app, token)) === revoked, complaint);
}
