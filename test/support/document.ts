import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const REPOSITORY = join(import.meta.dirname, '../..');

/** A fenced block of a page. */
export interface Block {
  readonly language: string;
  readonly text: string;
  /** The line of the page on which the block begins. */
  readonly line: number;
}

/** A block of commands, with the answer that the page shows for it. */
export interface Step {
  readonly commands: Block;
  /** The block of JSON or text that stands next on the page, when no other block of commands comes first. */
  readonly shown: Block | undefined;
}

/** Reads a page of the repository. @param page the path from the top of the repository */
export function readPage(page: string): string {
  return readFileSync(join(REPOSITORY, page), 'utf8');
}

/** Lists the fenced blocks of a page. */
export function blocksOf(page: string): Block[] {
  return [...page.matchAll(/^```(\w+)\n(.*?)^```$/gms)].map(({ 1: language = '', 2: text = '', index }) => ({
    language,
    text,
    line: page.slice(0, index).split('\n').length,
  }));
}

/** Lists the blocks of commands (`sh`) of a page in their order, with the answers that the page shows. */
export function stepsOf(page: string): Step[] {
  const blocks = blocksOf(page);
  return blocks.flatMap((commands, index) => {
    if (commands.language !== 'sh') return [];
    const next = blocks[index + 1];
    return [{ commands, shown: next?.language === 'json' || next?.language === 'text' ? next : undefined }];
  });
}

/**
 * Runs the steps of a page in one shell, as a reader pastes them: each has the variables and functions of those before.
 *
 * @param opening the commands that the reader has pasted before
 * @param folder the home folder of the reader, who stands at the top of the repository
 * @param url the address of the server, which the page calls `http://localhost:3000`
 * @returns the output of each step
 * @throws AssertionError when a command fails, or answers otherwise than the page shows
 */
export async function follow(
  steps: readonly Step[],
  { opening, folder, url }: { opening: string; folder: string; url: string },
): Promise<readonly string[]> {
  const here = (text: string): string => text.replaceAll('http://localhost:3000', url);
  const output = (index: number): string => join(folder, 'output', `${index}`);
  rmSync(join(folder, 'output'), { recursive: true, force: true });
  mkdirSync(join(folder, 'output'));
  const script = [
    'set -euo pipefail',
    opening,
    ...steps.map(({ commands }, index) => `{\n${here(commands.text)}\n} >'${output(index)}' 2>&1 </dev/null`),
  ].join('\n');
  writeFileSync(join(folder, 'script'), script);
  const shell = spawn('bash', [join(folder, 'script')], {
    cwd: REPOSITORY,
    env: { PATH: process.env['PATH'], HOME: folder },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const [code]: unknown[] = await once(shell, 'close');
  for (const [index, { commands, shown }] of steps.entries()) {
    const answer = readOutput(output(index));
    const place = `the commands in line ${commands.line}:\n${here(commands.text)}`;
    assert.ok(answer !== undefined, `never came to ${place}`);
    if (shown?.language === 'text') assert.match(answer.trim(), patternOf(here(shown.text).trim()), place);
    else if (shown?.language === 'json') {
      assertShows(JSON.parse(here(shown.text)), lastJson(answer), `${place}\nanswered ${answer}\n`);
    } else assertNoRefusal(answer, place);
  }
  const outputs = steps.map((_, index) => readOutput(output(index)) ?? '');
  assert.equal(code, 0, `the last commands failed:\n${outputs.join('\n')}`);
  return outputs;
}

function readOutput(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

function patternOf(text: string): RegExp {
  return new RegExp(`^${text.split('…').map(RegExp.escape).join('.+?')}$`, 's');
}

/** The last JSON text of an output: each answer of the server is one line. */
export function lastJson(output: string): unknown {
  const lines = output.split(/\n|(?<=[}\]])(?=[{[])/).filter((line) => /^[{[]/.test(line));
  try {
    return JSON.parse(lines.at(-1) ?? output);
  } catch {
    return JSON.parse(output);
  }
}

/** Compares a shown answer with the real one: the real one may have more members, and `…` stands for any text. */
export function assertShows(shown: unknown, real: unknown, path: string): void {
  if (Array.isArray(shown)) {
    assert.ok(Array.isArray(real) && real.length >= shown.length, `${path} has ${JSON.stringify(real)}`);
    for (const [index, item] of shown.entries()) assertShows(item, real[index], `${path}/${index}`);
  } else if (typeof shown === 'object' && shown !== null) {
    assert.ok(typeof real === 'object' && real !== null, `${path} has ${JSON.stringify(real)}`);
    const members = new Map<string, unknown>(Object.entries(real));
    for (const [name, item] of Object.entries(shown)) assertShows(item, members.get(name), `${path}/${name}`);
  } else if (typeof shown === 'string' && shown.includes('…')) assert.match(String(real), patternOf(shown), path);
  // A time in seconds and a place in a status list differ from run to run.
  else if (typeof shown === 'number' && (shown > 1e9 || path.endsWith('/idx')))
    assert.equal(typeof real, 'number', path);
  else assert.deepEqual(real, shown, path);
}

/** Commands for which the page shows no answer may not be refused. */
function assertNoRefusal(output: string, place: string): void {
  assert.doesNotMatch(output, /"(?:error|code)": ?"/, place);
}
