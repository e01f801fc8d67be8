import assert from 'node:assert/strict';
import { once } from 'node:events';
import { renameSync, writeFileSync } from 'node:fs';
import { connect as connectPlain } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { connect, type ConnectionOptions, getCiphers, type TLSSocket } from 'node:tls';
import { assertUsable } from '../../src/http/tls-options.ts';
import { openTlsFiles, TlsFileError } from '../../src/start/tls-files.ts';
import { selfSigned, SERVER_AUTH, type TestCertificate, testAuthority } from '../support/certificates.ts';
import { quietSurroundings, testConfig } from '../support/config.ts';
import { eventually } from '../support/eventually.ts';
import { secureRequest } from '../support/secure-request.ts';
import { type ServerProcess, startServerProcess, workFolder } from '../support/server-process.ts';

const folder = workFolder();
const server = await selfSigned({ subject: 'CN=first', purposes: [SERVER_AUTH] });
const next = await selfSigned({ subject: 'CN=next', purposes: [SERVER_AUTH] });
const client = await selfSigned({ subject: 'CN=client' });
const file = (name: string): string => join(folder.path, name);
const CERT = file('server.pem');
const KEY = file('server-key.pem');
const SETTINGS = { WRIT_TLS_CERT: CERT, WRIT_TLS_KEY: KEY, DATABASE_URL: 'pglite:memory' };

