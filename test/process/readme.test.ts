import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { createPrivateKey, randomUUID } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { decodeJwt, SignJWT } from 'jose';
import { printedRoot, startServerProcess, workFolder } from '../support/server-process.ts';

const run = promisify(execFile);
const README = readFileSync(join(import.meta.dirname, '../../README.md'), 'utf8');
const hasTools = ['curl', 'openssl'].every((tool) => {
  try {
    execFileSync(tool, ['version'], { stdio: 'ignore' });
    return true;
  } catch (error) {
    // The tool is installed, and does not know this argument.
    return !(error instanceof Error && 'code' in error && error.code === 'ENOENT');
  }
});

/** Lists the commands of the README from its first request on. A line that is indented further continues a command. */
function commands(): string[] {
  const told = README.slice(README.indexOf('## Use it'), README.indexOf('## Words'));
  const found: string[] = [];
  for (const line of told.split('\n')) {
    const text = /^ {4}(.*)$/.exec(line)?.[1];
    if (text === undefined) continue;
    if (text.startsWith(' ')) found.push(`${found.pop()}\n${text}`);
    else found.push(text);
  }
  return found.filter((command) => /^(?:curl|openssl|[A-Z_]+=)/.test(command));
}

test(
  'the commands of the README work as written, in their order, on an empty database',
  { skip: !hasTools && 'needs curl and openssl' },
  async () => {
    const folder = workFolder();
    const server = await startServerProcess(folder.path);
    await server.ready();
    await fetch(`${server.url}/health/ready`);
    const url = server.url.replace('127.0.0.1', 'localhost');
    const root = printedRoot(server);
    // The values that a reader copies from the answers into the commands.
    const known = new Map([
      ['CLIENT_ID', root.clientId],
      ['CLIENT_SECRET', root.clientSecret],
      ['THE_REQUEST_ID', 'none'],
    ]);
    const state = join(folder.path, 'state');
    writeFileSync(state, '');
    let mailer = '';
    let asked = 0;
    for (const command of commands()) {
      let text = command.replaceAll('http://localhost:3000', url);
      // The longest name comes first, because a short name may be a part of it.
      for (const [name, value] of [...known].toSorted(([one], [other]) => other.length - one.length)) {
        text = text.replaceAll(new RegExp(`(?<![A-Z_$])${name}(?![A-Z_=])`, 'g'), value);
      }
      const assertion = text.includes('$ASSERTION') ? await sign(mailer, url, join(folder.path, 'client.pem')) : '';
      const { stdout } = await run(
        'bash',
        ['-euc', `. '${state}'\n${text}\ndeclare -p TOKEN ITS_TOKEN PEM CREDENTIALS > '${state}' 2>/dev/null || true`],
        { cwd: folder.path, env: { PATH: process.env['PATH'], ASSERTION: assertion } },
      );
      if (!text.startsWith('curl')) continue;
      asked += 1;
      const answer = stdout === '' ? {} : JSON.parse(stdout);
      assert.equal(answer.code ?? answer.error, undefined, `${text}\n${stdout}`);
      if (answer.clientId !== undefined) known.set('ITS_ID', answer.clientId);
      if (answer.slug === 'mailer') mailer = answer.clientId;
      if (String(answer.clientSecret).startsWith('writk_')) known.set('THE_API_KEY', answer.clientSecret);
      else if (answer.clientSecret !== undefined) known.set('ITS_SECRET', answer.clientSecret);
      if (answer.clientId === undefined && answer.credentialId !== undefined) {
        known.set('ITS_CREDENTIAL_ID', answer.credentialId).set('ITS_ID', mailer);
      }
      if (answer.access_token !== undefined && decodeJwt(answer.access_token).sub === known.get('ITS_ID')) {
        known.set('A_TOKEN', answer.access_token);
      }
    }
    assert.ok(asked > 30, `${asked}`);
    assert.equal(await server.end(), 0);
    folder.remove();
  },
);

/** Signs an assertion with jose, as the README shows it. */
function sign(clientId: string, issuer: string, file: string): Promise<string> {
  return new SignJWT()
    .setProtectedHeader({ alg: 'EdDSA' })
    .setIssuer(clientId)
    .setSubject(clientId)
    .setAudience(issuer)
    .setJti(randomUUID())
    .setIssuedAt()
    .setExpirationTime('1 minute')
    .sign(createPrivateKey(readFileSync(file)));
}
