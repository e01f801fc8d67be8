import type { SigningKey } from './signing-key.ts';

/**
 * Signs claims as a JWT in compact form (RFC 7519 §7.1). It does not use `jose`, which needs the private key: a key may
 * sign outside this process.
 *
 * @param typ the media type in the header
 */
export async function signJwt(
  { alg, kid, sign }: SigningKey,
  typ: string,
  claims: Readonly<Record<string, unknown>>,
): Promise<string> {
  const encode = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url');
  const input = `${encode({ alg, kid, typ })}.${encode(claims)}`;
  return `${input}.${Buffer.from(await sign(Buffer.from(input))).toString('base64url')}`;
}
