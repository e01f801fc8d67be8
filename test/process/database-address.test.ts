import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { createSecureContext, TLSSocket } from 'node:tls';
import { freePort } from '../support/free-port.ts';
import { selfSignedCertificate } from '../support/self-signed-certificate.ts';
import { startServerProcess, workFolder } from '../support/server-process.ts';

/** Starts a server that encrypts a connection as PostgreSQL does, and then refuses the password. */
async function tlsOnly(host: string): Promise<{ port: number; server: Server; cert: string }> {
  const { key, cert } = selfSignedCertificate(host);
  const secureContext = createSecureContext({ key: key.export({ type: 'pkcs8', format: 'pem' }), cert });
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => {
      socket.write('S');
      const secure = new TLSSocket(socket, { isServer: true, secureContext });
      secure.on('error', () => {});
      secure.once('data', () => {
        const fields = Buffer.from('SFATAL\0C28P01\0Mpassword authentication failed\0\0');
        const head = Buffer.from([0x45, 0, 0, 0, fields.length + 4]);
        secure.end(Buffer.concat([head, fields]));
      });
    });
  });
  const port = await freePort();
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return { port, server, cert };
}

describe('the address of the database', () => {
  const start = async (url: string): Promise<string> => {
    const folder = workFolder();
    const server = await startServerProcess(folder.path, { DATABASE_URL: url });
    assert.equal(await server.ended(), 1);
    folder.remove();
    return server.stderr.join('\n');
  };

  test('needs sslrootcert for a certificate that this machine does not trust, and the message says so', async () => {
    const { port, server, cert } = await tlsOnly('localhost');
    const folder = workFolder();
    const file = join(folder.path, 'ca.pem');
    writeFileSync(file, cert);
    try {
      for (const mode of ['require', 'prefer', 'verify-ca', 'verify-full']) {
        const said = await start(`postgres://u:p@localhost:${port}/db?sslmode=${mode}`);
        assert.match(said, /certificate of the database is not one that this machine trusts .*sslrootcert=/, mode);
        assert.equal(said.split('\n').length, 1, said);
      }
      const known = await start(`postgres://u:p@localhost:${port}/db?sslmode=require&sslrootcert=${file}`);
      assert.match(known, /password authentication failed/);
      const other = await start(`postgres://u:p@127.0.0.1:${port}/db?sslmode=require&sslrootcert=${file}`);
      assert.match(other, /certificate of the database is for another name/);
    } finally {
      server.close();
      folder.remove();
    }
  });

  test('needs no TLS where PostgreSQL offers none, and the message says so', async () => {
    const server = createServer((socket) => socket.on('error', () => {}).once('data', () => socket.end('N')));
    const port = await freePort();
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    const said = await start(`postgres://u:p@127.0.0.1:${port}/db?sslmode=require`);
    assert.match(said, /^The database takes no TLS connections, .* write sslmode=disable into the address$/);
    server.close();
  });

  test('is refused at the start with the characters to escape, and the message does not repeat it', async () => {
    const said = await start('postgres://u:hunter/2@localhost/db');
    assert.match(said, /DATABASE_URL must be .*\/ as %2F/);
    assert.doesNotMatch(said, /hunter/);
  });
});
