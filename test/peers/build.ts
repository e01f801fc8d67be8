import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Command, run } from './peer.ts';

/** The tools that the programs of each language need. */
export const TOOLS = {
  bash: [
    ['bash', '--version'],
    ['curl', '--version'],
    ['jq', '--version'],
    ['openssl', 'version'],
  ],
  go: [['go', 'version']],
  java: [
    ['javac', '-version'],
    ['mvn', '--version'],
  ],
  node: [['npm', '--version']],
  python: [['python3', '-m', 'venv', '--help']],
} as const satisfies Record<string, readonly Command[]>;

function write(directory: string, files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), text);
  }
}

/** Installs packages for `main.mjs`. @returns the command that runs it */
export function nodeProgram(directory: string, packages: readonly string[], files: Record<string, string>): Command {
  write(directory, { 'package.json': '{}', ...files });
  if (packages.length > 0) run(directory, 'npm', 'install', '--no-save', '--silent', ...packages);
  return [process.execPath, 'main.mjs'];
}

/** Installs packages for `main.py`. @returns the command that runs it */
export function pythonProgram(directory: string, packages: readonly string[], files: Record<string, string>): Command {
  write(directory, files);
  run(directory, 'python3', '-m', 'venv', 'venv');
  run(directory, 'venv/bin/pip', 'install', '--quiet', '--disable-pip-version-check', ...packages);
  return ['venv/bin/python', 'main.py'];
}

/** Builds the module `peer`, whose program is `main.go`. @returns the command that runs it */
export function goProgram(directory: string, modules: readonly string[], files: Record<string, string>): Command {
  write(directory, files);
  run(directory, 'go', 'mod', 'init', 'peer');
  run(directory, 'go', 'get', ...modules);
  run(directory, 'go', 'mod', 'tidy');
  run(directory, 'go', 'build', '-o', 'peer', '.');
  return [join(directory, 'peer')];
}

/** Compiles classes of which `Main` is the program. @param artifacts `group:artifact:version` @returns its command */
export function javaProgram(directory: string, artifacts: readonly string[], files: Record<string, string>): Command {
  const dependencies = artifacts.map((artifact) => {
    const [group, name, version] = artifact.split(':');
    return `<dependency><groupId>${group}</groupId><artifactId>${name}</artifactId><version>${version}</version></dependency>`;
  });
  write(directory, {
    'pom.xml': `<project><modelVersion>4.0.0</modelVersion><groupId>peer</groupId><artifactId>peer</artifactId><version>1</version>
<properties><maven.compiler.source>17</maven.compiler.source><maven.compiler.target>17</maven.compiler.target><project.build.sourceEncoding>UTF-8</project.build.sourceEncoding></properties>
<dependencies>${dependencies.join('')}</dependencies></project>`,
  });
  write(join(directory, 'src/main/java'), files);
  run(directory, 'mvn', '--quiet', '--batch-mode', 'compile', 'dependency:copy-dependencies');
  return ['java', '-cp', 'target/classes:target/dependency/*', 'Main'];
}

/** Writes `main.sh`. @returns the command that runs it */
export function bashProgram(directory: string, files: Record<string, string>): Command {
  write(directory, files);
  return ['bash', 'main.sh'];
}
