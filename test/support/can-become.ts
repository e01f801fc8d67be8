import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

/** Whether this process may become another user that can still read the source. */
export function canBecome(uid: number): boolean {
  if (process.getuid?.() !== 0) return false;
  const main = join(import.meta.dirname, '../../src/main.ts');
  const script = `require('fs').readFileSync(${JSON.stringify(main)})`;
  return spawnSync(process.execPath, ['-e', script], { uid, gid: 0, cwd: '/' }).status === 0;
}
