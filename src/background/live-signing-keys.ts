import type { Clock } from '../domain/clock.ts';
import type { KeyRing } from '../domain/signing-keys/key-ring.ts';
import type { SigningKeys } from '../domain/signing-keys/signing-keys.ts';

/** The signing keys of this node, kept up to date. */
export interface LiveSigningKeys extends SigningKeys {
  /** Reads the keys anew. Resolves when the keys have been read, or when reading has failed and will be tried again. */
  refresh(): Promise<void>;
  close(): void;
}

/** Milliseconds between two checks whether a key is due, or whether something that failed must be tried again. */
const LOOK = 1000;

/**
 * Keeps the signing keys of this node up to date.
 *
 * @param options `read`: reads the keys from the database; `rotate`: replaces the keys whose time has come;
 *   `onFailure`: told why one of both could not be done
 */
export function startLiveSigningKeys(
  first: KeyRing,
  {
    read,
    rotate,
    clock,
    onFailure,
  }: {
    read: () => Promise<KeyRing>;
    rotate: () => Promise<void>;
    clock: Clock;
    onFailure: (error: unknown) => void;
  },
): LiveSigningKeys {
  let ring = first;
  let wanted = false;
  let late = false;
  let rotating = false;
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

  async function rotateOnce(): Promise<void> {
    if (rotating) return;
    rotating = true;
    try {
      await rotate();
      // Another node may have replaced the keys before this one did.
      await refresh();
    } catch (error) {
      onFailure(error);
    } finally {
      rotating = false;
    }
  }

  const timer = setInterval(() => {
    const isDue = (time: Date | undefined): boolean => time !== undefined && clock() >= time;
    if (late || isDue(ring.changesAt)) void refresh();
    if (isDue(ring.rotatesAt)) void rotateOnce();
  }, LOOK).unref();

  return {
    current: () => ring,
    onChange: (told) => void listeners.push(told),
    refresh,
    close: () => clearInterval(timer),
  };
}
