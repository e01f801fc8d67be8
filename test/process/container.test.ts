import assert from 'node:assert/strict';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { canBecome } from '../support/can-become.ts';
import { TEST_ENVIRONMENT } from '../support/config.ts';
import { embedded } from '../support/databases.ts';
import { freePort } from '../support/free-port.ts';
import { startServerProcess, workFolder } from '../support/server-process.ts';

const ROOT = join(import.meta.dirname, '../..');
const dockerfile = readFileSync(join(ROOT, 'Dockerfile'), 'utf8');

describe('the container image', () => {
  test('runs in production mode by default, with group 0 and a numeric user that is not root', () => {
    assert.match(dockerfile, /^ENV .*\bNODE_ENV=production$/m);
    assert.match(dockerfile, /chown -R node:0 \/writ && chmod -R 0?770 \/writ/);
    assert.match(dockerfile, /^USER [1-9]\d*:0$/m);
    assert.match(dockerfile, /^HEALTHCHECK .* CMD \["node", "\/app\/src\/main\.ts", "health"\]$/m);
  });

  test('names all missing settings when it gets none', async () => {
    const folder = workFolder();
    const server = await startServerProcess(folder.path, { NODE_ENV: 'production', HOST: '0.0.0.0' });
    assert.equal(await server.ended(), 1);
    assert.match(server.stderr.join('\n'), /WRIT_ISSUER must be an https URL.*\n.*DATABASE_URL must be set/);
    assert.equal(server.stdout.join(''), '');
    folder.remove();
  });

  test('is healthy only while the health endpoint answers, also at an internal address', async () => {
    for (const internal of [false, true]) {
      const database = await embedded.create();
      const folder = workFolder();
      const environment = {
        ...TEST_ENVIRONMENT,
        DATABASE_URL: database.url,
        PORT: String(await freePort()),
        ...(internal && { WRIT_INTERNAL_LISTEN: `127.0.0.1:${await freePort()}` }),
      };
      const check = async (): Promise<number | string> =>
        (await startServerProcess(folder.path, environment, ['health'])).ended();
      assert.equal(await check(), 1);
      const server = await startServerProcess(folder.path, environment);
      await server.ready();
      assert.equal(await check(), 0, `internal: ${internal}`);
      assert.equal(await server.end(), 0);
      assert.equal(await check(), 1);
      folder.remove();
      await database.drop();
    }
  });

  test(
    'starts under any uid with group 0',
    {
      skip: canBecome(12_345) ? false : 'needs root, and a clone that every user may read',
    },
    async () => {
      const folder = mkdtempSync(join(tmpdir(), 'writ-image-'));
      for (const path of [folder, join(folder, 'data'), join(folder, 'keys')]) {
        mkdirSync(path, { recursive: true });
        chownSync(path, 1000, 0);
        chmodSync(path, 0o770);
      }
      const environment = { NODE_ENV: 'production', WRIT_ISSUER: 'https://id.example', DATABASE_URL: 'pglite:./data' };
      for (const round of ['first', 'second']) {
        const server = await startServerProcess(folder, environment, [], { uid: 12_345, gid: 0 });
        await server.ready();
        assert.equal(await server.end(), 0, round);
      }
      assert.equal(statSync(join(folder, 'keys/root.json')).mode & 0o777, 0o600);
      assert.equal(statSync(join(folder, 'keys/root.json')).uid, 12_345);
      rmSync(folder, { recursive: true });
    },
  );
});
