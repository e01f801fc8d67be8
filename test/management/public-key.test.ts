import assert from 'node:assert/strict';
import { checkPrimeSync, generateKeyPairSync, generatePrimeSync, randomBytes, randomInt, sign } from 'node:crypto';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { calculateJwkThumbprint, type JWK } from 'jose';
import type { Reply } from '../support/api-contract.ts';
import { parsePublicKey } from '../../src/domain/credentials/public-key.ts';
import { DomainError } from '../../src/domain/domain-error.ts';
import { clientKey } from '../support/assertions.ts';
import { embedded } from '../support/databases.ts';
import { useTestApp } from '../support/test-app.ts';

const number = (value: bigint): string => {
  const hex = value.toString(16);
  return Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex').toString('base64url');
};
const rsa = (n: bigint, e = 65_537n): JWK => ({ kty: 'RSA', n: number(n), e: number(e) });
const prime = (bits: number): bigint => generatePrimeSync(bits, { bigint: true });

const good = rsa(prime(1024) * prime(1024));
const ec = clientKey('ES256').jwk;
const ed = clientKey('EdDSA').jwk;

async function refusal(value: unknown): Promise<{ pointer: string | undefined; message: string }> {
  try {
    await parsePublicKey(value, '/publicKey');
    return { pointer: undefined, message: 'accepted' };
  } catch (error) {
    assert.ok(error instanceof DomainError);
    assert.equal(error.code, 'invalid_value');
    return { pointer: error.fields[0]?.pointer, message: error.message };
  }
}

async function refused(value: unknown, pointer: string, message: RegExp): Promise<void> {
  const actual = await refusal(value);
  assert.equal(actual.pointer, pointer, JSON.stringify(value));
  assert.match(actual.message, message);
}

