import assert from 'node:assert/strict';
import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { parsePublicKey, type PublicJwk } from '../../src/domain/credentials/public-key.ts';
import { DomainError } from '../../src/domain/domain-error.ts';

const pem = (key: KeyObject): string => key.export({ type: 'spki', format: 'pem' });
const der = (key: KeyObject): Buffer => key.export({ type: 'spki', format: 'der' });
const armoured = (label: string, bytes: Buffer): string =>
  `-----BEGIN ${label}-----\n${bytes.toString('base64')}\n-----END ${label}-----\n`;

/** `generateKeyPairSync` for types and options from a table, which the overloads of its own type do not allow. */
const generate: (type: string, options?: object) => { publicKey: KeyObject; privateKey: KeyObject } =
  generateKeyPairSync as never;

async function read(text: unknown): Promise<PublicJwk | string> {
  try {
    return (await parsePublicKey(text, '/publicKey')).publicKey;
  } catch (error) {
    assert.ok(error instanceof DomainError, String(error));
    assert.equal(error.code, 'invalid_value');
    assert.equal(error.fields[0]?.pointer.startsWith('/publicKey'), true);
    return error.message;
  }
}

async function named(text: unknown, as: RegExp): Promise<void> {
  const found = await read(text);
  assert.equal(typeof found, 'string', JSON.stringify(found));
  assert.match(String(found), as);
}

/** A self-signed certificate in DER. Nobody has its private key. */
const CERTIFICATE = Buffer.from(
  [
    'MIIBcDCCARWgAwIBAgIULVxLViE5Sd90kVAkUxKSIOrZrGMwCgYIKoZIzj0EAwIwDDEKMAgGA1UEAwwBeDAgFw0yNjExMjUw',
    'MTMyMjhaGA8yMTI2MTEwMTAxMzIyOFowDDEKMAgGA1UEAwwBeDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABNGBto9OsHTA',
    'Xic5Tz2Aa3qY5hBGRTddK4lphPe751SYgCuDAmC+W15npWvCJ4K2W4wW49ZTkRq7j4cTXZhMNKCjUzBRMB0GA1UdDgQWBBQ1',
    '5bkrVrHBydziBSYmg6swLa6qHzAfBgNVHSMEGDAWgBQ15bkrVrHBydziBSYmg6swLa6qHzAPBgNVHRMBAf8EBTADAQH/MAoG',
    'CCqGSM49BAMCA0kAMEYCIQCtCpyUXogqNJ2RVPT18AdS+eK5YRr32iloO7In784qVAIhAM0+KLQkNUQuPcQyrzZfO2I5jFPZ',
    'HDYCdbeJbdV4jCqh',
  ].join(''),
  'base64',
);

const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const ed = generateKeyPairSync('ed25519');
const KEYS = [
  { key: ec.publicKey, alg: 'ES256' },
  { key: rsa.publicKey, alg: 'RS256' },
  { key: ed.publicKey, alg: undefined },
];
const jwkOf = (key: KeyObject, alg: string | undefined): object => ({
  ...key.export({ format: 'jwk' }),
  ...(alg !== undefined && { alg }),
});

