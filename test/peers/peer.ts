import { spawn, spawnSync } from 'node:child_process';
import { setTimeout } from 'node:timers/promises';

/** A program in another language that is tried against a server. */
export interface Peer {
  /** Commands that succeed when the tools of the program are installed. */
  readonly tools: readonly Command[];
  /** Writes and builds the program. @returns its command */
  prepare(directory: string): Command;
}

/** A program that is made of the code of a page. */
export interface PagePeer extends Pick<Peer, 'tools'> {
  /** Writes and builds the program. @param snippet reads a block of code of the page @returns its command */
  prepare(directory: string, snippet: (name: string) => string): Command;
}

/** The programs of each page, by the path of the page and the name of the program. */
export type PagePeers<T extends PagePeer> = Readonly<Record<string, Readonly<Record<string, T>>>>;

export type Command = readonly [string, ...string[]];

/** Runs a command to its end. @throws Error with the output of the command when it fails */
export function run(cwd: string, command: string, ...words: string[]): void {
  const { status, stdout, stderr, error } = spawnSync(command, words, {
    cwd,
    encoding: 'utf8',
    maxBuffer: 64 * 2 ** 20,
  });
  if (status !== 0) throw new Error(`${command} ${words.join(' ')}: ${error ?? `${stdout}\n${stderr}`}`);
}

/**
 * Lets this process notice the connections that the server has closed while `run` blocked it: a request on one of them
 * would fail.
 */
export async function settle(): Promise<void> {
  await setTimeout(50);
}

/** Runs a command to its end while this process goes on to answer. @returns its exit code and its output */
export async function output(
  [command, ...words]: Command,
  options: { cwd: string; env: Record<string, string | undefined> },
): Promise<{ status: number | null; stdout: string; stderr: string }> {
  const child = spawn(command, words, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const status = await new Promise<number | null>((resolve, reject) => child.on('close', resolve).on('error', reject));
  return { status, stdout, stderr };
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
