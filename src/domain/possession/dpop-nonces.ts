import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Clock } from '../clock.ts';

/** Nonces that this server gives for DPoP proofs (RFC 9449 §8). Every node knows the nonces of the others. */
export interface DpopNonces {
  /** The nonce of this moment. */
  current(): string;
  /** Whether a text is a nonce of the last few minutes. */
  isGood(nonce: string): boolean;
}

/** Seconds for which one nonce is given. */
const STEP = 60;
/** The number of steps for which a nonce is good after its own, and before: the clocks of nodes may be apart. */
const STEPS = { after: 4, before: 1 };

/** Seconds for which a nonce is good, at most. */
export const NONCE_LIFETIME = STEP * (STEPS.after + 1 + STEPS.before);

/** @param key 32 random bytes, the same on every node */
export function createDpopNonces(key: Uint8Array, clock: Clock): DpopNonces {
  const step = (): number => Math.floor(clock().getTime() / 1000 / STEP);
  const write = (number: number): string => {
    const mac = createHmac('sha256', key).update(`dpop nonce ${number}`).digest().subarray(0, 16);
    return `${number.toString(36)}.${mac.toString('base64url')}`;
  };
  let known = { step: NaN, nonce: '' };
  return {
    current() {
      const now = step();
      if (known.step !== now) known = { step: now, nonce: write(now) };
      return known.nonce;
    },
    isGood(nonce) {
      const number = Number.parseInt(nonce.split('.', 1)[0] ?? '', 36);
      const now = step();
      if (!Number.isSafeInteger(number) || number < now - STEPS.after || number > now + STEPS.before) return false;
      const [wanted, given] = [Buffer.from(write(number)), Buffer.from(nonce)];
      return wanted.length === given.length && timingSafeEqual(wanted, given);
    },
  };
}