describe('a public key in PEM', () => {
  const shapes: [string, (text: string) => string][] = [
    ['as OpenSSL writes it', (text) => text],
    ['with CRLF', (text) => text.replaceAll('\n', '\r\n')],
    ['with CR', (text) => text.replaceAll('\n', '\r')],
    ['on one line with blanks', (text) => text.trim().replaceAll('\n', ' ')],
    ['on one line without blanks', (text) => text.replaceAll('\n', '')],
    ['with literal \\n', (text) => text.replaceAll('\n', '\\n')],
    ['with literal \\r\\n', (text) => text.replaceAll('\n', '\\r\\n')],
    ['with literal \\\\n', (text) => text.replaceAll('\n', '\\\\n')],
    ['with backslashes at the ends of lines', (text) => text.replaceAll('\n', '\\\n')],
    ['indented', (text) => text.replaceAll(/^/gm, '    ')],
    ['indented with tabs', (text) => text.replaceAll(/^/gm, '\t\t')],
    ['with empty lines', (text) => text.replaceAll('\n', '\n\n')],
    ['in quotes', (text) => `"${text}"`],
    ['as the value of a shell variable', (text) => `PUBLIC_KEY='${text.replaceAll('\n', '\\n')}'`],
    ['with text around it', (text) => `Here is our key:\n\n${text}\nKind regards\n`],
    ['after a byte order mark', (text) => `\uFEFF${text}`],
    ['encoded in base64 a second time', (text) => btoa(text)],
    ['without its BEGIN and END lines', (text) => text.replaceAll(/-----[^-]+-----/g, '')],
    ['without its BEGIN and END lines, on one line', (text) => text.replaceAll(/-----[^-]+-----|\n/g, '')],
    ['with an unusual label', (text) => text.replaceAll('PUBLIC KEY', 'ANY PUBLIC KEY')],
  ];
  for (const [name, shape] of shapes) {
    test(`is read ${name}`, async () => {
      for (const { key, alg } of KEYS) assert.deepEqual(await read(shape(pem(key))), jwkOf(key, alg));
    });
  }

  test('is read in base64url, as PKCS #1, with the label of the other encoding and as JSON text', async () => {
    const expected = jwkOf(rsa.publicKey, 'RS256');
    const pkcs1 = rsa.publicKey.export({ type: 'pkcs1', format: 'der' });
    const spki = der(rsa.publicKey);
    for (const text of [
      spki.toString('base64url'),
      pkcs1.toString('base64'),
      armoured('RSA PUBLIC KEY', pkcs1),
      armoured('PUBLIC KEY', pkcs1),
      armoured('RSA PUBLIC KEY', spki),
      JSON.stringify(rsa.publicKey.export({ format: 'jwk' })),
      `\n${JSON.stringify({ ...rsa.publicKey.export({ format: 'jwk' }), use: 'sig' }, undefined, 2)}\n`,
    ]) {
      assert.deepEqual(await read(text), expected);
    }
  });

  test('is read when explicit parameters describe its curve', async () => {
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256', paramEncoding: 'explicit' });
    assert.deepEqual(await read(pem(publicKey)), jwkOf(createPublicKey(pem(publicKey)), 'ES256'));
  });
});

describe('an RSA-PSS key', () => {
  const pss = (options: { hashAlgorithm?: string; mgf1HashAlgorithm?: string; saltLength?: number } = {}): KeyObject =>
    generate('rsa-pss', { modulusLength: 2048, ...options }).publicKey;

  test('is read as an RSA key for PS256 when its parameters allow PS256', async () => {
    for (const key of [
      pss(),
      pss({ hashAlgorithm: 'sha256', mgf1HashAlgorithm: 'sha256', saltLength: 32 }),
      pss({ hashAlgorithm: 'sha256', mgf1HashAlgorithm: 'sha256', saltLength: 20 }),
      pss({ hashAlgorithm: 'sha256' }),
    ]) {
      const found = await read(pem(key));
      assert.ok(typeof found === 'object' && found.kty === 'RSA', JSON.stringify(found));
      assert.equal(found.alg, 'PS256');
      // The modulus is the same number as in the key that was read.
      const modulus = Buffer.from(found.n, 'base64url').toString('hex');
      assert.ok(der(key).toString('hex').includes(modulus));
    }
  });

  test('is refused with the reason when its parameters do not allow PS256', async () => {
    await named(pem(pss({ hashAlgorithm: 'sha512' })), /RSA-PSS key for sha512.*PS256 takes sha256/);
    await named(pem(pss({ hashAlgorithm: 'sha1', mgf1HashAlgorithm: 'sha1' })), /RSA-PSS key for sha1/);
    await named(pem(pss({ hashAlgorithm: 'sha256', mgf1HashAlgorithm: 'sha512' })), /sha512 in MGF1/);
    await named(pem(pss({ hashAlgorithm: 'sha256', saltLength: 64 })), /salt of 64 bytes/);
    const short = generateKeyPairSync('rsa-pss', { modulusLength: 1024 }).publicKey;
    await named(pem(short), /n must be 2048 to 4096 bits, not 1024/);
  });
});

