/**
 * Sends client certificates through nginx and HAProxy, in the configuration of docs/guide/mutual-tls.md. A proxy that is
 * not installed is named and left out (Debian: nginx-light, haproxy).
 */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { decodeJwt } from 'jose';
import type { Reply } from '../support/api-contract.ts';
import { selfSigned, SERVER_AUTH, type TestCertificate, testAuthority } from '../support/certificates.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { secureRequest } from '../support/secure-request.ts';
import { nginxArguments } from './nginx.ts';
import { startPeerServer } from './peer-server.ts';

const PAGE = readFileSync(resolve(import.meta.dirname, '../../docs/guide/mutual-tls.md'), 'utf8');

const authority = await testAuthority();
const server = await selfSigned({ subject: 'CN=localhost', purposes: [SERVER_AUTH] });
const pinned = await selfSigned({ subject: 'CN=pinned' });
const issued = await authority.issue({ names: [{ type: 'url', value: 'urn:client' }] });
const stranger = await selfSigned({ names: [{ type: 'url', value: 'urn:client' }] });

/** The lines of the page between two fences that have these words. */
function linesWith(words: string): string {
  const block = [...PAGE.matchAll(/```text\n([^`]*)```/g)]
    .map(([, text = '']) => text)
    .find((text) => text.includes(words));
  return block ?? assert.fail(`the page shows no ${words}`);
}

/** Writes the configuration of each proxy, and says how the proxy is started. */
const PROXIES: Readonly<Record<string, (folder: string, port: number, target: number) => readonly string[]>> = {
  nginx: (folder, port, target) =>
    nginxArguments(
      folder,
      `server {
    listen 127.0.0.1:${port} ssl;
    ssl_certificate ${folder}/server.pem;
    ssl_certificate_key ${folder}/server.pem;
    ${linesWith('ssl_client_escaped_cert')}
    location / { proxy_pass http://127.0.0.1:${target}; }
  }`,
    ),
  haproxy(folder, port, target) {
    const file = join(folder, 'haproxy.cfg');
    const lines = linesWith('ssl_c_der')
      .replace('bind :443', `bind 127.0.0.1:${port}`)
      .replace('/etc/haproxy/id.pem', join(folder, 'server.pem'))
      .replace('/etc/haproxy/clients.pem', join(folder, 'clients.pem'));
    writeFileSync(
      file,
      `defaults
    mode http
    timeout connect 1s
    timeout client 30s
    timeout server 30s
frontend id
${lines.replaceAll(/^/gm, '    ').trimEnd()}
    default_backend writ
backend writ
    option forwardfor
    server one 127.0.0.1:${target}
`,
    );
    return ['-f', file];
  },
};

const writ = await startPeerServer((folder) => {
  writeFileSync(join(folder, 'clients.pem'), authority.cert);
  writeFileSync(join(folder, 'server.pem'), `${server.cert}\n${server.key}`, { mode: 0o600 });
  return { WRIT_TRUSTED_PROXIES: '127.0.0.1,::1', WRIT_TLS_CLIENT_CA: join(folder, 'clients.pem') };
});
try {
  const account = async (name: string, credential: object): Promise<string> => {
    const { clientId } = await writ.api('POST', '/api/service-accounts', {
      name,
      permissions: [],
      audience: `${writ.issuer}/api`,
      senderConstraint: 'mtls',
      credentials: [{ type: 'certificate', ...credential }],
    });
    return clientId;
  };
  const byPin = await account('Pinned', { certificate: pinned.cert });
  const bySubject = await account('Issued', { sanUri: 'urn:client' });

  for (const [name, configure] of Object.entries(PROXIES)) {
    if (spawnSync(name, ['-v']).error !== undefined) {
      console.log(`skipped: ${name} is not installed`);
      continue;
    }
    const folder = writ.folder;
    const port = await freePort();
    const proxy = spawn(name, configure(folder, port, Number(new URL(writ.issuer).port)), { stdio: 'inherit' });
    const url = `https://localhost:${port}`;
    try {
      await eventually(10_000, () =>
        secureRequest(`${url}/health/ready`).then(
          ({ status }) => status === 200,
          () => false,
        ),
      );
      const ask = (clientId: string, certificate?: TestCertificate, forged?: TestCertificate): Promise<Reply> =>
        secureRequest(
          `${url}/oauth/token`,
          {
            method: 'POST',
            headers: forged === undefined ? {} : { 'Client-Cert': forged.header },
            body: new URLSearchParams({ grant_type: 'client_credentials', client_id: clientId }),
          },
          certificate,
        );
      const good = await ask(byPin, pinned);
      assert.equal(good.status, 200, good.text);
      const accessToken: string = good.json.access_token;
      assert.deepEqual(decodeJwt(accessToken)['cnf'], { 'x5t#S256': pinned.thumbprint });
      assert.equal((await ask(bySubject, issued)).status, 200);
      for (const [note, reply] of [
        ['no certificate', await ask(byPin)],
        ['the certificate of somebody else', await ask(byPin, issued)],
        ['a certificate that nobody has issued', await ask(bySubject, stranger)],
        ['a forged header', await ask(byPin, undefined, pinned)],
        ['a forged header beside a certificate', await ask(byPin, issued, pinned)],
      ] as const) {
        assert.equal(reply.status, 401, `${name}, ${note}: ${reply.text}`);
      }
      const use = (certificate?: TestCertificate): Promise<Reply> =>
        secureRequest(`${url}/api/self`, { headers: { Authorization: `Bearer ${accessToken}` } }, certificate);
      assert.deepEqual([(await use(pinned)).status, (await use()).status, (await use(issued)).status], [200, 401, 401]);
      console.log(`${name}: client certificates arrive, and forged ones do not`);
    } finally {
      proxy.kill();
    }
  }
} finally {
  await writ.close();
}
