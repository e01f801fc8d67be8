import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { printedRoot, startServerProcess, tokenFrom, workFolder } from '../support/server-process.ts';

const project = join(import.meta.dirname, '../..');

test('G-22 an install without development packages and without install scripts starts and issues a token', async () => {
  const folder = workFolder();
  for (const path of ['package.json', 'package-lock.json', '.npmrc', 'src', 'migrations']) {
    cpSync(join(project, path), join(folder.path, path), { recursive: true });
  }
  execFileSync('npm', ['ci', '--omit=dev', '--ignore-scripts'], { cwd: folder.path, stdio: 'ignore' });
  assert.equal(existsSync(join(folder.path, 'node_modules/typescript')), false);
  const server = await startServerProcess(folder.path, {}, [], { main: join(folder.path, 'src/main.ts') });
  await server.ready();
  await fetch(`${server.url}/health/ready`);
  const { clientId, clientSecret } = printedRoot(server);
  assert.equal((await tokenFrom(server.url, { clientId, clientSecret })).status, 200);
  assert.equal(await server.end(), 0);
  folder.remove();
});
