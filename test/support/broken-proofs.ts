import { decodeJwt } from 'jose';
import { type ClientKey, jws, signature } from './assertions.ts';
import type { WantedProof } from './dpop.ts';

const now = (): number => Math.floor(Date.now() / 1000);

/** A wrong value of the header `DPoP`, or several values, and the words of the refusal. */
export type BrokenProof = readonly [string | readonly string[], RegExp];

/**
 * Every DPoP proof that a server must refuse (RFC 9449 §4.3), by what is wrong with it. None has an `ath` of another token:
 * a request for a token has none.
 *
 * @param proofFor makes a good proof with changes, by the key of the client unless another one is given
 * @param good a good proof
 * @param keys `key`: the key of the client; `other`: a key of somebody else; `rs256`: an RSA key
 */
export function brokenProofs(
  proofFor: (wanted: Partial<WantedProof>, by?: ClientKey) => string,
  good: string,
  { key, other, rs256 }: Readonly<Record<'key' | 'other' | 'rs256', ClientKey>>,
): Readonly<Record<string, BrokenProof>> {
  const { htm, htu } = decodeJwt<{ htm: string; htu: string }>(good);
  const broken: Record<string, BrokenProof> = {
    'two proofs': [[proofFor({}), proofFor({})], /cannot be read|one DPoP proof/],
    'no JWT': ['garbage', /cannot be read/],
    'an empty header': ['', /cannot be read/],
    'no typ': [proofFor({ header: { typ: undefined } }), /typ is/],
    'another typ': [proofFor({ header: { typ: 'JWT' } }), /typ is 'JWT', expected dpop\+jwt/],
    'no alg': [proofFor({ header: { alg: undefined } }), /cannot be read: alg is/],
    'alg none': [proofFor({ header: { alg: 'none' } }), /cannot be read: alg is 'none'/],
    RS256: [proofFor({}, rs256), /cannot be read: alg is 'RS256'/],
    'an HMAC': [proofFor({ header: { alg: 'HS256' } }), /cannot be read: alg is 'HS256'/],
    'no jwk': [proofFor({ header: { jwk: undefined } }), /jwk is no JWK/],
    'a jwk that is a text': [proofFor({ header: { jwk: 'key' } }), /jwk is no JWK/],
    'a private jwk': [
      proofFor({ header: { jwk: key.privateKey.export({ format: 'jwk' }) } }),
      /jwk has a private half/,
    ],
    'a symmetric jwk': [proofFor({ header: { jwk: { kty: 'oct', k: 'c2VjcmV0' } } }), /jwk has a private half/],
    'the jwk of another key': [
      proofFor({ header: { jwk: other.publicKey.export({ format: 'jwk' }) } }),
      /not signed with its key/,
    ],
    'a crit header': [proofFor({ header: { crit: ['x'], x: 1 } }), /cannot be read: crit/],
    'no jti': [proofFor({ claims: { jti: undefined } }), /jti is/],
    'an empty jti': [proofFor({ claims: { jti: '' } }), /jti is/],
    'a jti that is a number': [proofFor({ claims: { jti: 7 } }), /jti is 7/],
    'a long jti': [proofFor({ claims: { jti: 'x'.repeat(513) } }), /jti is/],
    'no htm': [proofFor({ claims: { htm: undefined } }), /htm is/],
    'another htm': [proofFor({ claims: { htm: 'PUT' } }), /htm is 'PUT'/],
    'htm in small letters': [proofFor({ claims: { htm: htm.toLowerCase() } }), /htm is/],
    'no htu': [proofFor({ claims: { htu: undefined } }), /htu is/],
    'another htu': [proofFor({ claims: { htu: `${new URL(htu).origin}/oauth/introspect` } }), /htu is .*, expected/],
    'another host': [proofFor({ claims: { htu: htu.replace('localhost', 'evil.example') } }), /htu is/],
    'a host with a user': [proofFor({ claims: { htu: htu.replace('//', '//a:b@') } }), /htu is/],
    'an htu that is no URL': [proofFor({ claims: { htu: '/oauth/token' } }), /htu is/],
    'no iat': [proofFor({ claims: { iat: undefined } }), /iat is/],
    'an iat that is a text': [proofFor({ claims: { iat: String(now()) } }), /iat is/],
    'an iat an hour ago': [proofFor({ claims: { iat: now() - 3600 } }), /36\d\d seconds before our clock/],
    'an iat an hour ahead': [proofFor({ claims: { iat: now() + 3600 } }), /\d+ seconds ahead of our clock/],
    'a nonce that is a number': [proofFor({ claims: { nonce: 7 } }), /nonce is 7/],
    'a name twice': [
      jws(
        key,
        { typ: 'dpop+jwt', alg: 'ES256', jwk: key.publicKey.export({ format: 'jwk' }) },
        '{"jti":"a","jti":"b"}',
      ),
      /cannot be read: its payload/,
    ],
  };
  broken['a broken signature'] = [`${good.slice(0, -8)}AAAAAAAA`, /not signed with its key/];
  const input = good.slice(0, good.lastIndexOf('.'));
  broken['the signature of another key'] = [`${input}.${signature(other, input)}`, /not signed with its key/];
  return broken;
}
