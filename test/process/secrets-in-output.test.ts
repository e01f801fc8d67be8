import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import pg from 'pg';
import { assertion, clientKey } from '../support/assertions.ts';
import { postgres18 } from '../support/databases.ts';
import { startServerProcess, tokenFrom, workFolder } from '../support/server-process.ts';

const SECRET = 'CANARY-bootstrap-secret-0123456789-0123456789';
const KEY_ENCRYPTION_KEY = Buffer.alloc(32, 'CANARY').toString('base64');

describe('the output of a process', () => {
  test('G-18 F-09 shows no secret at the most verbose level, with the output of every library', async () => {
    const folder = workFolder();
    const database = await postgres18.create({ empty: true });
    const admin = new pg.Client(database.url);
    await admin.connect();
    await admin.query(`create role writ_canary superuser login password 'CANARY-password'`);
    const server = await startServerProcess(folder.path, {
      DATABASE_URL: database.url.replace('postgres:postgres@', 'writ_canary:CANARY-password@'),
      LOG_LEVEL: 'trace',
      DEBUG: '*',
      WRIT_KEY_ENCRYPTION_KEY: KEY_ENCRYPTION_KEY,
      WRIT_BOOTSTRAP_CLIENT_ID: 'root',
      WRIT_BOOTSTRAP_CLIENT_SECRET: SECRET,
    });
    try {
      await server.ready();
      const { token } = await tokenFrom(server.url, { clientId: 'root', clientSecret: SECRET });
      assert.notEqual(token, '');
      const key = clientKey('ES256');
      const compact = assertion(key, 'root', server.url);
      const form = { grant_type: 'client_credentials', client_id: 'root', client_secret: 'CANARY-wrong' };
      await fetch(`${server.url}/oauth/token`, { method: 'POST', body: new URLSearchParams(form) });
      await fetch(`${server.url}/oauth/token?client_secret=CANARY-query`, { method: 'POST' });
      await fetch(`${server.url}/oauth/token`, {
        method: 'POST',
        body: new URLSearchParams({
          grant_type: 'client_credentials',
          client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
          client_assertion: compact,
        }),
      });
      const made = await fetch(`${server.url}/api/service-accounts`, {
        method: 'POST',
        headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
        body: JSON.stringify({ name: 'Made' }),
      });
      const { clientSecret } = (await made.json()) as { clientSecret: string };
      await fetch(`${server.url}/api/service-accounts`, {
        headers: { Authorization: 'Bearer CANARY-token', Cookie: 'CANARY-cookie' },
      });
      const commandLine = readFileSync(`/proc/${server.child.pid}/cmdline`, 'utf8');
      const metrics = await (await fetch(`${server.url}/metrics`)).text();
      assert.equal(await server.end(), 0);

      const output = [...server.stdout, ...server.stderr, commandLine, metrics].join('\n');
      assert.ok(server.stdout.length + server.stderr.length > 100, 'the libraries must have logged many lines');
      for (const secret of ['CANARY', clientSecret, token, compact.split('.')[2] ?? '', KEY_ENCRYPTION_KEY]) {
        const found = output.indexOf(secret);
        assert.equal(found, -1, output.slice(Math.max(0, found - 200), found + 50));
      }
    } finally {
      server.child.kill('SIGKILL');
      await admin.query('drop owned by writ_canary cascade');
      await admin.query('drop role writ_canary');
      await admin.end();
      await database.drop();
      folder.remove();
    }
  });

  test('F-09 shows no secret when a start fails, whatever the cause is', async () => {
    const folder = workFolder();
    const database = await postgres18.create();
    const environment = { DATABASE_URL: database.url, WRIT_KEY_ENCRYPTION_KEY: KEY_ENCRYPTION_KEY };
    const privateJwk = JSON.stringify({ ...clientKey('ES256').jwk, d: 'CANARY-private' });
    const faults: readonly [Record<string, string>, RegExp][] = [
      [{ DATABASE_URL: 'mysql://writ:CANARY-password@127.0.0.1/writ' }, /DATABASE_URL/],
      [{ DATABASE_URL: 'postgres://writ:CANARY password@127.0.0.1:port/writ' }, /DATABASE_URL/],
      [{ DATABASE_URL: database.url.replace('postgres:postgres@', 'writ:CANARY-password@') }, /authentication/],
      [{ DATABASE_URL: `${database.url}?password=CANARY-password` }, /authentication/],
      [{}, /cannot be decrypted with this key-encryption key/],
      [{ WRIT_KEY_ENCRYPTION_KEY: 'CANARY-too-short' }, /WRIT_KEY_ENCRYPTION_KEY/],
      [{ WRIT_BOOTSTRAP_CLIENT_SECRET: 'CANARY-too-short' }, /WRIT_BOOTSTRAP_CLIENT_SECRET/],
      [{ DATABASE_URL: 'pglite:memory', WRIT_BOOTSTRAP_PUBLIC_KEY: privateJwk }, /public key/],
      [{ WRIT_CLIENT_KEYS: 'CANARY short' }, /WRIT_CLIENT_KEYS/],
      [{ WRIT_CLIENT_KEY: 'CANARY-mistyped' }, /WRIT_CLIENT_KEY/],
    ];
    try {
      for (const [fault, expected] of faults) {
        const settings = { ...environment, LOG_LEVEL: 'trace', ...fault };
        const server = await startServerProcess(folder.path, settings);
        const code = await server.ended();
        const output = [...server.stdout, ...server.stderr].join('\n');
        assert.equal(code, 1, output);
        assert.match(output, expected);
        for (const secret of ['CANARY', KEY_ENCRYPTION_KEY]) assert.equal(output.includes(secret), false, output);
      }
    } finally {
      await database.drop();
      folder.remove();
    }
  });
});
