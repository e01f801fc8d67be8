import { spawnSync } from 'node:child_process';

/** A program in another language that is tried against a server. */
export interface Peer {
  /** Commands that succeed when the tools of the program are installed. */
  readonly tools: readonly (readonly [string, ...string[]])[];
  /** Writes and builds the program. @returns its command */
  prepare(directory: string): readonly [string, ...string[]];
}

/** Runs a command to its end. @throws Error with the output of the command when it fails */
export function run(cwd: string, command: string, ...words: string[]): void {
  const { status, stdout, stderr, error } = spawnSync(command, words, {
    cwd,
    encoding: 'utf8',
    maxBuffer: 64 * 2 ** 20,
  });
  if (status !== 0) throw new Error(`${command} ${words.join(' ')}: ${error ?? `${stdout}\n${stderr}`}`);
}

/** Looks for tools. @returns the first tool that is not installed */
export function missingTool(tools: Peer['tools']): string | undefined {
  return tools.find(([command, ...words]) => spawnSync(command, words).status !== 0)?.[0];
}

/** Prints the result of a program. A problem makes this process fail. */
export function report(name: string, problem?: string): void {
  console.log(`${name}: ${problem === undefined ? 'ok' : `FAILED ${problem}`}`);
  if (problem !== undefined) process.exitCode = 1;
}
