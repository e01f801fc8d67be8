/** The names of attribute types that mean the same (RFC 4514 §3, RFC 4519, and the names that OpenSSL and Java write). */
const TYPES: Readonly<Record<string, string>> = {
  '2.5.4.3': 'cn',
  commonname: 'cn',
  '2.5.4.4': 'sn',
  surname: 'sn',
  '2.5.4.5': 'serialnumber',
  '2.5.4.6': 'c',
  countryname: 'c',
  '2.5.4.7': 'l',
  localityname: 'l',
  '2.5.4.8': 'st',
  stateorprovincename: 'st',
  s: 'st',
  '2.5.4.9': 'street',
  streetaddress: 'street',
  '2.5.4.10': 'o',
  organizationname: 'o',
  '2.5.4.11': 'ou',
  organizationalunitname: 'ou',
  '2.5.4.12': 'title',
  t: 'title',
  '2.5.4.42': 'gn',
  givenname: 'gn',
  '2.5.4.97': 'organizationidentifier',
  '0.9.2342.19200300.100.1.1': 'uid',
  userid: 'uid',
  '0.9.2342.19200300.100.1.25': 'dc',
  domaincomponent: 'dc',
  '1.2.840.113549.1.9.1': 'emailaddress',
  e: 'emailaddress',
  email: 'emailaddress',
};

/** One character of a value, or its escape. */
const CHARACTER = /(?:\\(?:([\dA-Fa-f]{2})|([ "#+,;<=>\\]))|([^\\"+,;<>\0]))/uy;

/**
 * Reads a distinguished name (RFC 4514). Blanks beside separators mean nothing.
 *
 * @returns a text that two names share only if they are equal: the case of letters and runs of blanks do not matter (RFC
 *   4518); undefined: the text is no such name, or a value is in hexadecimal
 */
export function canonicalName(given: string): string | undefined {
  // OpenSSL prints this word before the name.
  const text = given.replace(/^\s*subject\s*=\s*(?=[\w.-]+\s*=)/i, '');
  const names: string[][] = [[]];
  let at = 0;
  for (;;) {
    const [begin = '', type = ''] = /^\s*([A-Za-z][\w-]*|\d+(?:\.\d+)+)\s*=\s*/.exec(text.slice(at)) ?? [];
    if (begin === '') return undefined;
    const value = readValue(text, at + begin.length);
    if (value === undefined) return undefined;
    names.at(-1)?.push(`${TYPES[type.toLowerCase()] ?? type.toLowerCase()}=${value.canonical}`);
    at = value.end;
    const separator = text[at];
    if (separator === undefined) return JSON.stringify(names.map((name) => name.toSorted()));
    if (separator === ',' || separator === ';') names.push([]);
    else if (separator !== '+') return undefined;
    at += 1;
  }
}

/** Reads a value up to the next separator, or to the end of the text. */
function readValue(text: string, begin: number): { canonical: string; end: number } | undefined {
  if (text[begin] === '#') return undefined;
  const bytes: Buffer[] = [];
  let end = begin;
  // Blanks at the end count only if they are escaped.
  let significant = 0;
  for (;;) {
    CHARACTER.lastIndex = end;
    const [whole, hex, special, plain] = CHARACTER.exec(text) ?? [];
    if (whole === undefined) break;
    bytes.push(hex === undefined ? Buffer.from(special ?? plain ?? '') : Buffer.from(hex, 'hex'));
    end += whole.length;
    if (plain === undefined || plain.trim() !== '') significant = bytes.length;
  }
  if (significant === 0) return undefined;
  const value = decode(Buffer.concat(bytes.slice(0, significant)));
  return value === undefined ? undefined : { canonical: value, end };
}

function decode(bytes: Buffer): string | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return text.normalize('NFC').toLowerCase().trim().replaceAll(/\s+/g, ' ');
  } catch {
    return undefined;
  }
}

/**
 * Writes the subject or the issuer of a certificate as RFC 4514 does; empty: the certificate has none.
 *
 * @param name as Node.js writes it: one relative name a line, the most general one first, with the escapes of RFC 4514.
 *   Its types do not say that it may be undefined
 */
export function writtenName(name: string | undefined): string {
  return (name ?? '').split('\n').toReversed().join(',');
}
