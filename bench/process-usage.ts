import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

const TICKS_A_SECOND = Number(execFileSync('getconf', ['CLK_TCK']).toString());

/** Seconds of CPU that a process has used so far, in all its threads (proc(5), `stat`: utime and stime). */
export function cpuSeconds(pid: number): number {
  const fields = statOf(pid);
  return (Number(fields[11]) + Number(fields[12])) / TICKS_A_SECOND;
}

/**
 * Seconds of CPU that the children of a process, such as backends of a database, have used so far; ended ones count.
 */
export function cpuSecondsOfChildren(parent: number): number {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  const [ended, endedInKernel] = statOf(parent).slice(13, 15).map(Number);
  return pids
    .map(Number)
    .filter((pid) => parentOf(pid) === parent)
    .reduce((sum, pid) => sum + cpuSeconds(pid), ((ended ?? 0) + (endedInKernel ?? 0)) / TICKS_A_SECOND);
}

/** The id of the parent of a process. @returns undefined when the process has ended */
export function parentOf(pid: number): number | undefined {
  try {
    return Number(statOf(pid)[1]);
  } catch {
    return undefined;
  }
}

/** The resident memory of a process, in bytes. */
export function residentBytes(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024;
}

/** The fields of a process in `/proc`, from its state on. */
function statOf(pid: number): string[] {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The name of the process, in brackets, may contain any character.
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}
