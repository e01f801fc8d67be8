/** The field of the curve, and its constant d (RFC 8032 §5.1). */
const P = 2n ** 255n - 19n;
const D = 37_095_705_934_669_439_343_138_083_508_754_565_189_542_113_879_843_219_016_388_785_533_085_940_283_555n;

/** The y of the points of order 8, apart from its sign. Points of order 1, 2 and 4 have the y 1, -1 and 0. */
const ORDER_8 = [
  2_707_385_501_144_840_649_318_225_287_225_658_788_936_804_267_575_313_519_463_743_609_750_303_402_022n,
];

/**
 * Finds out why an Ed25519 key must be refused: anybody can sign for a point of small order, the point may not be on
 * the curve, or its encoding may not be canonical.
 *
 * @param encoded the 32 bytes of RFC 8032 §5.1.2
 * @returns the fault; undefined: the key has none of these
 */
export function ed25519Weakness(encoded: Buffer): string | undefined {
  const bigEndian = Buffer.from(encoded.toReversed());
  const y = BigInt(`0x${bigEndian.toString('hex')}`) & (2n ** 255n - 1n);
  if (y >= P) return 'is not the canonical encoding of a point';
  const small = [0n, 1n, P - 1n, ...ORDER_8, ...ORDER_8.map((value) => P - value)];
  if (small.includes(y)) return 'is a point of small order';
  // x² = (y² - 1) / (d y² + 1) must have a root (Euler's criterion).
  const square = (y * y) % P;
  const xSquared = ((square - 1n + P) * power(D * square + 1n, P - 2n)) % P;
  return power(xSquared, (P - 1n) / 2n) === 1n ? undefined : 'the point is not on the curve';
}

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  let factor = base % P;
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if ((rest & 1n) === 1n) result = (result * factor) % P;
    factor = (factor * factor) % P;
  }
  return result;
}
