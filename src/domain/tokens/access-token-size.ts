import type { ClientId, CompanyId } from '../ids.ts';
import type { SigningAlg } from '../signing-keys/signing-key.ts';
import { LIST_CAPACITY, statusClaim } from '../status/status-entry.ts';

/** The parts of an access token that decide how many bytes it has. */
export interface SizedToken {
  readonly issuer: string;
  readonly audience: string;
  readonly clientId: ClientId;
  readonly company: CompanyId | undefined;
  readonly permissions: readonly string[];
  readonly alg: SigningAlg;
}

/** The length of a signature in base64url: of 64 bytes, or of the 256 bytes that an RSA key of 2048 bits makes. */
const SIGNATURE: Record<SigningAlg, number> = { ES256: 86, EdDSA: 86, RS256: 342, PS256: 342 };

/** Examples of the same length as the values in a token. */
const TIME = 1_999_999_999;
const THUMBPRINT = 'k'.repeat(43);
const TOKEN_ID = 'j'.repeat(43);
const STATUS = { list: 99, idx: LIST_CAPACITY - 1 };

/** The most bytes that an access token with these parts can have. */
export function accessTokenSize({ issuer, audience, clientId, company, permissions, alg }: SizedToken): number {
  const header = { alg, typ: 'at+jwt', kid: THUMBPRINT };
  const claims = {
    iss: issuer,
    sub: clientId,
    client_id: clientId,
    aud: audience,
    iat: TIME,
    exp: TIME,
    jti: TOKEN_ID,
    permissions,
    status: statusClaim(issuer, STATUS),
    ...(permissions.length > 0 && { scope: permissions.join(' ') }),
    ...(company !== undefined && { company_id: company }),
  };
  return [header, claims].map(encodedLength).reduce((sum, length) => sum + length + 1, SIGNATURE[alg]);
}

/** The length of a value in base64url, which writes three bytes as four characters and has no padding. */
function encodedLength(value: object): number {
  return Math.ceil((Buffer.byteLength(JSON.stringify(value)) * 4) / 3);
}
