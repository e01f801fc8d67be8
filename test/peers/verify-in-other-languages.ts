/**
 * Runs the unchanged examples of the README that verify a token, against a server that this program starts. Go, Python
 * with venv, Java 17 with Maven and their registries are needed: a missing tool is named and skipped.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { printedRoot, startServerProcess } from '../support/server-process.ts';
import { missingTool, type Peer, report, run } from './peer.ts';

const folder = mkdtempSync(join(tmpdir(), 'writ-peers-'));
const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');

/** The first example in a language that verifies a token. */
const example = (language: string): string =>
  [...readme.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\``, 'gms'))]
    .map(([, code = '']) => code)
    .find((code) => /verify/i.test(code)) ?? '';

/** Programs that print the permissions of the token in TOKEN. */
const peers: Record<string, Peer> = {
  js: {
    tools: [],
    prepare(directory) {
      writeFileSync(join(directory, 'package.json'), '{"type":"module"}');
      writeFileSync(join(directory, 'verify.js'), example('js'));
      writeFileSync(
        join(directory, 'main.js'),
        "import { verify } from './verify.js';\nconsole.log((await verify(process.env.TOKEN)).join(' '));\n",
      );
      run(directory, 'npm', 'install', '--no-save', 'jose@6');
      return [process.execPath, 'main.js'];
    },
  },
  go: {
    tools: [['go', 'version']],
    prepare(directory) {
      mkdirSync(join(directory, 'verify'));
      writeFileSync(join(directory, 'verify', 'verify.go'), example('go'));
      writeFileSync(
        join(directory, 'main.go'),
        `package main

import (
	"context"
	"fmt"
	"os"
	"peer/verify"
	"strings"
)

func main() {
	keys, err := verify.Keys(context.Background())
	if err != nil {
		panic(err)
	}
	permissions, err := verify.Verify(keys, os.Getenv("TOKEN"))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(strings.Join(permissions, " "))
}
`,
      );
      run(directory, 'go', 'mod', 'init', 'peer');
      run(directory, 'go', 'mod', 'tidy');
      run(directory, 'go', 'build', '-o', 'peer', '.');
      return [join(directory, 'peer')];
    },
  },
  python: {
    tools: [['python3', '-m', 'venv', '--help']],
    prepare(directory) {
      writeFileSync(join(directory, 'verify.py'), example('python'));
      run(directory, 'python3', '-m', 'venv', 'venv');
      run(directory, 'venv/bin/pip', 'install', '--quiet', 'pyjwt[crypto]');
      return ['venv/bin/python', '-c', 'import os, verify; print(" ".join(verify.verify(os.environ["TOKEN"])))'];
    },
  },
  java: {
    tools: [
      ['javac', '-version'],
      ['mvn', '--version'],
    ],
    prepare(directory) {
      const sources = join(directory, 'src', 'main', 'java');
      mkdirSync(sources, { recursive: true });
      writeFileSync(join(sources, 'Verifier.java'), example('java'));
      writeFileSync(
        join(sources, 'Main.java'),
        `class Main {
    public static void main(String[] arguments) throws Exception {
        System.out.println(String.join(" ", new Verifier().verify(System.getenv("TOKEN"))));
    }
}
`,
      );
      writeFileSync(
        join(directory, 'pom.xml'),
        `<project><modelVersion>4.0.0</modelVersion><groupId>peer</groupId><artifactId>peer</artifactId><version>1</version>
<properties><maven.compiler.source>17</maven.compiler.source><maven.compiler.target>17</maven.compiler.target><project.build.sourceEncoding>UTF-8</project.build.sourceEncoding></properties>
<dependencies><dependency><groupId>com.nimbusds</groupId><artifactId>nimbus-jose-jwt</artifactId><version>10.5</version></dependency></dependencies></project>`,
      );
      run(directory, 'mvn', '--quiet', '--batch-mode', 'compile', 'dependency:copy-dependencies');
      return ['java', '-cp', 'target/classes:target/dependency/*', 'Main'];
    },
  },
};

async function post(url: string, init: { headers: Record<string, string>; body: string | URLSearchParams }) {
  const response = await fetch(url, { method: 'POST', ...init });
  return (await response.json()) as Record<string, string>;
}

const server = await startServerProcess(folder, { PORT: '3000' });
try {
  await server.ready();
  await fetch(`${server.url}/health/ready`);
  const root = printedRoot(server);
  const token = async (id: string | undefined, secret: string | undefined): Promise<string> =>
    (
      await post(`${server.url}/oauth/token`, {
        headers: { Authorization: `Basic ${btoa(`${id}:${secret}`)}` },
        body: new URLSearchParams({ grant_type: 'client_credentials' }),
      })
    )['access_token'] ?? '';
  const rootToken = await token(root.clientId, root.clientSecret);
  const account = await post(`${server.url}/api/service-accounts`, {
    headers: { Authorization: `Bearer ${rootToken}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({ name: 'Peer', permissions: ['orders:read', 'orders:write'] }),
  });
  const good = await token(account['clientId'], account['clientSecret']);

  for (const [name, peer] of Object.entries(peers)) {
    const missing = missingTool(peer.tools);
    if (missing !== undefined) {
      console.log(`${name}: skipped, ${missing} is not here`);
      continue;
    }
    const directory = join(folder, name);
    mkdirSync(directory);
    const [command, ...words] = peer.prepare(directory);
    const verify = (value: string) =>
      spawnSync(command, words, { cwd: directory, env: { ...process.env, TOKEN: value }, encoding: 'utf8' });
    const accepted = verify(good);
    const refused = [rootToken, `${good.slice(0, -4)}AAAA`].map((value) => verify(value).status);
    const fine = accepted.stdout.trim() === 'orders:read orders:write' && refused.every((status) => status !== 0);
    report(name, fine ? undefined : `${accepted.stdout} ${accepted.stderr} ${refused.join(' ')}`);
  }
} finally {
  await server.end();
  rmSync(folder, { recursive: true, force: true });
}
