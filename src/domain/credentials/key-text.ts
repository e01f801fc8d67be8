import { CERTIFICATE, jwkOfDer, PRIVATE, type RefuseKey } from './der-key.ts';

const SSH =
  'it is an OpenSSH public key, which is not read: "ssh-keygen -e -m PKCS8 -f FILE" writes an RSA or EC key as PEM';

/** The PEM blocks that hold no public key, by a part of their label. */
const FOREIGN_BLOCKS: readonly (readonly [part: string, message: string])[] = [
  ['CERTIFICATE REQUEST', 'it is a certificate request: send the key in it, "openssl req -pubkey -noout" shows it'],
  ['CERTIFICATE', CERTIFICATE],
  ['PGP', 'it is OpenPGP, which signs no assertions'],
  ['SSH2', SSH],
  ['PARAMETERS', 'it holds the parameters of a key, and no key'],
];

/** Texts that are not PEM, by the pattern that identifies them. */
const FOREIGN_TEXTS: readonly (readonly [sign: RegExp, message: string])[] = [
  [/PuTTY-User-Key-File/, PRIVATE],
  [/BEGIN SSH2 PUBLIC KEY/, SSH],
  [/\b(?:ssh-(?:rsa|dss|ed25519)|ecdsa-sha2-nistp\d{3}|sk-[a-z\d@.-]{1,64}) AAAA/, SSH],
  [/^https?:/i, 'it is an address: send the key itself'],
  [/^<|<RSAKeyValue/, 'it is XML: send a JWK, or PEM'],
  [/^eyJ[\w-]*\.[\w-]*\./, 'it is a token: send the key that verifies it'],
];

/**
 * Reads a public key from a text: a JWK as JSON, PEM (RFC 7468) with a label that ends in PUBLIC KEY, or only the
 * base64 in such PEM. The lines of PEM may have been damaged on the way: joined, indented, separated by a literal `\n`,
 * or with other text around them.
 *
 * @returns the key as a JWK; for an `id-RSASSA-PSS` key (RFC 4055 §1.2) the RSA key in it, for PS256
 * @throws the error of `refuse` for everything else, with a message that says what it is
 */
export function jwkOfText(text: string, refuse: RefuseKey): Record<string, unknown> {
  const trimmed = text.trim();
  if (trimmed.startsWith('{')) return jwkOfJson(trimmed, refuse);
  // JSON or an environment variable may have escaped the text, once or twice; base64 has no backslash.
  const plain = trimmed.replaceAll(/\\[nrt]/g, '\n').replaceAll('\\', '');
  const blocks = pemBlocks(plain);
  const inside = blocks.find(({ label }) => label.includes('PRIVATE'));
  if (inside !== undefined) return refuse(`${PRIVATE} (${inside.label}): send the public half alone`);
  const [block, ...others] = blocks;
  if (block === undefined) return jwkOfBareText(plain, refuse);
  if (others.length > 0) {
    return refuse(`it must be one PEM block, not ${blocks.map(({ label }) => label).join(' and ')}`);
  }
  return jwkOfBlock(block, refuse);
}

interface PemBlock {
  readonly label: string;
  /** The text between the BEGIN line and the END line; undefined: the END line is missing. */
  readonly content: string | undefined;
}

function pemBlocks(text: string): PemBlock[] {
  return text
    .split('-----BEGIN ')
    .slice(1)
    .map((rest) => {
      const [label = '', content, end] = rest.split('-----', 3);
      // A text that is no label is not shown: it may be a part of a key.
      const shown = /^[A-Z\d .-]{1,64}$/.test(label) ? label : label.includes('PRIVATE') ? 'PRIVATE' : 'unknown';
      return { label: shown, content: end?.trimStart().startsWith('END ') === true ? content : undefined };
    });
}

function jwkOfBlock({ label, content }: PemBlock, refuse: RefuseKey): Record<string, unknown> {
  const foreign = FOREIGN_BLOCKS.find(([part]) => label.includes(part))?.[1];
  if (foreign !== undefined || !label.endsWith('PUBLIC KEY')) {
    const why = foreign ?? 'it must be PUBLIC KEY or RSA PUBLIC KEY';
    return refuse(`a PEM block of type ${label} is not read: ${why}`);
  }
  if (content === undefined) return refuse(`the PEM block ${label} has no end: it was cut off`);
  const der = base64Bytes(content);
  return der === undefined ? refuse('the PEM block holds no public key: it is not base64') : jwkOfDer(der, refuse);
}

function jwkOfBareText(text: string, refuse: RefuseKey): Record<string, unknown> {
  const foreign = FOREIGN_TEXTS.find(([sign]) => sign.test(text));
  if (foreign !== undefined) return refuse(foreign[1]);
  const bytes = base64Bytes(text);
  // DER begins with the tag of a SEQUENCE. A Kubernetes secret shows PEM or JSON in base64.
  if (bytes?.[0] === 0x30) return jwkOfDer(bytes, refuse);
  const decoded = bytes?.toString('latin1').trim() ?? '';
  if (/^\{|-----BEGIN /.test(decoded)) return jwkOfText(decoded, refuse);
  return refuse('it must be a JWK, or one PEM block of type PUBLIC KEY or RSA PUBLIC KEY');
}

function jwkOfJson(text: string, refuse: RefuseKey): Record<string, unknown> {
  try {
    return { ...Object(JSON.parse(text)) };
  } catch {
    return refuse('it begins like a JWK and is not JSON');
  }
}

/** Decodes base64 or base64url, with or without line breaks; undefined: the text is neither. */
function base64Bytes(text: string): Buffer | undefined {
  const characters = text.replaceAll(/\s/g, '');
  return /^[\w+/-]+={0,2}$/.test(characters) ? Buffer.from(characters, 'base64') : undefined;
}
