import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import { decodeJwt } from 'jose';
import { assertShows, blocksOf, follow, lastJson, readPage, stepsOf } from '../support/document.ts';
import { printedRoot, type ServerProcess, startServerProcess, workFolder } from '../support/server-process.ts';

const GUIDE = [
  'concepts',
  'accounts',
  'credentials',
  'permissions',
  'companies',
  'federation',
  'impersonation',
  'dpop',
  'mutual-tls',
].map((name) => `docs/guide/${name}.md`);
/** The pages whose commands need nothing but a running server and its root account. */
const PAGES = [
  ...GUIDE,
  'docs/stop-a-token.md',
  'docs/operate/audit.md',
  'docs/troubleshooting.md',
  'docs/operate/signing-keys.md',
];

const hasTools = ['curl', 'openssl'].every((tool) => {
  try {
    execFileSync(tool, ['version'], { stdio: 'ignore' });
    return true;
  } catch (error) {
    // The tool is installed, and does not know this argument.
    return !(error instanceof Error && 'code' in error && error.code === 'ENOENT');
  }
});
const skip = !hasTools && 'needs curl and openssl';

describe('the pages that a reader follows', { skip }, () => {
  // One server for all pages, as a reader has it: no page may spoil another one.
  const folder = workFolder();
  const [start, ...steps] = stepsOf(readPage('README.md'));
  let server: ServerProcess;
  let url: string;
  before(async () => {
    server = await startServerProcess(folder.path);
    await server.ready();
    await fetch(`${server.url}/health/ready`);
    url = server.url.replace('127.0.0.1', 'localhost');
  });
  after(async () => {
    assert.equal(await server.end(), 0);
    folder.remove();
  });

  test('the README begins with a start, and its commands work as pasted, in their order', async () => {
    // The other tests start Writ in this way, in a clean clone.
    assert.equal(start?.commands.text, 'npm ci && npm start\n');
    const printed = server.stdout.filter((line) => /^(?:ROOT=|CLIENT=|curl )/.test(line));
    assert.equal(printed.length, 3);
    const pasted = { commands: { language: 'sh', text: printed.join('\n'), line: 0 }, shown: start.shown };
    const [answer = ''] = await follow([pasted, ...steps], { opening: '', folder: folder.path, url });
    const payload = decodeJwt(String((lastJson(answer) as { access_token: unknown }).access_token));
    const [, shown] = blocksOf(readPage('README.md')).filter(({ language }) => language === 'json');
    assertShows(JSON.parse((shown?.text ?? '').replaceAll('http://localhost:3000', url)), payload, 'the payload');
  });

  for (const page of PAGES) {
    test(`the commands of ${page} work as pasted, in their order`, async () => {
      const { clientId, clientSecret } = printedRoot(server);
      const opening = `ROOT='${clientId}:${clientSecret}'`;
      await follow(stepsOf(readPage(page)), { opening, folder: folder.path, url });
    });
  }
});

test('the pages of the guide open a shell in the same way', () => {
  const [first, ...others] = GUIDE.map((page) => stepsOf(readPage(page))[0]?.commands.text);
  for (const other of others) assert.equal(other, first);
});

test('the README has at most 150 lines, and every command stands in a fenced block', () => {
  assert.ok(readPage('README.md').trimEnd().split('\n').length <= 150);
  for (const page of ['README.md', ...PAGES]) {
    const text = readPage(page).replaceAll(/^```.*?^```$/gms, '');
    assert.doesNotMatch(text, /^ {4}(?:curl|npm|node|[A-Z_]+=)/m, page);
    for (const { language } of blocksOf(readPage(page))) assert.match(language, /^(?:sh|json|text|yaml|js)$/, page);
  }
});
