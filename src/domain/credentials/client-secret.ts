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

/**
 * Whether a text cannot be a secret of ours, whatever account it is sent for: it has a character that no secret has, or it
 * begins like one that we make and does not end like one.
 */
export function isMistyped(secret: string): boolean {
  if (oddityOf(secret) !== undefined) return true;
  const prefix = prefixOf(secret);
  if (prefix === '') return false;
  const random = secret.slice(prefix.length, prefix.length + RANDOM_DIGITS);
  return secret !== prefix + random + checksum(random);
}

/** How a text differs from the ids and secrets that there are, all of them `[A-Za-z0-9_-]`, in words that follow it. */
export function oddityOf(text: string): string | undefined {
  if (/^[\x21-\x7E]*$/.test(text)) return undefined;
  if (/[\r\n]$/.test(text)) return 'ends with a line break';
  if (/\s$/.test(text)) return 'ends with a blank';
  if (/^\s/.test(text)) return 'begins with a blank or a line break';
  if (/[^\x20-\x7E\s]/.test(text)) return 'has a character that is no visible character of ASCII';
  return 'has a blank or a line break in it';
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
