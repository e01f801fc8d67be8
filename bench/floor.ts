/**
 * The floor: a bare `node:http` server that does only the work which every token server must do. It hashes and compares
 * the secret, or verifies the assertion, and signs a token. It leaves out every check that can be left out.
 */
import { createHmac, generateKeyPairSync, randomUUID, sign, timingSafeEqual, verify } from 'node:crypto';
import { createServer } from 'node:http';
import type { SubjectSettings } from './subjects.ts';

const { port, issuer, alg, client }: SubjectSettings = JSON.parse(process.argv[2] ?? '');
const hmacKey = Buffer.alloc(32, 1);
const hash = (secret: string): Buffer => createHmac('sha256', hmacKey).update(secret).digest();
const secretHash = hash(client.clientSecret);
const clientKey = { key: client.publicJwk, format: 'jwk', dsaEncoding: 'ieee-p1363' } as const;
const { privateKey } =
  alg === 'ES256'
    ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
    : generateKeyPairSync('rsa', { modulusLength: 2048 });
const signingKey = { key: privateKey, dsaEncoding: 'ieee-p1363' } as const;
const header = Buffer.from(JSON.stringify({ typ: 'at+jwt', alg, kid: 'floor' })).toString('base64url');

function isAuthenticated(authorization: string | undefined, body: string): boolean {
  if (authorization !== undefined) {
    const [, secret = ''] = Buffer.from(authorization.slice(6), 'base64').toString().split(':');
    return timingSafeEqual(hash(secret), secretHash);
  }
  const assertion = new URLSearchParams(body).get('client_assertion') ?? '';
  const end = assertion.lastIndexOf('.');
  const signature = Buffer.from(assertion.slice(end + 1), 'base64url');
  return verify('sha256', Buffer.from(assertion.slice(0, end)), clientKey, signature);
}

function token(): string {
  const iat = Math.floor(Date.now() / 1000);
  const { clientId } = client;
  const claims = { iss: issuer, sub: clientId, client_id: clientId, aud: 'api://default', iat, exp: iat + 900 };
  const payload = Buffer.from(JSON.stringify({ ...claims, jti: randomUUID() })).toString('base64url');
  const signature = sign('sha256', Buffer.from(`${header}.${payload}`), signingKey).toString('base64url');
  return `${header}.${payload}.${signature}`;
}

createServer((request, response) => {
  let body = '';
  request.on('data', (chunk: Buffer) => (body += chunk.toString()));
  request.on('end', () => {
    if (!isAuthenticated(request.headers.authorization, body)) {
      response.writeHead(401).end();
      return;
    }
    const answer = JSON.stringify({ access_token: token(), token_type: 'Bearer', expires_in: 900 });
    response.writeHead(200, { 'Content-Type': 'application/json' }).end(answer);
  });
}).listen(port, '127.0.0.1');
