// Gets an access token with a private key (private_key_jwt, RFC 7523 §2.2), and prints the token.
// node examples/node/get-token.mjs ISSUER CLIENT_ID KEY_FILE
import { createPrivateKey, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { SignJWT } from 'jose';

const [issuer, clientId, keyFile] = process.argv.slice(2);
const key = createPrivateKey(readFileSync(keyFile));

// An assertion is good for one request: sign a new one for each, also when a request is repeated.
const assertion = await new SignJWT()
  .setProtectedHeader({ alg: 'ES256' })
  .setIssuer(clientId)
  .setSubject(clientId)
  .setAudience(issuer)
  .setJti(randomUUID())
  .setIssuedAt()
  .setExpirationTime('1 minute')
  .sign(key);

const response = await fetch(`${issuer}/oauth/token`, {
  method: 'POST',
  body: new URLSearchParams({
    grant_type: 'client_credentials',
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: assertion,
  }),
});
const answer = await response.json();
if (response.ok) console.log(answer.access_token);
else {
  console.error(`${response.status} ${answer.error}: ${answer.error_description}`);
  process.exitCode = 1;
}