describe('the refusal of a text without a usable public key', () => {
  const kinds: [type: string, options: object | undefined, as: RegExp][] = [
    ['dsa', { modulusLength: 2048, divisorLength: 256 }, /a DSA key/],
    ['dh', { group: 'modp14' }, /a Diffie-Hellman key/],
    ['x25519', undefined, /an X25519 key/],
    ['x448', undefined, /an X448 key/],
    ['ed448', undefined, /an Ed448 key/],
    ['ec', { namedCurve: 'P-224' }, /an EC key on secp224r1/],
    ['ec', { namedCurve: 'P-384' }, /an EC key on secp384r1/],
    ['ec', { namedCurve: 'P-521' }, /an EC key on secp521r1/],
    ['ec', { namedCurve: 'secp256k1' }, /an EC key on secp256k1/],
    ['ec', { namedCurve: 'brainpoolP256r1' }, /an EC key on brainpoolP256r1/],
    ['ec', { namedCurve: 'SM2' }, /a key of the kind unknown/],
    ['rsa', { modulusLength: 1024 }, /n must be 2048 to 4096 bits, not 1024/],
    ['rsa', { modulusLength: 2048, publicExponent: 3 }, /e must be an odd number from 65537/],
    ['ml-dsa-44', undefined, /a key of the kind ml-dsa-44/],
    ['ml-dsa-65', undefined, /a key of the kind ml-dsa-65/],
    ['ml-dsa-87', undefined, /a key of the kind ml-dsa-87/],
    ['ml-kem-512', undefined, /a key of the kind ml-kem-512/],
    ['slh-dsa-sha2-128s', undefined, /a key of the kind slh-dsa-sha2-128s/],
  ];
  for (const [type, options, as] of kinds) {
    test(`names the kind of the key: ${type} ${JSON.stringify(options ?? {})}`, async () => {
      const { publicKey, privateKey } = generate(type, options);
      await named(pem(publicKey), as);
      await named(der(publicKey).toString('base64'), as);
      const pkcs8 = privateKey.export({ type: 'pkcs8', format: 'der' });
      for (const text of [
        armoured('PRIVATE KEY', pkcs8),
        armoured('PUBLIC KEY', pkcs8),
        pkcs8.toString('base64'),
        armoured('PRIVATE KEY', pkcs8).replaceAll('\n', '\\n'),
        pem(publicKey) + armoured('PRIVATE KEY', pkcs8),
        privateKey.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' }),
      ]) {
        await named(text, /it holds private key material/);
        assert.equal(String(await read(text)).includes(pkcs8.toString('base64').slice(40, 80)), false);
      }
    });
  }

  test('names the OID of an unknown algorithm', async () => {
    // SEQUENCE { SEQUENCE { OID 1.2.643.7.1.1.1.1 }, BIT STRING }: GOST R 34.10-2012.
    const gost = Buffer.from('3011300a06082a85030701010101030300abcd', 'hex');
    await named(armoured('PUBLIC KEY', gost), /algorithm has the OID 1\.2\.643\.7\.1\.1\.1\.1/);
  });

  test('names private key material in each of its forms', async () => {
    for (const text of [
      rsa.privateKey.export({ type: 'pkcs1', format: 'pem' }),
      rsa.privateKey.export({ type: 'pkcs1', format: 'pem', cipher: 'aes-128-cbc', passphrase: 'x' }),
      ec.privateKey.export({ type: 'sec1', format: 'pem' }),
      rsa.privateKey.export({ type: 'pkcs1', format: 'der' }).toString('base64'),
      ec.privateKey.export({ type: 'sec1', format: 'der' }).toString('base64'),
      ed.privateKey.export({ type: 'pkcs8', format: 'der', cipher: 'aes-256-cbc', passphrase: 'x' }).toString('base64'),
      '-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEA\n-----END OPENSSH PRIVATE KEY-----',
      '-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nlQOY\n-----END PGP PRIVATE KEY BLOCK-----',
      'PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none',
      JSON.stringify(ec.privateKey.export({ format: 'jwk' })),
    ]) {
      await named(text, /holds private key material/);
    }
  });

  test('names the kind of a text that is not a key, such as a certificate or an address', async () => {
    const cases: [unknown, RegExp][] = [
      [armoured('CERTIFICATE', CERTIFICATE), /it is a certificate: send the key in it/],
      [CERTIFICATE.toString('base64'), /it is a certificate/],
      [armoured('TRUSTED CERTIFICATE', CERTIFICATE), /it is a certificate/],
      [armoured('CERTIFICATE REQUEST', Buffer.alloc(9)), /it is a certificate request/],
      [armoured('X509 CRL', Buffer.alloc(9)), /type X509 CRL is not read/],
      [armoured('PKCS7', Buffer.alloc(9)), /type PKCS7 is not read/],
      [armoured('EC PARAMETERS', Buffer.alloc(9)), /the parameters of a key/],
      [armoured('PGP PUBLIC KEY BLOCK', Buffer.alloc(9)), /OpenPGP/],
      ['---- BEGIN SSH2 PUBLIC KEY ----\nAAAA\n---- END SSH2 PUBLIC KEY ----', /OpenSSH/],
      ['ssh-rsa AAAAB3NzaC1yc2E= me@here', /OpenSSH/],
      ['ssh-ed25519 AAAAC3Nz me@here', /OpenSSH/],
      ['no-pty ecdsa-sha2-nistp256 AAAAE2Vj me', /OpenSSH/],
      ['sk-ssh-ed25519@openssh.com AAAAG me', /OpenSSH/],
      [{ keys: [ec.publicKey.export({ format: 'jwk' })] }, /JWK Set/],
      [JSON.stringify({ keys: [ec.publicKey.export({ format: 'jwk' })] }), /JWK Set/],
      ['https://example.com/jwks.json', /it is an address/],
      ['<RSAKeyValue><Modulus>AAAA</Modulus></RSAKeyValue>', /it is XML/],
      ['eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJ4In0.c2ln', /it is a token/],
      ['{"kty":', /not JSON/],
      ['', /it must be a JWK, or one PEM block/],
      ['secret', /it must be a JWK, or one PEM block/],
      [pem(ec.publicKey) + pem(rsa.publicKey), /one PEM block, not PUBLIC KEY and PUBLIC KEY/],
      [pem(ec.publicKey).replace(/-----END[^-]*-----/, ''), /has no end/],
      ['-----BEGIN PUBLIC KEY-----\nAA%A\n-----END PUBLIC KEY-----', /not base64/],
      ['-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----', /holds no public key/],
      ['-----BEGIN PUBLIC KEY-----\n\n-----END PUBLIC KEY-----', /holds no public key/],
      [armoured('PUBLIC KEY', der(rsa.publicKey).subarray(0, 200)), /holds no public key/],
    ];
    for (const [text, as] of cases) await named(text, as);
  });

  test('has the code invalid_value for any bytes', async () => {
    const whole = der(rsa.publicKey);
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.uint8Array({ maxLength: 64 }).map((bytes) => armoured('PUBLIC KEY', Buffer.from([0x30, ...bytes]))),
          fc.tuple(fc.nat(whole.length - 1), fc.integer({ min: 0, max: 255 })).map(([at, byte]) => {
            const changed = Buffer.from(whole);
            changed[at] = byte;
            return armoured('PUBLIC KEY', changed);
          }),
          fc.string({ maxLength: 100 }).map((text) => `-----BEGIN ${text}`),
          fc.string({ maxLength: 100 }),
        ),
        async (text) => {
          await read(text);
        },
      ),
      { numRuns: 200 },
    );
  });
});