describe('N-10 a public key', () => {
  test('A-20 is refused when it is RSA and too short or too long', async () => {
    for (const bits of [512, 1024, 2046]) {
      await refused(rsa(prime(bits / 2) * prime(bits / 2)), '/publicKey/n', /must be 2048 to 4096 bits/);
    }
    await refused(rsa((1n << 4096n) + 1n), '/publicKey/n', /must be 2048 to 4096 bits, not 4097/);
    await refused(rsa((1n << 8191n) + 1n), '/publicKey/n', /must be 2048 to 4096 bits, not 8192/);
    for (const bits of [2048, 3072, 4096]) {
      const { publicKey } = generateKeyPairSync('rsa', { modulusLength: bits });
      assert.equal((await refusal(publicKey.export({ format: 'jwk' }))).message, 'accepted');
    }
  });

  test('A-21 is refused when its exponent is even, below 65537 or above 32 bits', async () => {
    const n = String(good.n);
    for (const e of [0n, 1n, 2n, 3n, 17n, 65_536n, 65_538n, 1n << 32n, (1n << 64n) + 1n]) {
      await refused({ kty: 'RSA', n, e: number(e) }, '/publicKey/e', /must (?:be an odd number|not begin)/);
    }
    for (const e of [65_537n, 65_539n, 4_294_967_295n]) {
      assert.equal((await refusal({ kty: 'RSA', n, e: number(e) })).message, 'accepted');
    }
  });

  test('A-22 is refused when its modulus is easy to factor', async () => {
    const p = prime(1024);
    await refused(rsa((1n << 2048n) - 1n), '/publicKey/n', /has a small factor/);
    await refused(rsa(p * prime(1024) * 2n), '/publicKey/n', /has a small factor/);
    await refused(rsa(prime(2032) * 65_521n), '/publicKey/n', /has a small factor/);
    await refused(rsa(prime(2048)), '/publicKey/n', /must not be a prime/);
    await refused(rsa(p * p), '/publicKey/n', /too close to each other/);
    let next = p + 2n;
    while (!checkPrimeSync(next)) next += 2n;
    await refused(rsa(p * next), '/publicKey/n', /too close to each other/);
    const padded = Buffer.concat([Buffer.from([0]), Buffer.from(String(good.n), 'base64url')]).toString('base64url');
    await refused({ ...good, n: padded }, '/publicKey/n', /must not begin with a zero byte/);
  });

  test('A-23 is refused when it comes from the generator with the ROCA flaw', async () => {
    // The flawed library generates primes of the form k·M + (65537^a mod M). M is the product of the first 126 primes.
    const first = Array.from({ length: 710 }, (_, index) => BigInt(index)).filter(
      (candidate) => candidate > 1n && checkPrimeSync(candidate),
    );
    const M = first.slice(0, 126).reduce((product, factor) => product * factor, 1n);
    const flawed = (): bigint => {
      for (;;) {
        let power = 1n;
        for (let a = randomInt(1000, 5000); a > 0; a -= 1) power = (power * 65_537n) % M;
        const bits = 1024 - M.toString(2).length;
        const k =
          (BigInt(`0x${randomBytes(Math.ceil(bits / 8)).toString('hex')}`) % (1n << BigInt(bits))) |
          (1n << BigInt(bits - 1));
        const candidate = k * M + power;
        if (candidate.toString(2).length === 1024 && checkPrimeSync(candidate, { checks: 5 })) return candidate;
      }
    };
    let n = flawed() * flawed();
    while (n.toString(2).length < 2048) n = flawed() * flawed();
    await refused(rsa(n), '/publicKey/n', /broken generator \(CVE-2017-15361\)/);
  });

  test('A-24 is refused when it is not a point of P-256', async () => {
    const zero = Buffer.alloc(32).toString('base64url');
    const short = Buffer.alloc(31, 1).toString('base64url');
    await refused({ ...ec, x: zero, y: zero }, '/publicKey/x', /not on the curve/);
    await refused({ ...ec, y: ec['x'] }, '/publicKey/x', /not on the curve/);
    await refused({ ...ec, x: short }, '/publicKey/x', /must be 32 bytes/);
    await refused({ ...ec, y: Buffer.alloc(33, 1).toString('base64url') }, '/publicKey/y', /must be 32 bytes/);
    for (const namedCurve of ['secp256k1', 'P-384', 'P-521']) {
      const { publicKey } = generateKeyPairSync('ec', { namedCurve });
      await refused(publicKey.export({ format: 'jwk' }), '/publicKey/crv', /must be P-256/);
    }
    await refused({ ...ec, x5c: ['MIIB'] }, '/publicKey/x5c', /register the key itself/);
  });

  test('A-25 is refused when it is an Ed25519 point of small order, not canonical or not on the curve', async () => {
    const encodings = [
      '0000000000000000000000000000000000000000000000000000000000000000',
      '0100000000000000000000000000000000000000000000000000000000000000',
      '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
      'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
      'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
      'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
      'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
      'f0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
    ].flatMap((hex) => {
      const bytes = Buffer.from(hex, 'hex');
      const negated = Buffer.from(bytes);
      negated.writeUInt8(negated.readUInt8(31) ^ 0x80, 31);
      return [bytes, negated];
    });
    for (const bytes of encodings) {
      await refused({ ...ed, x: bytes.toString('base64url') }, '/publicKey/x', /small order|canonical/);
    }
    await refused({ ...ed, x: Buffer.alloc(32, 2).toString('base64url') }, '/publicKey/x', /not on the curve/);
    await refused({ ...ed, crv: 'X25519' }, '/publicKey/crv', /must be Ed25519/);
    for (let round = 0; round < 20; round += 1) {
      assert.equal((await refusal(clientKey('EdDSA').jwk)).message, 'accepted');
    }
  });

  test('A-26 is refused when its private half or a shared secret comes with it', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const pem = (type: 'pkcs1' | 'pkcs8') => privateKey.export({ type, format: 'pem' });
    const spki = publicKey.export({ type: 'spki', format: 'pem' });
    for (const value of [
      privateKey.export({ format: 'jwk' }),
      clientKey('ES256').privateKey.export({ format: 'jwk' }),
      clientKey('EdDSA').privateKey.export({ format: 'jwk' }),
      { kty: 'oct', k: 'AAAA' },
      { ...ec, d: '' },
    ]) {
      const { message } = await refusal(value);
      assert.match(message, /holds private key material/);
    }
    for (const value of [pem('pkcs1'), pem('pkcs8'), spki + pem('pkcs8')]) {
      await refused(value, '/publicKey', /private key material/);
    }
  });

  test('is refused when its members are invalid or contradict each other', async () => {
    await refused({ ...ec, use: 'enc' }, '/publicKey/use', /must be sig/);
    await refused({ ...ec, key_ops: ['sign'] }, '/publicKey/key_ops', /must include verify/);
    await refused({ ...ec, alg: 'ES384' }, '/publicKey/alg', /must be ES256/);
    await refused({ ...good, alg: 'RS512' }, '/publicKey/alg', /must be RS256 or PS256/);
    await refused({ ...ed, alg: 'ES256' }, '/publicKey/alg', /must be EdDSA/);
    await refused({ ...ec, kty: 'ec' }, '/publicKey/kty', /must be RSA, EC or OKP/);
    for (const kid of ['', 'a b', 'x'.repeat(129), 7, null, 'é']) {
      await refused({ ...ec, kid }, '/publicKey/kid', /1 to 128 printable ASCII/);
    }
    for (const x of [undefined, 7, '', 'a+b', `${String(ec['x'])}=`]) {
      await refused({ ...ec, x }, '/publicKey/x', /must be base64url/);
    }
    await refused('no PEM', '/publicKey', /one PEM block/);
    await refused('-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----', '/publicKey', /holds no public key/);
    await refused(
      '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----',
      '/publicKey',
      /CERTIFICATE is not read/,
    );
    await refused({}, '/publicKey/kty', /must be/);
  });
});

