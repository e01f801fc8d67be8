/**
 * Generates clients from the OpenAPI document, compiles them, and lets each register an account at a server that this
 * program starts; promtool checks `/metrics`. The tools in generator-peers.ts and the registries of the languages are
 * needed: a missing tool is named and skipped. All generated files are deleted at the end.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { printedRoot, startServerProcess, tokenFrom } from '../support/server-process.ts';
import { GENERATOR_PEERS } from './generator-peers.ts';
import { missingTool, report, settle } from './peer.ts';

const folder = mkdtempSync(join(tmpdir(), 'writ-generated-'));
mkdirSync(join(folder, 'server'));
const server = await startServerProcess(join(folder, 'server'));
try {
  await server.ready();
  // The first start has printed its account before it answers.
  await fetch(`${server.url}/health/ready`);
  const { status, token } = await tokenFrom(server.url, printedRoot(server));
  if (status !== 200) throw new Error(`no token: ${status}`);
  const document = await fetch(`${server.url}/api/openapi.json`).then((reply) => reply.text());

  for (const [name, peer] of Object.entries(GENERATOR_PEERS)) {
    const missing = missingTool(peer.tools);
    if (missing !== undefined) {
      console.log(`${name}: skipped, ${missing} is not here`);
      continue;
    }
    const directory = join(folder, name);
    mkdirSync(directory);
    writeFileSync(join(directory, 'openapi.json'), document);
    try {
      const [command, ...words] = peer.prepare(directory);
      const { stdout, stderr } = spawnSync(command, words, {
        cwd: directory,
        env: { ...process.env, API: server.url, TOKEN: token, NAME: name },
        encoding: 'utf8',
      });
      report(name, stdout.trim() === `${name} 300 orders:read` ? undefined : `${stdout} ${stderr}`);
    } catch (error) {
      report(name, String(error));
    }
  }

  if (missingTool([['promtool', '--version']]) !== undefined) console.log('promtool: skipped, promtool is not here');
  else {
    await settle();
    const input = await fetch(`${server.url}/metrics`).then((reply) => reply.text());
    const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], { input, encoding: 'utf8' });
    report('promtool', status === 0 ? undefined : `${stdout} ${stderr}`);
  }
} finally {
  await server.end();
  rmSync(folder, { recursive: true, force: true });
}
