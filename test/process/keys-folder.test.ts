import assert from 'node:assert/strict';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import pg from 'pg';
import { canBecome } from '../support/can-become.ts';
import { TEST_ENVIRONMENT } from '../support/config.ts';
import { embedded, postgres18 } from '../support/databases.ts';
import { type ServerProcess, startServerProcess, workFolder } from '../support/server-process.ts';

const KEY = Buffer.alloc(32, 7).toString('base64');
const { WRIT_KEY_ENCRYPTION_KEY: _, ...WITHOUT_KEY } = TEST_ENVIRONMENT;

/** The Node.js options that make calls on the key file fail, as on a file system without these calls. */
function without(...calls: readonly ('chmodSync' | 'linkSync')[]): string {
  const patches = calls.map(
    (call) => `const ${call} = fs.${call}; fs.${call} = (path, ...others) => {
      if (String(path).includes('key-encryption-key')) throw Object.assign(new Error('EPERM'), { code: 'EPERM' });
      return ${call}(path, ...others);
    };`,
  );
  const module = `import fs from 'node:fs'; import { syncBuiltinESMExports } from 'node:module'; ${patches.join(' ')} syncBuiltinESMExports();`;
  return `--import=data:text/javascript,${encodeURIComponent(module)}`;
}

async function start(
  environment: Record<string, string>,
  work: (server: ServerProcess) => Promise<void>,
): Promise<void> {
  const folder = workFolder();
  try {
    await work(await startServerProcess(folder.path, { ...WITHOUT_KEY, ...environment }));
  } finally {
    folder.remove();
  }
}

const ended = async (server: ServerProcess): Promise<string> => {
  const serving = server.ready().then(
    () => server.end(),
    () => server.ended(),
  );
  assert.equal(await serving, 1, server.stdout.join('\n'));
  return server.stderr.join('\n');
};

