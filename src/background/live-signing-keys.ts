import type { Clock } from '../domain/clock.ts';
import type { KeyRing } from '../domain/signing-keys/key-ring.ts';
import type { SigningKeys } from '../domain/signing-keys/signing-keys.ts';

/** The signing keys of this node, read from the database again whenever they change. */
export interface LiveSigningKeys extends SigningKeys {
  /** Reads the keys anew. Resolves after the reading, or when a reading failed and will be repeated. */
  refresh(): Promise<void>;
  close(): void;
}

/** Milliseconds between two looks at whether a key is due, and until a reading that failed is tried again. */
const LOOK = 1000;

/**
 * @param read the keys from the database
 * @param onFailure told why they could not be read
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
    // One that is under way may have read too early.
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