describe('the reader of public keys', () => {
  test('takes the needed members from a JWK or PEM, and the thumbprint as kid if there is none', async () => {
    const key = clientKey('ES256');
    const thumbprint = await calculateJwkThumbprint(key.jwk);
    const pem = key.publicKey.export({ type: 'spki', format: 'pem' });
    for (const value of [key.jwk, pem, { ...key.jwk, ext: true, key_ops: ['verify'], use: 'sig', alg: 'ES256' }]) {
      assert.deepEqual(await parsePublicKey(value, ''), {
        kid: thumbprint,
        thumbprint,
        publicKey: { ...key.jwk, alg: 'ES256' },
      });
    }
    const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const pkcs1 = publicKey.export({ type: 'pkcs1', format: 'pem' });
    const fromPem = (await parsePublicKey(pkcs1, '')).publicKey;
    assert.deepEqual(fromPem, { ...publicKey.export({ format: 'jwk' }), alg: 'RS256' });
    const mia = await parsePublicKey({ ...publicKey.export({ format: 'jwk' }), alg: 'RSA256', kid: 'miactl' }, '');
    assert.equal(mia.kid, 'miactl');
    assert.deepEqual(mia.publicKey, fromPem);
  });

  test('accepts any value or refuses it with invalid_value', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.anything(),
          fc.record(
            {
              kty: fc.constantFrom('RSA', 'EC', 'OKP', 'oct'),
              crv: fc.constantFrom('P-256', 'Ed25519', 'P-384'),
              alg: fc.option(fc.constantFrom('RS256', 'ES256', 'EdDSA'), { nil: undefined }),
              x: fc.base64String({ maxLength: 44 }),
              y: fc.base64String({ maxLength: 44 }),
              n: fc.base64String({ maxLength: 400 }),
              e: fc.base64String({ maxLength: 8 }),
            },
            { requiredKeys: ['kty'] },
          ),
        ),
        async (value) => {
          const { message } = await refusal(value);
          assert.ok(message.length > 0);
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe('the registration of an account with keys', () => {
  const app = useTestApp(embedded);
  const register = (body: object): Promise<Reply> => app.api('POST', '/api/service-accounts', body);

  test('accepts the body of Mia’s clients, and answers without a secret', async () => {
    const key = clientKey('RS256');
    const { status, json } = await register({
      name: 'Mia',
      tokenEndpointAuthMethod: 'private_key_jwt',
      publicKey: { ...key.jwk, alg: 'RSA256', kid: 'miactl', use: 'sig' },
    });
    assert.equal(status, 201);
    assert.equal('clientSecret' in json, false);
    assert.equal('clientSecretExpiresAt' in json, false);
    assert.equal(json.credentials[0].kid, 'miactl');
  });

  test('N-10 accepts an RSA-PSS key in PEM, whose assertions get tokens', async () => {
    const { publicKey, privateKey } = generateKeyPairSync('rsa-pss', { modulusLength: 2048 });
    const pem = publicKey.export({ type: 'spki', format: 'pem' });
    const { status, json } = await register({
      name: 'PSS',
      credentials: [{ type: 'public_key', publicKey: pem }],
    });
    assert.equal(status, 201);
    assert.equal(json.credentials[0].publicKey.alg, 'PS256');
    const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    const now = Math.floor(Date.now() / 1000);
    const claims = { iss: json.clientId, sub: json.clientId, aud: app.issuer, jti: 'pss', iat: now, exp: now + 60 };
    const input = `${part({ alg: 'PS256' })}.${part(claims)}`;
    const signature = sign('sha256', Buffer.from(input), { key: privateKey, saltLength: 32 }).toString('base64url');
    const reply = await app.request('/oauth/token', {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'client_credentials',
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
        client_assertion: `${input}.${signature}`,
      }),
    });
    assert.equal(reply.status, 200, reply.text);
  });

  test('refuses with 422 a readable key that cannot sign assertions', async () => {
    for (const { publicKey } of [
      generateKeyPairSync('rsa-pss', { modulusLength: 2048, hashAlgorithm: 'sha512' }),
      generateKeyPairSync('dsa', { modulusLength: 2048, divisorLength: 256 }),
      generateKeyPairSync('ec', { namedCurve: 'brainpoolP256r1' }),
      generateKeyPairSync('x448'),
    ]) {
      const pem = publicKey.export({ type: 'spki', format: 'pem' });
      const reply = await register({ name: 'No', credentials: [{ type: 'public_key', publicKey: pem }] });
      assert.equal(reply.status, 422, reply.text);
      assert.equal(reply.json.errors[0].pointer, '/credentials/0/publicKey');
      const line = app.log().find(({ requestId }) => requestId === reply.json.requestId);
      assert.deepEqual([line?.['reason'], line?.['detail']], ['invalid_body', reply.json.detail]);
    }
  });

  test('issues exactly the requested credentials, also none', async () => {
    const none = await register({ name: 'None', credentials: [] });
    assert.equal(none.json.credentialCount, 0);
    const two = await register({ name: 'Two', credentials: [{ type: 'client_secret' }, { type: 'client_secret' }] });
    const secrets = two.json.credentials.map((credential: { clientSecret: string }) => credential.clientSecret);
    assert.equal(new Set(secrets).size, 2);
    for (const clientSecret of secrets) {
      assert.equal((await app.token({ clientId: two.json.clientId, clientSecret })).status, 200);
    }
    assert.equal((await app.token({ clientId: none.json.clientId, clientSecret: secrets[0] })).status, 401);
  });

  test('A-27 refuses a key twice, a kid twice, and a key of this server', async () => {
    const key = clientKey('ES256');
    const twice = [key.jwk, { ...key.jwk, kid: 'other' }].map((publicKey) => ({ type: 'public_key', publicKey }));
    assert.equal((await register({ name: 'Twice', credentials: twice })).status, 409);
    const sameKid = [clientKey('ES256', 'k'), clientKey('ES256', 'k')].map(({ jwk }) => ({
      type: 'public_key',
      publicKey: jwk,
    }));
    assert.equal((await register({ name: 'Kid', credentials: sameKid })).json.code, 'already_exists');
    const { json } = await app.request('/.well-known/jwks.json');
    for (const own of json.keys) {
      const reply = await register({ name: 'Ours', credentials: [{ type: 'public_key', publicKey: own }] });
      assert.equal(reply.status, 422, own.alg);
      assert.match(reply.json.errors[0].message, /is a key of this server/);
    }
  });

  test('A-28 A-26 limits the number of keys, and repeats no private key in the answer, the log or the audit', async () => {
    const many = Array.from({ length: 11 }, () => ({ type: 'public_key', publicKey: clientKey('EdDSA').jwk }));
    const limit = await register({ name: 'Many', credentials: many });
    assert.equal(limit.status, 422);
    assert.equal(limit.json.code, 'limit_reached');
    const secret = clientKey('ES256').privateKey.export({ format: 'jwk' });
    const reply = await register({ name: 'Oops', credentials: [{ type: 'public_key', publicKey: secret }] });
    assert.equal(reply.status, 422);
    assert.equal(reply.json.errors[0].pointer, '/credentials/0/publicKey/d');
    assert.equal(reply.text.includes(String(secret.d)), false);
    assert.equal(JSON.stringify(app.log()).includes(String(secret.d)), false);
    const rows = await app.knex('audit_events').select();
    assert.equal(JSON.stringify(rows).includes(String(secret.d)), false);
  });

  test('refuses members that belong to another type of credential', async () => {
    const publicKey = clientKey('ES256').jwk;
    const cases: [object, string][] = [
      [{ credentials: [], tokenEndpointAuthMethod: 'client_secret_basic' }, '/tokenEndpointAuthMethod'],
      [{ credentials: [], publicKey }, '/publicKey'],
      [{ publicKey }, '/publicKey'],
      [{ tokenEndpointAuthMethod: 'private_key_jwt' }, '/publicKey'],
      [{ credentials: [{ type: 'client_secret', publicKey }] }, '/credentials/0/publicKey'],
      [{ credentials: [{ type: 'client_secret', assertionMaxTtl: 60 }] }, '/credentials/0/assertionMaxTtl'],
      [{ credentials: [{ type: 'public_key' }] }, '/credentials/0/publicKey'],
      [{ credentials: [{ type: 'api_key' }] }, '/credentials/0/audience'],
      [{ credentials: [{ type: 'certificate' }] }, '/credentials/0/certificate'],
      [{ credentials: [{ type: 'password' }] }, '/credentials/0/type'],
    ];
    for (const [body, pointer] of cases) {
      const reply = await register({ name: 'Mixed', ...body });
      assert.equal(reply.status, 422, JSON.stringify(body));
      assert.equal(reply.json.errors[0].pointer, pointer);
    }
  });
});
