import type { Clock } from '../domain/clock.ts';
import type { NoteUse, Use, UseStore } from '../domain/credentials/use-store.ts';
import type { ClientId, CredentialId } from '../domain/ids.ts';
import type { OutageLog } from '../observability/outage-log.ts';
import { type Gathering, startGatheredWriter } from './gathered-writer.ts';

/** Gathers the uses of credentials in memory and writes them to the database at intervals. */
export interface UseRecorder {
  readonly note: NoteUse;
  /** The number of credentials whose uses wait to be written. */
  waiting(): number;
  /** Writes the gathered uses, and stops. */
  close(): Promise<void>;
}

/**
 * Starts to record uses.
 *
 * @param pause milliseconds between two writes; each write is one statement, however many uses it has
 * @param onExtended told each account whose credentials expire later because they were used
 */
export function startUseRecorder(
  { record }: Pick<UseStore, 'record'>,
  {
    clock,
    outages,
    pause,
    onExtended,
  }: {
    clock: Clock;
    outages: Pick<OutageLog, 'failed'>;
    pause: number;
    onExtended: (clientId: ClientId) => void;
  },
): UseRecorder {
  const uses = gatherUses();
  const write = async (items: readonly Use[]): Promise<void> => (await record(items)).forEach(onExtended);
  return {
    note: (clientId, credentialId, source) => uses.add({ clientId, credentialId, source, usedAt: clock(), count: 1 }),
    waiting: uses.size,
    close: startGatheredWriter(uses, write, { pause, outages, event: 'uses.not_recorded' }),
  };
}

function gatherUses(): Gathering<Use> {
  let gathered = new Map<CredentialId, { -readonly [Member in keyof Use]: Use[Member] }>();
  return {
    add(use) {
      const known = gathered.get(use.credentialId);
      if (known === undefined) {
        gathered.set(use.credentialId, { ...use });
        return;
      }
      known.count += use.count;
      if (use.usedAt < known.usedAt) return;
      known.usedAt = use.usedAt;
      known.source = use.source;
    },
    size: () => gathered.size,
    take() {
      const uses = [...gathered.values()];
      gathered = new Map();
      return uses;
    },
  };
}
