import { createServer, type Server } from 'node:https';
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';
import { selfSignedCertificate } from './self-signed-certificate.ts';

/** An issuer of identity tokens, as a CI system is one, on this machine. */
export interface FakeIssuer {
  /** The `iss` of its tokens, an https address on this machine. */
  readonly issuer: string;
  /** The certificate that a client must trust. */
  readonly ca: string;
  readonly jwks: { readonly keys: JWK[] };
  /** Every path that was asked for so far. */
  readonly asked: readonly string[];
  /** Signs a token with its present key. Members that are undefined are left out. */
  sign(claims: Readonly<Record<string, unknown>>, header?: { kid?: string; typ?: string }): Promise<string>;
  /** Replaces the key that signs, and publishes the new one only. */
  rotate(): Promise<void>;
  /** Answers requests in another way; undefined: as an issuer does. */
  answer: ((request: IncomingMessage, response: ServerResponse) => void) | undefined;
  close(): Promise<void>;
}

/** @param alg the algorithm of its tokens */
export async function startFakeIssuer(alg = 'RS256'): Promise<FakeIssuer> {
  const { key, cert } = selfSignedCertificate('localhost');
  const jwks: { keys: JWK[] } = { keys: [] };
  const asked: string[] = [];
  let signer: Awaited<ReturnType<typeof newKey>>;
  let made = 0;

  async function newKey() {
    const pair = await generateKeyPair(alg, { extractable: true });
    made += 1;
    const kid = `key-${made}`;
    jwks.keys = [{ ...(await exportJWK(pair.publicKey)), kid, alg, use: 'sig' }];
    return { ...pair, kid };
  }

  const server: Server = createServer(
    { key: key.export({ type: 'pkcs8', format: 'pem' }), cert },
    (request, response) => {
      const path = request.url ?? '';
      asked.push(path);
      if (issuer.answer !== undefined) return issuer.answer(request, response);
      const document = path.endsWith('/openid-configuration')
        ? { issuer: issuer.issuer, jwks_uri: `${issuer.issuer}/keys` }
        : path === '/keys'
          ? jwks
          : undefined;
      response.statusCode = document === undefined ? 404 : 200;
      response.setHeader('Content-Type', 'application/json');
      response.end(JSON.stringify(document ?? { error: 'none' }));
    },
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  signer = await newKey();
  const { port } = server.address() as AddressInfo;
  const issuer: FakeIssuer = {
    issuer: `https://localhost:${port}`,
    ca: cert,
    jwks,
    asked,
    sign(claims, header = {}) {
      return new SignJWT({ ...claims })
        .setProtectedHeader({ alg, kid: signer.kid, typ: 'JWT', ...header })
        .sign(signer.privateKey);
    },
    async rotate() {
      signer = await newKey();
    },
    answer: undefined,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  return issuer;
}
