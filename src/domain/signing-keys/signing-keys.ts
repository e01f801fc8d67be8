import type { KeyRing } from './key-ring.ts';

/** The signing keys as they are at any time: every part asks for the current ring, and none keeps one. */
export interface SigningKeys {
  current(): KeyRing;
  /** Tells a part of every ring that takes the place of another. */
  onChange(told: (ring: KeyRing) => void): void;
}