/** Puts a file in the place of another one at once. */
function put(path: string, content: string): void {
  writeFileSync(`${path}.new`, content, { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

after(() => folder.remove());

describe('a server that ends TLS itself', () => {
  let running: ServerProcess;
  before(async () => {
    put(CERT, server.cert);
    put(KEY, server.key);
    running = await startServerProcess(folder.path, SETTINGS);
    await running.ready();
  });
  after(() => running.end());

  const port = (): number => Number(new URL(running.url).port);
  const url = (path: string): string => `https://localhost:${port()}${path}`;

  /** Shakes hands. @returns the protocol and the cipher, or the code of the error */
  async function shake(options: ConnectionOptions): Promise<string> {
    const socket: TLSSocket = connect({ host: '127.0.0.1', port: port(), rejectUnauthorized: false, ...options });
    try {
      await once(socket, 'secureConnect');
      return `${socket.getProtocol()} ${socket.getCipher().standardName}`;
    } catch (error) {
      assert.ok(error instanceof Error && 'code' in error);
      return String(error.code);
    } finally {
      socket.destroy();
    }
  }
  const subject = async (): Promise<string> => {
    const socket = connect({ host: '127.0.0.1', port: port(), rejectUnauthorized: false });
    await once(socket, 'secureConnect');
    const { CN } = socket.getPeerCertificate().subject;
    socket.destroy();
    return String(CN);
  };

  test('serves, announces itself, and asks for certificates without demanding one', async () => {
    const { status, json } = await secureRequest(url('/.well-known/oauth-authorization-server'));
    assert.deepEqual([status, json.issuer], [200, `https://localhost:${port()}`]);
    // Without authorities, no subject means anything.
    assert.deepEqual(json.token_endpoint_auth_methods_supported.slice(-2), [
      'client_secret_post',
      'self_signed_tls_client_auth',
    ]);
    const presented = await secureRequest(url('/health/ready'), {}, client);
    assert.equal(presented.status, 200);
    const check = await startServerProcess(folder.path, { ...SETTINGS, PORT: String(port()) }, ['health']);
    assert.equal(await check.ended(), 0, check.stderr.join('\n'));
    const banner = running.stdout.join('\n');
    assert.match(banner, new RegExp(`curl -sS https://localhost:${port()}/oauth/token`));
  });

  test('takes TLS 1.3, and TLS 1.2 with ECDHE and AES-GCM, and nothing else', async () => {
    const ec = 'TLS_ECDHE_ECDSA_WITH_AES';
    const taken: string[] = [];
    for (const cipher of getCiphers().filter((name) => !name.startsWith('tls_'))) {
      const outcome = await shake({
        ciphers: `${cipher.toUpperCase()}:@SECLEVEL=0`,
        minVersion: 'TLSv1.2',
        maxVersion: 'TLSv1.2',
      }).catch(() => 'unknown here');
      if (outcome.startsWith('TLSv1')) taken.push(outcome);
    }
    // The key of this server is an EC key. The same suites with RSA belong to a server with an RSA key.
    assert.deepEqual(new Set(taken), new Set([`TLSv1.2 ${ec}_128_GCM_SHA256`, `TLSv1.2 ${ec}_256_GCM_SHA384`]));
    assert.match(await shake({}), /^TLSv1\.3 TLS_AES_256_GCM_SHA384$/);
    for (const version of ['TLSv1', 'TLSv1.1'] as const) {
      const outcome = await shake({ minVersion: version, maxVersion: version, ciphers: 'ALL:@SECLEVEL=0' });
      assert.match(outcome, /^(?:ERR_SSL|ECONNRESET)/, version);
    }
  });

  test('does not begin another handshake on a connection', async () => {
    const socket = connect({ host: '127.0.0.1', port: port(), rejectUnauthorized: false, maxVersion: 'TLSv1.2' });
    await once(socket, 'secureConnect');
    const refused = Promise.withResolvers<unknown>();
    socket.on('error', refused.resolve);
    socket.on('close', refused.resolve);
    socket.renegotiate({}, (error) => refused.resolve(error));
    assert.ok((await refused.promise) !== null, 'the handshake was taken');
    socket.destroy();
  });

  test('lives on after clients that do not speak TLS, or stop in the middle', async () => {
    const plain = connectPlain(port(), '127.0.0.1');
    plain.end('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
    plain.on('error', () => undefined);
    await once(plain, 'close');
    const half = connectPlain(port(), '127.0.0.1');
    half.write(Buffer.from('160301', 'hex'));
    await once(half, 'connect');
    half.destroy();
    assert.equal((await secureRequest(url('/health/live'))).status, 200);
    const broken = connect({ host: '127.0.0.1', port: port(), rejectUnauthorized: false });
    await once(broken, 'secureConnect');
    broken.write('NONSENSE\r\n\r\n');
    const [answer] = await once(broken, 'data');
    assert.match(String(answer), /^HTTP\/1\.1 400 /);
    broken.destroy();
  });

  test('takes a renewed certificate while it runs, and keeps the old one until its key is there', async () => {
    const open = connect({ host: '127.0.0.1', port: port(), rejectUnauthorized: false });
    await once(open, 'secureConnect');
    assert.equal(await subject(), 'first');
    put(CERT, next.cert);
    await eventually(10_000, () => Promise.resolve(running.stdout.some((line) => line.includes('"tls.not_reloaded"'))));
    assert.equal(await subject(), 'first');
    // Half of a chain: the first certificate fits the key, and the server cannot use the file.
    put(KEY, next.key);
    put(CERT, `${next.cert}\n${server.cert.slice(0, 200)}`);
    await eventually(10_000, () => running.stdout.some((line) => line.includes('cannot be used: ')));
    assert.equal(await subject(), 'first');
    put(CERT, next.cert);
    await eventually(10_000, async () => (await subject()) === 'next');
    assert.ok(running.stdout.some((line) => line.includes('"tls.reloaded"')));
    // A connection from before goes on.
    open.write('GET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
    const [answer] = await once(open, 'data');
    assert.match(String(answer), /^HTTP\/1\.1 200 /);
    // The suites and the request for a certificate are the same as before.
    assert.match(
      await shake({ ciphers: 'ECDHE-ECDSA-CHACHA20-POLY1305', maxVersion: 'TLSv1.2' }),
      /^(?:ERR_SSL|ECONNRESET)/,
    );
    assert.equal((await secureRequest(url('/health/ready'), {}, client)).status, 200);
  });
});

describe('a start with TLS files that cannot be used', () => {
  test('ends with what is wrong', async () => {
    const authority: TestCertificate = await testAuthority();
    const constrained = await testAuthority({ extensions: { '2.5.29.30': '3000' } });
    for (const [note, cert, key, ca, words] of [
      ['no file', undefined, server.key, undefined, /missing\.pem cannot be read \(ENOENT\)/],
      ['no certificate', 'nonsense', server.key, undefined, /WRIT_TLS_CERT .* must be a certificate in PEM/],
      ['the key of another one', server.cert, next.key, undefined, /WRIT_TLS_KEY .* is not the key of WRIT_TLS_CERT/],
      ['no key', server.cert, server.cert, undefined, /its private key without a passphrase/],
      [
        'half a chain',
        `${server.cert}\n${next.cert.slice(0, 200)}`,
        server.key,
        undefined,
        /WRIT_TLS_CERT .* cannot be used: /,
      ],
      [
        'an authority with name constraints',
        server.cert,
        server.key,
        constrained.cert,
        /name constraints, which Writ does not check/,
      ],
      [
        'no authority',
        server.cert,
        server.key,
        client.cert,
        /WRIT_TLS_CLIENT_CA .* must hold certificates of authorities/,
      ],
      ['an empty file', server.cert, server.key, '', /WRIT_TLS_CLIENT_CA .* must hold certificates/],
      ['half an authority', server.cert, server.key, authority.cert.slice(0, -60), /WRIT_TLS_CLIENT_CA .* must hold/],
    ] as const) {
      const paths = { cert: file(cert === undefined ? 'missing.pem' : 'c.pem'), key: file('k.pem'), ca: file('a.pem') };
      if (cert !== undefined) put(paths.cert, cert);
      put(paths.key, key);
      if (ca !== undefined) put(paths.ca, ca);
      const settings = {
        WRIT_TLS_CERT: paths.cert,
        WRIT_TLS_KEY: paths.key,
        ...(ca !== undefined && { WRIT_TLS_CLIENT_CA: paths.ca }),
      };
      const error = failureOf(() => openTlsFiles(testConfig(settings), quietSurroundings(), assertUsable));
      assert.match(error, words, note);
      assert.doesNotMatch(error, /BEGIN/, note);
    }
    const lines: string[] = [];
    put(file('c.pem'), server.cert);
    writeFileSync(file('open.pem'), server.key, { mode: 0o644 });
    const open = testConfig({ WRIT_TLS_CERT: file('c.pem'), WRIT_TLS_KEY: file('open.pem') });
    openTlsFiles(open, quietSurroundings({ lines }), assertUsable).close();
    assert.match(lines.join(''), /"key_file\.open_to_others".*open\.pem may be read or changed by others/);
    const started = await startServerProcess(folder.path, { ...SETTINGS, WRIT_TLS_CERT: file('missing.pem') });
    assert.equal(await started.ended(), 1);
    assert.deepEqual(started.stderr, [`${file('missing.pem')} cannot be read (ENOENT)`]);
  });
});

function failureOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof TlsFileError) return error.message;
    throw error;
  }
  return assert.fail('nothing was refused');
}
