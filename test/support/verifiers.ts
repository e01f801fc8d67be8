import { JwtVerifier } from 'aws-jwt-verify';
import { SimpleJwksCache } from 'aws-jwt-verify/jwk';
import { createVerifier } from 'fast-jwt';
import buildGetJwks from 'get-jwks';
import { createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose';
import jsonwebtoken from 'jsonwebtoken';
import jwksRsa from 'jwks-rsa';
import * as oauth from 'oauth4webapi';

/** An API that verifies tokens with a library. The library fetches the JWKS of one node, and keeps it as it likes. */
export interface Verifier {
  readonly name: string;
  /** @throws an error of the library for a token that it refuses */
  verify(token: string): Promise<unknown>;
  /** Lets the JWKS that the library keeps be older, if the library would not fetch it anew sooner. */
  age?(seconds: number): void;
}

/** Creates one API for each library, which read the JWKS of a node. */
export function verifiersOf(nodeUrl: string, issuer: string): readonly Verifier[] {
  const jwksUri = `${nodeUrl}/.well-known/jwks.json`;
  return [
    joseVerifier(jwksUri, issuer),
    jsonwebtokenVerifier(jwksUri, issuer),
    fastJwtVerifier(nodeUrl, issuer),
    oauth4webapiVerifier(jwksUri, issuer),
    awsVerifier(jwksUri, issuer),
  ];
}

function joseVerifier(jwksUri: string, issuer: string): Verifier {
  // By default, jose waits for 30 seconds of the real time before it looks for an unknown key.
  const keys = createRemoteJWKSet(new URL(jwksUri), { cooldownDuration: 0 });
  return { name: 'jose', verify: (token) => jwtVerify(token, keys, { issuer }) };
}

function jsonwebtokenVerifier(jwksUri: string, issuer: string): Verifier {
  const client = jwksRsa({ jwksUri });
  return {
    name: 'jsonwebtoken with jwks-rsa',
    async verify(token) {
      const { kid } = jsonwebtoken.decode(token, { complete: true })?.header ?? {};
      const key = await client.getSigningKey(kid);
      return jsonwebtoken.verify(token, key.getPublicKey(), { issuer, algorithms: ['ES256'] });
    },
  };
}

function fastJwtVerifier(domain: string, issuer: string): Verifier {
  const keys = buildGetJwks();
  const verify = createVerifier({
    algorithms: ['ES256'],
    allowedIss: issuer,
    key: ({ header }: { readonly header: Record<string, string> }) =>
      keys.getPublicKey({ kid: String(header['kid']), alg: String(header['alg']), domain }),
  });
  return { name: 'fast-jwt with get-jwks', verify: async (token) => verify(token) };
}

function oauth4webapiVerifier(jwksUri: string, issuer: string): Verifier {
  const cache: Partial<oauth.ExportedJWKSCache> = {};
  return {
    name: 'oauth4webapi',
    verify(token) {
      // The library keeps the JWKS twice: under this object, and in the cache, whose age the test moves.
      const server: oauth.AuthorizationServer = { issuer, jwks_uri: jwksUri };
      const audience = String(decodeJwt(token).aud);
      const request = new Request('http://api.example/', { headers: { Authorization: `Bearer ${token}` } });
      const options = { [oauth.allowInsecureRequests]: true, [oauth.jwksCache]: cache as oauth.JWKSCacheInput };
      return oauth.validateJwtAccessToken(server, request, audience, options);
    },
    age(seconds) {
      if (cache.uat !== undefined) cache.uat -= seconds;
    },
  };
}

function awsVerifier(jwksUri: string, issuer: string): Verifier {
  // The library's own fetcher demands https.
  const fetcher = { fetch: async (uri: string) => (await fetch(uri)).arrayBuffer() };
  const verifier = JwtVerifier.create(
    { issuer, audience: null, jwksUri },
    { jwksCache: new SimpleJwksCache({ fetcher }) },
  );
  return { name: 'aws-jwt-verify', verify: (token) => verifier.verify(token) };
}
