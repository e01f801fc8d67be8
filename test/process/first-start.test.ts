import assert from 'node:assert/strict';
import { execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { TEST_ENVIRONMENT } from '../support/config.ts';
import { embedded, postgres18 } from '../support/databases.ts';
import { freePort } from '../support/free-port.ts';
import {
  printedRoot,
  startServerProcess,
  type ServerProcess,
  tokenFrom,
  workFolder,
} from '../support/server-process.ts';

const run = promisify(execFile);
const hasCurl = (() => {
  try {
    execFileSync('curl', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();

function isLogLine(line: string): boolean {
  try {
    return typeof JSON.parse(line).event === 'string';
  } catch {
    return false;
  }
}

describe('a first start in an empty folder', () => {
  const folder = workFolder();
  let server: ServerProcess;
  before(async () => {
    server = await startServerProcess(folder.path);
    await server.ready();
    await fetch(`${server.url}/health/ready`);
  });
  after(async () => {
    await server.end();
    folder.remove();
  });

  test(
    'prints an id and a secret, and three commands that work as pasted',
    { skip: !hasCurl && 'needs curl' },
    async () => {
      const commands = server.stdout.filter((line) => /^(?:ROOT=|CLIENT=|curl )/.test(line));
      assert.equal(commands.length, 3);
      const { stdout } = await run('bash', ['-euc', commands.join('\n')]);
      const [client, token] = stdout.split(/\n(?=\{)/).map((line) => JSON.parse(line));
      assert.equal(client.name, 'My first client');
      assert.equal(token.token_type, 'Bearer');
      assert.equal(token.scope, 'orders:read');
    },
  );

  test('N-21 N-25 N-24 writes only log lines beside its banner, and no notices of its library', () => {
    const banner = server.stdout.slice(
      server.stdout.findIndex((line) => line.startsWith('Writ has made its first')),
      server.stdout.findLastIndex((line) => line.startsWith('curl ')) + 1,
    );
    const rest = server.stdout.filter((line) => line !== '' && !banner.includes(line));
    assert.deepEqual(
      rest.filter((line) => !isLogLine(line)),
      [],
    );
    assert.deepEqual(server.stderr, []);
    const notices = rest.map((line) => JSON.parse(line)).filter(({ event }) => String(event).startsWith('library.'));
    // Node.js 26 is not an LTS release yet, which the library notices. It must find no other fault in its setup.
    assert.deepEqual(
      notices.filter(({ msg }) => !String(msg).includes('Unsupported runtime')),
      [],
    );
  });

  test('N-24 logs no notice about a body that was read before the library saw it', async () => {
    const { clientId, clientSecret } = printedRoot(server);
    const lines = server.stdout.length;
    assert.equal((await tokenFrom(server.url, { clientId, clientSecret })).status, 200);
    assert.deepEqual(server.stdout.slice(lines), []);
    assert.deepEqual(server.stderr, []);
  });

  test('G-20 lets no other user read its data and its key-encryption key', () => {
    const mode = (path: string): number => statSync(join(folder.path, path)).mode & 0o777;
    assert.equal(mode('data'), 0o700);
    assert.equal(mode('data/pglite'), 0o700);
    assert.equal(mode('data/owner.json'), 0o600);
    assert.equal(mode('keys/key-encryption-key'), 0o600);
  });

  test('a second start keeps everything and prints no secret', async () => {
    const root = printedRoot(server);
    const keys = await (await fetch(`${server.url}/.well-known/jwks.json`)).text();
    assert.equal(await server.end(), 0);
    server = await startServerProcess(folder.path);
    await server.ready();
    assert.deepEqual(
      server.stdout.filter((line) => line !== '' && !isLogLine(line)),
      [],
    );
    assert.equal(server.stdout.join('').includes(root.clientSecret), false);
    assert.equal(await (await fetch(`${server.url}/.well-known/jwks.json`)).text(), keys);
    assert.equal((await tokenFrom(server.url, root)).status, 200);
  });

  test('npm run root -- recover makes no database where there is none', async () => {
    const empty = workFolder();
    const recovery = await startServerProcess(empty.path, {}, ['root', 'recover']);
    assert.equal(await recovery.ended(), 1);
    assert.match(
      recovery.stderr.join('\n'),
      /^There is no database at .+\/data: run the command with the settings of the server, above all DATABASE_URL/,
    );
    assert.deepEqual(readdirSync(empty.path), []);
    empty.remove();
  });

  test('a second server at the same port is told which settings to change', async () => {
    const empty = workFolder();
    const second = await startServerProcess(empty.path, { PORT: new URL(server.url).port });
    assert.equal(await second.ended(), 1);
    assert.match(second.stderr.join('\n'), /^Another process listens at 127\.0\.0\.1:\d+: stop it, or set PORT or /);
    empty.remove();
  });

  test('npm run root -- recover gives a lost root account one more secret, and the first secret stays valid', async () => {
    const root = printedRoot(server);
    assert.equal(await server.end(), 0);
    const recovery = await startServerProcess(folder.path, {}, ['root', 'recover']);
    assert.equal(await recovery.ended(), 0, recovery.stderr.join('\n'));
    const { clientId, clientSecret } = JSON.parse(recovery.stdout.filter((line) => !isLogLine(line)).join('\n'));
    const audit = recovery.stdout.filter(isLogLine).map((line) => JSON.parse(line));
    assert.deepEqual(audit.find(({ event }) => event === 'credential.created')?.actor, {
      type: 'server',
      command: 'root recover',
    });
    server = await startServerProcess(folder.path);
    await server.ready();
    for (const secret of [clientSecret, ...(root.clientSecret === '' ? [] : [root.clientSecret])]) {
      assert.equal((await tokenFrom(server.url, { clientId, clientSecret: secret })).status, 200);
    }
  });

  test('G-20 a later start refuses a key-encryption key that others may read', async () => {
    assert.equal(await server.end(), 0);
    await run('chmod', ['644', join(folder.path, 'keys/key-encryption-key')]);
    const refused = await startServerProcess(folder.path);
    assert.equal(await refused.ended(), 1);
    assert.match(refused.stderr.join('\n'), /key-encryption-key may be read or changed by others: chmod 600 it/);
    await run('chmod', ['600', join(folder.path, 'keys/key-encryption-key')]);
  });
});

describe('npm start', () => {
  test('ends with 0 on a signal to npm, and to npm and the server, and leaves no orphan', async () => {
    for (const target of ['npm', 'group'] as const) {
      const database = await embedded.create();
      const port = String(await freePort());
      const npm = spawn('npm', ['start', '--prefix', resolve(import.meta.dirname, '../..')], {
        env: {
          ...process.env,
          ...TEST_ENVIRONMENT,
          WRIT_DRAIN: '0',
          PORT: port,
          DATABASE_URL: database.url,
        },
        stdio: ['ignore', 'pipe', 'inherit'],
        detached: true,
      });
      await new Promise<void>((ready) => {
        npm.stdout.on('data', (chunk: Buffer) => {
          if (chunk.toString().includes('server.ready')) ready();
        });
      });
      const pid = Number(npm.pid);
      process.kill(target === 'npm' ? pid : -pid, 'SIGTERM');
      const [code] = (await once(npm, 'close')) as [number];
      assert.equal(code, 0, target);
      await assert.rejects(fetch(`http://127.0.0.1:${port}/health/live`));
      assert.throws(() => process.kill(-pid, 0), { code: 'ESRCH' });
      await database.drop();
    }
  });
});

describe('a production start', () => {
  const folder = workFolder();
  after(() => folder.remove());

  test('E-18 writes the first secret to root.json with mode 0600, and does not print it', async () => {
    const database = await postgres18.create({ empty: true });
    const server = await startServerProcess(folder.path, {
      NODE_ENV: 'production',
      WRIT_ISSUER: 'https://id.example',
      WRIT_KEY_ENCRYPTION_KEY: TEST_ENVIRONMENT.WRIT_KEY_ENCRYPTION_KEY,
      DATABASE_URL: database.url,
    });
    await server.ready();
    const file = join(folder.path, 'keys/root.json');
    assert.equal(statSync(file).mode & 0o777, 0o600);
    const { clientId, clientSecret, issuer } = JSON.parse((await run('cat', [file])).stdout);
    assert.equal(issuer, 'https://id.example');
    assert.deepEqual(
      server.stdout.filter((line) => !isLogLine(line)),
      [],
    );
    assert.equal(server.stdout.join('').includes(clientSecret), false);
    assert.equal((await tokenFrom(server.url, { clientId, clientSecret })).status, 200);
    assert.equal(await server.end(), 0);
    await database.drop();
  });

  test('F-06 B-17 G-21 ends at once with every problem when its settings are wrong', async () => {
    const server = await startServerProcess(folder.path, {
      NODE_ENV: 'production',
      WRIT_ISSUER: 'http://id.example',
      WRIT_TOKEN_TTL: '0',
      WRIT_ISUER: 'x',
    });
    assert.equal(await server.ended(), 1);
    const message = server.stderr.join('\n');
    for (const problem of ['WRIT_ISSUER must be an https URL', 'WRIT_TOKEN_TTL must', 'WRIT_ISUER is not']) {
      assert.match(message, new RegExp(problem));
    }
  });
});
