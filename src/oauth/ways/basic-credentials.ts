/** A client id and a secret, as they were read from an `Authorization` header. */
export interface BasicCredentials {
  readonly clientId: string;
  readonly clientSecret: string;
}

/**
 * Reads an `Authorization` header with the scheme `Basic` (RFC 7617 §2).
 *
 * @returns `encoded`: the two halves as they were sent; `decoded`: the two halves form-decoded, since clients must
 *   encode them (RFC 6749 §2.3.1), or undefined if they are not encoded correctly. Undefined: the header has another
 *   form.
 */
export function parseBasic(
  authorization: string,
): { readonly encoded: BasicCredentials; readonly decoded: BasicCredentials | undefined } | undefined {
  const base64 = /^basic ([A-Za-z0-9+/]+)(={0,2})$/i.exec(authorization);
  if (base64 === null) return undefined;
  const [, digits = '', padding = ''] = base64;
  // The padding may be left out. If it is there, it must be correct.
  if (digits.length % 4 === 1 || (padding !== '' && (digits.length + padding.length) % 4 !== 0)) return undefined;
  const text = Buffer.from(digits, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  if (colon === -1) return undefined;
  const encoded = { clientId: text.slice(0, colon), clientSecret: text.slice(colon + 1) };
  try {
    return { encoded, decoded: { clientId: decode(encoded.clientId), clientSecret: decode(encoded.clientSecret) } };
  } catch {
    return { encoded, decoded: undefined };
  }
}

/** @throws URIError */
function decode(text: string): string {
  return decodeURIComponent(text.replaceAll('+', '%20'));
}
