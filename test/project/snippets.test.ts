import assert from 'node:assert/strict';
import { globSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { decodeJwt } from 'jose';
import { CLIENT_PEERS } from '../peers/client-peers.ts';
import { output } from '../peers/peer.ts';
import { UNRUN_PAGES } from '../peers/unrun-pages.ts';
import { VERIFIER_PEERS } from '../peers/verifier-peers.ts';
import { registerAccount } from '../support/accounts.ts';
import { clientKey, registerWithKeys } from '../support/assertions.ts';
import { newest, onEachDatabase } from '../support/databases.ts';
import { snippetOf, snippetsOf } from '../support/snippets.ts';
import { statusOf, untilListed } from '../support/status-lists.ts';
import { useTestApp } from '../support/test-app.ts';

const ROOT = join(import.meta.dirname, '../..');

describe('the pages with code of clients and APIs', () => {
  const pages = globSync('docs/{clients,verify}/*.md', { cwd: ROOT });
  const peers = { ...CLIENT_PEERS, ...VERIFIER_PEERS };

  test('have a program that runs them, or a reason why none does', () => {
    assert.ok(pages.length > 10, String(pages.length));
    assert.deepEqual(
      [...Object.keys(peers), ...Object.keys(UNRUN_PAGES)].toSorted(),
      pages.toSorted(),
      'each page once, and no page that does not exist',
    );
  });

  test('have named code if a program runs them, and none if not', () => {
    assert.deepEqual(
      pages.filter((page) => snippetsOf(page).length === 0).toSorted(),
      Object.keys(UNRUN_PAGES).toSorted(),
    );
  });
});

onEachDatabase(
  'the code of the pages for Node.js',
  (kind) => {
    const app = useTestApp(kind);
    let folder: string;

    before(() => {
      folder = mkdtempSync(join(tmpdir(), 'writ-snippets-'));
      symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
    });
    after(() => rmSync(folder, { recursive: true, force: true }));

    /** Runs a program that imports the code of a page from `page.mjs`. @returns the lines that it prints */
    async function run(page: string, name: string, main: string, env: Record<string, string>): Promise<string[]> {
      writeFileSync(join(folder, 'page.mjs'), snippetOf(page, name, app.issuer));
      writeFileSync(join(folder, 'main.mjs'), main);
      const { status, stdout, stderr } = await output([process.execPath, 'main.mjs'], { cwd: folder, env });
      assert.equal(status, 0, stderr);
      return stdout.trim().split('\n');
    }

    const TWICE = "import { token } from './page.mjs';\nconsole.log(await token());\nconsole.log(await token());\n";
    const VERIFY = `import { verify } from './page.mjs';
for (const token of process.env.TOKENS.split(' ')) {
  console.log(await verify(token).then((held) => held.join(' '), (error) => 'refused: ' + error.message));
}
`;

    async function assertOneToken(name: string, clientId: string, env: Record<string, string>): Promise<void> {
      const [first = '', second] = await run('docs/clients/node.md', name, TWICE, { CLIENT_ID: clientId, ...env });
      assert.equal(decodeJwt(first).sub, clientId);
      assert.equal(second, first);
    }

    test('gets a token by secret, and keeps it', async () => {
      const { clientId, clientSecret } = await registerAccount(app);
      await assertOneToken('token-by-secret.mjs', clientId, { CLIENT_SECRET: clientSecret });
    });

    test('gets a token by key, and keeps it', async () => {
      const key = clientKey('ES256');
      const { clientId } = await registerWithKeys(app, 'Signs', [key]);
      const file = join(folder, 'client.pem');
      writeFileSync(file, key.privateKey.export({ type: 'pkcs8', format: 'pem' }));
      await assertOneToken('token-by-key.mjs', clientId, { KEY_FILE: file });
    });

    test('verifies a token, and refuses one that is for another API, forged or revoked', async () => {
      const account = await registerAccount(app, { permissions: ['orders:read', 'orders:write'] });
      const token = String((await app.token(account)).json.access_token);
      const verify = (...tokens: string[]): Promise<string[]> =>
        run('docs/verify/node.md', 'verify.mjs', VERIFY, { TOKENS: tokens.join(' ') });

      assert.deepEqual(await verify(token, await app.rootToken(), `${token.slice(0, -4)}AAAA`), [
        'orders:read orders:write',
        'refused: unexpected "aud" claim value',
        'refused: signature verification failed',
      ]);
      await app.api('PATCH', account.path, { state: 'disabled' });
      await untilListed(app, statusOf(token), true);
      assert.deepEqual(await verify(token), ['refused: the token has been revoked']);
    });

    test('is that of the example in the repository', () => {
      const example = readFileSync(join(ROOT, 'examples/node/verify.mjs'), 'utf8');
      const [, functions = ''] = snippetOf('docs/verify/node.md', 'verify.mjs', app.issuer).split(/(?=^export async)/m);
      assert.ok(functions.includes('statusList'));
      assert.ok(example.includes(functions));
    });
  },
  newest,
);
