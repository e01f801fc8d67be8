import type { KeyRing } from './key-ring.ts';

/** The signing keys, which may change: every part of the server asks for the current ring each time, and keeps none. */
export interface SigningKeys {
  current(): KeyRing;
  /** Registers a function that is told every new ring. */
  onChange(told: (ring: KeyRing) => void): void;
}