describe('the keys folder', () => {
  const keys = (mode: number, content = KEY): { folder: string; file: string } => {
    const folder = join(workFolder().path, 'keys');
    mkdirSync(folder);
    const file = join(folder, 'key-encryption-key');
    writeFileSync(file, content);
    chmodSync(file, mode);
    return { folder, file };
  };

  test('is accepted with open modes, and with a warning, if modes cannot be set', async () => {
    for (const mode of [0o444, 0o777]) {
      const database = await postgres18.create();
      const { folder, file } = keys(mode);
      const environment = { DATABASE_URL: database.url, WRIT_KEYS_DIR: folder, NODE_OPTIONS: without('chmodSync') };
      await start(environment, async (server) => {
        await server.ready();
        const line = server.stdout.find((one) => one.includes('key_file.open_to_others'));
        assert.match(
          String(line),
          new RegExp(`mode 0${mode.toString(8)}\\), which cannot be changed here.*defaultMode`),
        );
        assert.equal(JSON.parse(String(line)).level, 'warn');
        assert.equal(await server.end(), 0);
      });
      assert.equal(statSync(file).mode & 0o777, mode);
      await database.drop();
    }
  });

  test('G-20 is refused with open modes if modes can be set, with a message that names defaultMode', async () => {
    for (const mode of [0o444, 0o660]) {
      const database = await postgres18.create();
      const { folder, file } = keys(mode);
      await start({ DATABASE_URL: database.url, WRIT_KEYS_DIR: folder }, async (server) => {
        assert.match(await ended(server), /may be read or changed by others: chmod 600 it \(.*defaultMode/);
      });
      assert.equal(statSync(file).mode & 0o777, mode);
      await database.drop();
    }
  });

  test('is accepted if its group may read it', async () => {
    for (const mode of [0o400, 0o440]) {
      const database = await postgres18.create();
      await start({ DATABASE_URL: database.url, WRIT_KEYS_DIR: keys(mode).folder }, async (server) => {
        await server.ready();
        assert.equal(
          server.stdout.some((line) => line.includes('key_file.open_to_others')),
          false,
        );
        assert.equal(await server.end(), 0);
      });
      await database.drop();
    }
  });

  test('keeps a new key on a file system without hard links and modes', async () => {
    for (const calls of [['linkSync'], ['linkSync', 'chmodSync']] as const) {
      const database = await postgres18.create({ empty: true });
      const { path: folder } = workFolder();
      const environment = { DATABASE_URL: database.url, WRIT_KEYS_DIR: folder, NODE_OPTIONS: without(...calls) };
      for (const round of ['first', 'second']) {
        await start(environment, async (server) => {
          await server.ready();
          assert.equal(await server.end(), 0, round);
        });
      }
      assert.deepEqual(readdirSync(folder), ['key-encryption-key']);
      assert.equal(Buffer.from(readFileSync(join(folder, 'key-encryption-key'), 'utf8'), 'base64').length, 32);
      await database.drop();
    }
  });

  test('stops the start if it cannot be written, and the message says what to do', async () => {
    const database = await postgres18.create({ empty: true });
    for (const folder of [keys(0o600).file, join(keys(0o600).file, 'below')]) {
      await start({ DATABASE_URL: database.url, WRIT_KEYS_DIR: folder }, async (server) => {
        const said = await ended(server);
        assert.match(said, /(?:can be kept at|cannot be read).*\((?:EEXIST|ENOTDIR)\)/);
        assert.match(said, /WRIT_KEY_ENCRYPTION_KEY/);
        assert.equal(said.split('\n').length, 1, said);
      });
    }
    const { path: dangling } = workFolder();
    symlinkSync(join(dangling, 'nowhere'), join(dangling, 'key-encryption-key'));
    await start({ DATABASE_URL: database.url, WRIT_KEYS_DIR: dangling }, async (server) => {
      assert.match(await ended(server), /key-encryption-key is a link to a missing file/);
    });
    await database.drop();
  });

  test('ends the first start in production if it cannot be written, and no account is registered', async () => {
    const database = await postgres18.create({ empty: true });
    const environment = {
      NODE_ENV: 'production',
      WRIT_ISSUER: 'https://id.example',
      DATABASE_URL: database.url,
      WRIT_KEY_ENCRYPTION_KEY: KEY,
      WRIT_KEYS_DIR: keys(0o600).file,
      WRIT_BOOTSTRAP_CLIENT_SECRET: '',
    };
    const client = new pg.Client(database.url);
    await client.connect();
    const accounts = async (): Promise<number> => (await client.query('select from service_accounts')).rowCount ?? 0;
    await start(environment, async (server) => {
      const said = await ended(server);
      assert.match(said, /root\.json \((?:EEXIST|ENOTDIR)\), so no account was made/);
      assert.match(said, /WRIT_KEYS_DIR.*WRIT_BOOTSTRAP_CLIENT_SECRET/);
    });
    assert.equal(await accounts(), 0);
    const { rowCount } = await client.query("select from audit_events where action = 'service_account.created'");
    assert.equal(rowCount, 0);
    const chosen = { ...environment, WRIT_BOOTSTRAP_CLIENT_SECRET: TEST_ENVIRONMENT.WRIT_BOOTSTRAP_CLIENT_SECRET };
    await start(chosen, async (server) => {
      await server.ready();
      assert.equal(await server.end(), 0);
    });
    assert.equal(await accounts(), 1);
    await client.end();
    await database.drop();
  });

  test(
    'is accepted from a user that may read it and change nothing in it',
    {
      skip: canBecome(12_345) ? false : 'needs root, and a clone that every user may read',
    },
    async () => {
      const database = await postgres18.create();
      const folder = mkdtempSync(join(tmpdir(), 'writ-keys-'));
      writeFileSync(join(folder, 'key-encryption-key'), KEY, { mode: 0o444 });
      chmodSync(folder, 0o755);
      const server = await startServerProcess(
        '/',
        { ...WITHOUT_KEY, DATABASE_URL: database.url, WRIT_KEYS_DIR: folder },
        [],
        { uid: 12_345, gid: 0 },
      );
      await server.ready();
      assert.ok(server.stdout.some((line) => line.includes('key_file.open_to_others')));
      assert.equal(await server.end(), 0);
      rmSync(folder, { recursive: true });
      await database.drop();
    },
  );
});

describe('the data folder', () => {
  test('has no file that others may read', async () => {
    const database = await embedded.create();
    const folder = database.url.slice('pglite:'.length);
    // An earlier release creates the file with this mode.
    writeFileSync(join(folder, 'lock.sqlite'), '', { mode: 0o644 });
    chmodSync(join(folder, 'lock.sqlite'), 0o644);
    await start({ ...TEST_ENVIRONMENT, DATABASE_URL: database.url }, async (server) => {
      await server.ready();
      for (const name of ['lock.sqlite', 'owner.json', 'pglite']) {
        assert.equal(statSync(join(folder, name)).mode & 0o077, 0, name);
      }
      assert.equal(await server.end(), 0);
    });
    const fresh = join(workFolder().path, 'fresh');
    await start({ ...TEST_ENVIRONMENT, DATABASE_URL: `pglite:${fresh}` }, async (server) => {
      await server.ready();
      assert.equal(statSync(join(fresh, 'lock.sqlite')).mode & 0o777, 0o600);
      assert.equal(await server.end(), 0);
    });
    await database.drop();
  });
});
