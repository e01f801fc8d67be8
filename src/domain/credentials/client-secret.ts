import { hash } from 'node:crypto';
import { base62 } from '../base62.ts';

/** What a secret begins with: that of a client, and that of an API key. */
export const PREFIXES = { client_secret: 'writ_', api_key: 'writk_' } as const;
export type SecretType = keyof typeof PREFIXES;

/** 256 bits in base 62. */
const RANDOM_DIGITS = 43;
const CHECKSUM_BYTES = 5;

/**
 * Makes a secret: a prefix, 256 random bits and a checksum of 40 bits in base 62. The prefix and the checksum let
 * a scanner tell a leaked one from chance, and let us refuse a mistyped one without looking anything up.
 *
 * @param entropy 32 random bytes
 */
export function formatSecret(type: SecretType, entropy: Uint8Array): string {
  if (entropy.length !== 32) throw new RangeError('a secret takes 32 random bytes');
  const random = base62(entropy);
  return PREFIXES[type] + random + checksum(random);
}

/** Whether a secret looks like one of ours and cannot be one; secrets without the prefix are never mistyped. */
export function isMistyped(secret: string): boolean {
  const prefix = prefixOf(secret);
  if (prefix === '') return false;
  const random = secret.slice(prefix.length, prefix.length + RANDOM_DIGITS);
  return secret !== prefix + random + checksum(random);
}

/** What may be shown of a secret later: its first characters. */
export function secretHint(secret: string): string {
  return secret.slice(0, prefixOf(secret).length + 4);
}

function prefixOf(secret: string): string {
  return Object.values(PREFIXES).find((prefix) => secret.startsWith(prefix)) ?? '';
}

function checksum(random: string): string {
  return base62(hash('sha256', random, 'buffer').subarray(0, CHECKSUM_BYTES));
}
