import type { Clock } from '../domain/clock.ts';
import type { KeyRing } from '../domain/signing-keys/key-ring.ts';
import type { SigningKeys } from '../domain/signing-keys/signing-keys.ts';

/** The signing keys of this node, kept up to date. */
export interface LiveSigningKeys extends SigningKeys {
  /** Reads the keys anew. Resolves when the keys have been read, or when reading has failed and will be tried again. */
  refresh(): Promise<void>;
  close(): void;
}

/** Milliseconds between two checks whether a key is due, or whether a failed reading must be tried again. */
const LOOK = 1000;

/**
 * Keeps the signing keys of this node up to date.
 *
 * @param read reads the keys from the database
 * @param onFailure told why the keys could not be read
 */
export function startLiveSigningKeys(
  first: KeyRing,
  { read, clock, onFailure }: { read: () => Promise<KeyRing>; clock: Clock; onFailure: (error: unknown) => void },
): LiveSigningKeys {
  let ring = first;
  let wanted = false;
  let late = false;
  let reading: Promise<void> | undefined;
  const listeners: ((ring: KeyRing) => void)[] = [];

  async function readAll(): Promise<void> {
    while (wanted) {
      wanted = false;
      try {
        ring = await read();
      } catch (error) {
        onFailure(error);
        late = true;
        return;
      }
      late = false;
      for (const told of listeners) told(ring);
    }
  }

  function refresh(): Promise<void> {
    // A reading that is under way may have begun too early to see the change: the keys are read once more after it.
    wanted = true;
    reading ??= readAll().finally(() => (reading = undefined));
    return reading;
  }

  const timer = setInterval(() => {
    if (late || (ring.changesAt !== undefined && clock() >= ring.changesAt)) void refresh();
  }, LOOK).unref();

  return {
    current: () => ring,
    onChange: (told) => void listeners.push(told),
    refresh,
    close: () => clearInterval(timer),
  };
}
