/**
 * Reads the algorithm of a SubjectPublicKeyInfo (RFC 5280 §4.1).
 *
 * @param der bytes that may be a SubjectPublicKeyInfo
 * @returns the OID of the algorithm in dotted form; undefined: the bytes are something else
 */
export function algorithmOf(der: Buffer): string | undefined {
  const [algorithm] = membersOf(der, SEQUENCE) ?? [];
  const [oid] = (algorithm && membersOf(algorithm.whole, SEQUENCE)) ?? [];
  return oid?.tag === OBJECT_IDENTIFIER && oid.content.length > 0 ? dotted(oid.content) : undefined;
}

/**
 * Reads the key in a SubjectPublicKeyInfo, without its algorithm.
 *
 * @returns undefined: the bytes are something else
 */
export function keyBitsOf(der: Buffer): Buffer | undefined {
  const bits = membersOf(der, SEQUENCE)?.[1];
  // The first byte of a BIT STRING is the number of unused bits in its last byte.
  return bits?.tag === BIT_STRING && bits.content[0] === 0 ? bits.content.subarray(1) : undefined;
}

const SEQUENCE = 0x30;
const BIT_STRING = 0x03;
const OBJECT_IDENTIFIER = 0x06;

/** One value in DER (X.690 §8.1). */
interface DerValue {
  readonly tag: number;
  readonly content: Buffer;
  /** The bytes of the value with its tag and its length. */
  readonly whole: Buffer;
}

function membersOf(der: Buffer, tag: number): DerValue[] | undefined {
  const outer = firstValue(der);
  if (outer?.tag !== tag) return undefined;
  const members: DerValue[] = [];
  for (let rest = outer.content; rest.length > 0;) {
    const member = firstValue(rest);
    if (member === undefined) return undefined;
    members.push(member);
    rest = rest.subarray(member.whole.length);
  }
  return members;
}

function firstValue(der: Buffer): DerValue | undefined {
  const [tag, first] = der;
  if (tag === undefined || first === undefined) return undefined;
  const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
  if (lengthBytes > 3 || first === 0x80 || der.length < 2 + lengthBytes) return undefined;
  const start = 2 + lengthBytes;
  const length = lengthBytes === 0 ? first : der.readUIntBE(2, lengthBytes);
  if (der.length < start + length) return undefined;
  return { tag, content: der.subarray(start, start + length), whole: der.subarray(0, start + length) };
}

/** Writes an OID in dotted form (X.690 §8.19): a byte has seven bits of a number, and the first number has two arcs. */
function dotted(content: Buffer): string {
  const numbers: number[] = [];
  let number = 0;
  for (const byte of content.subarray(0, 32)) {
    number = number * 128 + (byte & 0x7f);
    if (byte >= 0x80) continue;
    numbers.push(number);
    number = 0;
  }
  const [head = 0, ...arcs] = numbers;
  const root = Math.min(Math.floor(head / 40), 2);
  return [root, head - root * 40, ...arcs].join('.');
}
