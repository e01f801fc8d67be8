import { spawnSync } from 'node:child_process';

/** Something in another language that is tried against a server of ours. */
export interface Peer {
  /** Commands that must succeed, or it is not here. */
  readonly tools: readonly (readonly [string, ...string[]])[];
  /** Lays a program out. @returns its command */
  prepare(directory: string): readonly [string, ...string[]];
}

/** Runs a command to its end. @throws Error with what it said when it fails */
export function run(cwd: string, command: string, ...words: string[]): void {
  const { status, stdout, stderr, error } = spawnSync(command, words, {
    cwd,
    encoding: 'utf8',
    maxBuffer: 64 * 2 ** 20,
  });
  if (status !== 0) throw new Error(`${command} ${words.join(' ')}: ${error ?? `${stdout}\n${stderr}`}`);
}

/** @returns the first tool that is not installed */
export function missingTool(tools: Peer['tools']): string | undefined {
  return tools.find(([command, ...words]) => spawnSync(command, words).status !== 0)?.[0];
}

/** Says how it went; one that failed makes the process fail. */
export function report(name: string, problem?: string): void {
  console.log(`${name}: ${problem === undefined ? 'ok' : `FAILED ${problem}`}`);
  if (problem !== undefined) process.exitCode = 1;
}
