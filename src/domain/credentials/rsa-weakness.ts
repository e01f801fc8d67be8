import { checkPrime } from 'node:crypto';
import { promisify } from 'node:util';

/** The fault of an RSA key, and the member of the JWK that has it. */
export interface RsaWeakness {
  readonly member: 'n' | 'e';
  readonly message: string;
}

const isPrime = promisify(checkPrime);

/**
 * Finds out why an RSA key must be refused (RFC 7518 §3.3, NIST SP 800-56B §6.4). Its modulus may be too short to be
 * safe, too long to be cheap, or easy to factor, or its exponent may let anybody sign.
 *
 * @param modulus big-endian
 * @param exponent big-endian
 * @returns the fault; undefined: the key has none of these
 */
export async function rsaWeakness(modulus: Buffer, exponent: Buffer): Promise<RsaWeakness | undefined> {
  if (modulus[0] === 0) return { member: 'n', message: 'must not begin with a zero byte' };
  if (exponent[0] === 0) return { member: 'e', message: 'must not begin with a zero byte' };
  const n = BigInt(`0x${modulus.toString('hex')}`);
  const bits = n.toString(2).length;
  if (bits < 2048 || bits > 4096) return { member: 'n', message: `must be 2048 to 4096 bits, not ${bits}` };
  const e = exponent.length > 4 ? 0n : BigInt(`0x${exponent.toString('hex')}`);
  if (e < 65_537n || e % 2n === 0n) return { member: 'e', message: 'must be an odd number from 65537 to 4294967295' };

  if (primesBelow(65_536).some((prime) => n % prime === 0n)) return { member: 'n', message: 'has a small factor' };
  if (isRoca(n)) return { member: 'n', message: 'was made by a broken generator (CVE-2017-15361)' };
  if (hasCloseFactors(n)) return { member: 'n', message: 'has factors that are too close to each other' };
  if ((await isPrime(n)) === true) return { member: 'n', message: 'must not be a prime' };
  return undefined;
}

function primesBelow(limit: number): bigint[] {
  const composite = new Uint8Array(limit);
  const primes: bigint[] = [];
  for (let candidate = 2; candidate < limit; candidate += 1) {
    if (composite[candidate] === 1) continue;
    primes.push(BigInt(candidate));
    for (let multiple = candidate * candidate; multiple < limit; multiple += candidate) composite[multiple] = 1;
  }
  return primes;
}

/**
 * Whether a modulus has the fingerprint of keys from the Infineon library (Nemec et al., "The Return of Coppersmith's
 * Attack", 2017): modulo each of the first primes it is a power of 65537. A sound key has it by chance once in 2^27
 * times.
 */
function isRoca(n: bigint): boolean {
  return primesBelow(168).every((prime) => {
    if (prime === 2n) return true;
    const wanted = n % prime;
    let power = 1n;
    do {
      if (power === wanted) return true;
      power = (power * 65_537n) % prime;
    } while (power !== 1n);
    return false;
  });
}

/** Whether Fermat's method finds the factors. Keys made of neighbouring primes take a few rounds (CVE-2022-26320). */
function hasCloseFactors(n: bigint): boolean {
  let a = squareRoot(n);
  if (a * a === n) return true;
  for (let round = 0; round < 100; round += 1) {
    a += 1n;
    const rest = a * a - n;
    const root = squareRoot(rest);
    if (root * root === rest) return true;
  }
  return false;
}

/** The integer part of the square root, by Newton's method. */
function squareRoot(value: bigint): bigint {
  if (value < 2n) return value;
  let estimate = 1n << BigInt(Math.ceil(value.toString(2).length / 2));
  for (;;) {
    const next = (estimate + value / estimate) >> 1n;
    if (next >= estimate) return estimate;
    estimate = next;
  }
}
