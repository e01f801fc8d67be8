import { hash } from 'node:crypto';
import { base62 } from '../base62.ts';

/** The prefixes of client secrets and of API keys. */
export const PREFIXES = { client_secret: 'writ_', api_key: 'writk_' } as const;
export type SecretType = keyof typeof PREFIXES;

/** The number of digits of 256 bits in base 62. */
const RANDOM_DIGITS = 43;
const CHECKSUM_BYTES = 5;

/**
 * Formats a secret: a prefix, then 256 random bits and a checksum of 40 bits in base 62. By the prefix and the
 * checksum, a scanner can recognize a leaked secret, and this server can refuse a mistyped secret without asking the
 * database.
 *
 * @param entropy 32 random bytes
 */
export function formatSecret(type: SecretType, entropy: Uint8Array): string {
  if (entropy.length !== 32) throw new RangeError('a secret takes 32 random bytes');
  const random = base62(entropy);
  return PREFIXES[type] + random + checksum(random);
}

/**
 * Whether a text cannot be a secret of any account: it has a character that no secret has, or it has the prefix of a
 * generated secret and a wrong length or checksum.
 */
export function isMistyped(secret: string): boolean {
  if (oddityOf(secret) !== undefined) return true;
  const prefix = prefixOf(secret);
  if (prefix === '') return false;
  const random = secret.slice(prefix.length, prefix.length + RANDOM_DIGITS);
  return secret !== prefix + random + checksum(random);
}

/**
 * Describes a character that is not visible ASCII: ids and secrets consist of `[A-Za-z0-9_-]`.
 *
 * @returns the rest of a sentence that begins with the text; undefined: the text has no such character
 */
export function oddityOf(text: string): string | undefined {
  if (/^[\x21-\x7E]*$/.test(text)) return undefined;
  if (/[\r\n]$/.test(text)) return 'ends with a line break';
  if (/\s$/.test(text)) return 'ends with a blank';
  if (/^\s/.test(text)) return 'begins with a blank or a line break';
  if (/[^\x20-\x7E\s]/.test(text)) return 'has a character that is no visible character of ASCII';
  return 'has a blank or a line break in it';
}

/** The first characters of a secret, which may be shown later. */
export function secretHint(secret: string): string {
  return secret.slice(0, prefixOf(secret).length + 4);
}

function prefixOf(secret: string): string {
  return Object.values(PREFIXES).find((prefix) => secret.startsWith(prefix)) ?? '';
}

function checksum(random: string): string {
  return base62(hash('sha256', random, 'buffer').subarray(0, CHECKSUM_BYTES));
}
