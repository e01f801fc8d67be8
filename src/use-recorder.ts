import type { Clock } from './domain/clock.ts';
import type { NoteUse, Use, UseStore } from './domain/credentials/use-store.ts';
import type { ClientId, CredentialId } from './domain/ids.ts';
import type { Logger } from './logger.ts';

/** Gathers which credentials are used, and writes it down now and then. */
export interface UseRecorder {
  readonly note: NoteUse;
  /** Writes what has been gathered, and stops. */
  close(): Promise<void>;
}

/**
 * @param pause milliseconds between two writes; each is one statement, however many tokens were issued meanwhile
 * @param onExtended told whose credentials end later now
 */
export function startUseRecorder(
  { record }: Pick<UseStore, 'record'>,
  {
    clock,
    logger,
    pause,
    onExtended,
  }: { clock: Clock; logger: Logger; pause: number; onExtended: (clientId: ClientId) => void },
): UseRecorder {
  let gathered = new Map<CredentialId, { -readonly [Member in keyof Use]: Use[Member] }>();
  let writing: Promise<void> = Promise.resolve();

  function add(use: Use): void {
    const known = gathered.get(use.credentialId);
    if (known === undefined) {
      gathered.set(use.credentialId, { ...use });
      return;
    }
    known.count += use.count;
    if (use.usedAt < known.usedAt) return;
    known.usedAt = use.usedAt;
    known.source = use.source;
  }

  async function write(): Promise<void> {
    if (gathered.size === 0) return;
    const uses = [...gathered.values()];
    gathered = new Map();
    try {
      (await record(uses)).forEach(onExtended);
    } catch (error) {
      // For the next time.
      uses.forEach(add);
      logger.warn({ event: 'uses.not_recorded', err: error });
    }
  }

  const flush = (): Promise<void> => (writing = writing.then(write));
  const timer = setInterval(() => void flush(), pause).unref();

  return {
    note: (clientId, credentialId, source) => add({ clientId, credentialId, source, usedAt: clock(), count: 1 }),
    close() {
      clearInterval(timer);
      return flush();
    },
  };
}
