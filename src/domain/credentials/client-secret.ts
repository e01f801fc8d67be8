import { hash } from 'node:crypto';
import { base62 } from '../base62.ts';

const PREFIX = 'writ_';
/** 256 bits in base 62. */
const RANDOM_DIGITS = 43;
const CHECKSUM_BYTES = 5;

/**
 * Makes a client secret: `writ_`, 256 random bits and a checksum of 40 bits in base 62. The prefix and the checksum let
 * a scanner tell a leaked one from chance, and let us refuse a mistyped one without looking anything up.
 *
 * @param entropy 32 random bytes
 */
export function formatClientSecret(entropy: Uint8Array): string {
  if (entropy.length !== 32) throw new RangeError('a client secret takes 32 random bytes');
  const random = base62(entropy);
  return PREFIX + random + checksum(random);
}

/** Whether a secret looks like one of ours and cannot be one; secrets without the prefix are never mistyped. */
export function isMistyped(secret: string): boolean {
  if (!secret.startsWith(PREFIX)) return false;
  const random = secret.slice(PREFIX.length, PREFIX.length + RANDOM_DIGITS);
  return secret !== PREFIX + random + checksum(random);
}

/** What may be shown of a secret later: its first characters. */
export function secretHint(secret: string): string {
  return secret.slice(0, secret.startsWith(PREFIX) ? PREFIX.length + 4 : 4);
}

function checksum(random: string): string {
  return base62(hash('sha256', random, 'buffer').subarray(0, CHECKSUM_BYTES));
}
