import type { ClientId, CompanyId } from '../ids.ts';
import type { SigningAlg } from '../signing-keys/signing-key.ts';
import { LIST_CAPACITY, statusClaim } from '../status/status-entry.ts';

/** What decides how long an access token is. */
export interface SizedToken {
  readonly issuer: string;
  readonly audience: string;
  readonly clientId: ClientId;
  readonly company: CompanyId | undefined;
  readonly permissions: readonly string[];
  readonly alg: SigningAlg;
}

/** Characters of a signature in base64url: 64 bytes, or those of an RSA key of 2048 bits. */
const SIGNATURE: Record<SigningAlg, number> = { ES256: 86, EdDSA: 86, RS256: 342, PS256: 342 };

/** As long as what stands in their place. */
const TIME = 1_999_999_999;
const THUMBPRINT = 'k'.repeat(43);
const TOKEN_ID = 'j'.repeat(43);
const STATUS = { list: 9, idx: LIST_CAPACITY - 1 };

/** How many bytes an access token would have, at most. */
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

/** Base64url writes three bytes in four characters, and has no padding. */
function encodedLength(value: object): number {
  return Math.ceil((Buffer.byteLength(JSON.stringify(value)) * 4) / 3);
}
