import type { KeyRing } from '../../domain/signing-keys/key-ring.ts';

/** Writes the JWKS (RFC 7517 §5). Every public member of a key is picked by name, in an order that never changes. */
export function jwks({ keys }: KeyRing): object {
  return {
    keys: keys.map(({ publicJwk: { kid, alg, use, kty, crv, x, y, n, e } }) => ({
      kid,
      alg,
      use,
      kty,
      ...(kty === 'EC' && { crv, x, y }),
      ...(kty === 'OKP' && { crv, x }),
      ...(kty === 'RSA' && { n, e }),
    })),
  };
}
