import { randomUUID } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { exportJWK, generateKeyPair } from 'jose';
import { selfSigned } from '../test/support/certificates.ts';

/*
 * Registers two clients for each profile of the conformance suite, and writes its four configurations.
 *
 *     ROOT=CLIENT_ID:CLIENT_SECRET WRIT=https://writ.example:3000 node conformance/make-clients.ts FOLDER
 *
 * API: the address of the management API, if it is another one.
 */

const SCOPE = 'writ.serviceaccounts.view';

/** A client in the form of the suite, with its certificate. */
interface SuiteClient {
  readonly client: object;
  readonly mtls: { readonly cert: string; readonly key: string };
}

const { ROOT = '', WRIT = 'https://localhost:3000', API = WRIT } = process.env;
const [folder] = process.argv.slice(2);
if (folder === undefined || ROOT === '') {
  throw new Error('call it so: ROOT=CLIENT_ID:CLIENT_SECRET WRIT=URL node conformance/make-clients.ts FOLDER');
}

const { issuer } = await read('metadata', `${WRIT}/.well-known/oauth-authorization-server`);
const { access_token: token } = await read('a token for root', `${WRIT}/oauth/token`, {
  method: 'POST',
  headers: { Authorization: `Basic ${btoa(ROOT)}` },
  body: new URLSearchParams({ grant_type: 'client_credentials', resource: `${String(issuer)}/api` }),
});
mkdirSync(folder, { recursive: true });
for (const authentication of ['private_key_jwt', 'mtls'] as const) {
  for (const constraint of ['dpop', 'mtls'] as const) {
    const name = `${authentication}-${constraint}`;
    const [one, two] = [
      await makeClient(name, authentication, constraint),
      await makeClient(name, authentication, constraint),
    ];
    const configuration = {
      alias: `writ-${name}`,
      description: `Writ: FAPI 2.0 client credentials, ${authentication} + ${constraint}`,
      server: { discoveryUrl: `${String(issuer)}/.well-known/oauth-authorization-server` },
      resource: { resourceUrl: `${String(issuer)}/api/self` },
      client: one.client,
      client2: two.client,
      mtls: one.mtls,
      mtls2: two.mtls,
    };
    const file = join(folder, `${name}.json`);
    writeFileSync(file, `${JSON.stringify(configuration, undefined, 2)}\n`, { mode: 0o600 });
    process.stdout.write(`${file}\n`);
  }
}

async function makeClient(
  name: string,
  authentication: 'private_key_jwt' | 'mtls',
  senderConstraint: 'dpop' | 'mtls',
): Promise<SuiteClient> {
  // With an EC key, the suite leaves out the module about RS256.
  const { publicKey, privateKey } = await generateKeyPair('PS256', { extractable: true });
  const { cert, key } = await selfSigned({ subject: `CN=${name}` });
  const credential =
    authentication === 'mtls'
      ? { type: 'certificate', certificate: cert }
      : { type: 'public_key', publicKey: { ...(await exportJWK(publicKey)), alg: 'PS256' } };
  const { clientId } = await read('an account', `${API}/api/service-accounts`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${String(token)}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({
      name: `Conformance ${name} ${randomUUID()}`,
      permissions: [SCOPE],
      // The suite sends no resource.
      audience: `${String(issuer)}/api`,
      senderConstraint,
      credentials: [credential],
    }),
  });
  const jwk = { ...(await exportJWK(privateKey)), alg: 'PS256', use: 'sig' };
  return {
    client: { client_id: clientId, scope: SCOPE, jwks: { keys: [jwk] }, dpop_signing_alg: 'PS256' },
    mtls: { cert, key },
  };
}

/** @throws Error with the answer when it is not what is wanted */
async function read(wanted: string, url: string, init?: RequestInit): Promise<Record<string, unknown>> {
  const response = await fetch(url, init);
  const text = await response.text();
  if (!response.ok) throw new Error(`${wanted}: ${url} answered ${response.status} ${text}`);
  const answer: unknown = JSON.parse(text);
  if (typeof answer !== 'object' || answer === null) throw new Error(`${wanted}: ${url} answered no object`);
  return { ...answer };
}
