// Verifies an access token as an API does, and prints what the token permits.
// node examples/node/verify.mjs ISSUER TOKEN
import { inflateSync } from 'node:zlib';
import { createRemoteJWKSet, jwtVerify } from 'jose';

const [issuer, token] = process.argv.slice(2);
const keys = createRemoteJWKSet(new URL(`${issuer}/.well-known/jwks.json`));
const lists = new Map();

export async function verify(token, audience = 'api://default') {
  const { payload } = await jwtVerify(token, keys, { issuer, audience, typ: 'at+jwt' });
  const { uri, idx } = payload.status.status_list;
  const bits = await statusList(uri);
  if ((bits[idx >> 3] >> (idx & 7)) & 1) throw new Error('the token has been revoked');
  return payload.permissions;
}

/** Fetches a Token Status List, and keeps it for its `ttl` in seconds. */
async function statusList(uri) {
  const held = lists.get(uri);
  if (held !== undefined && held.until > Date.now()) return held.bits;
  const answer = await fetch(uri);
  const { payload } = await jwtVerify(await answer.text(), keys, { subject: uri, typ: 'statuslist+jwt' });
  const bits = inflateSync(Buffer.from(payload.status_list.lst, 'base64url'));
  lists.set(uri, { bits, until: Date.now() + payload.ttl * 1000 });
  return bits;
}

try {
  console.log((await verify(token)).join(' '));
} catch (error) {
  console.log(`refused: ${error.message}`);
}
