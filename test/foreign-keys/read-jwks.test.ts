import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { describe, test } from 'node:test';
import { IssuerKeysError } from '../../src/domain/federation/issuer-key-source.ts';
import { readJwks } from '../../src/foreign-keys/read-jwks.ts';

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ format: 'jwk' });
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' });
const okp = generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' });

/** A number of so many bytes, as a JWK has it. */
const bytes = (...all: (number | [number, number])[]): string =>
  Buffer.concat(
    all.map((one) => (typeof one === 'number' ? Buffer.from([one]) : Buffer.alloc(one[0], one[1]))),
  ).toString('base64url');

const TAKEN: Record<string, object> = {
  'an RSA key': rsa,
  'an EC key': ec,
  'an Ed25519 key': okp,
  'a key with its use and its operations': { ...rsa, kid: 'a', alg: 'RS256', use: 'sig', key_ops: ['verify'] },
  'the exponent 3': { ...rsa, e: bytes(3) },
  'the exponent 65537': { ...rsa, e: bytes(1, 0, 1) },
  'the exponent 65537 behind zero bytes': { ...rsa, e: bytes([5, 0], 1, 0, 1) },
  'the exponent 4294967295': { ...rsa, e: bytes([4, 255]) },
  'a modulus of 2048 bits behind a zero byte': { ...rsa, n: bytes(0, 128, [254, 0], 1) },
  'a modulus of 8192 bits': { ...rsa, n: bytes([1024, 255]) },
};

const LEFT_OUT: Record<string, unknown> = {
  'no object': 'key',
  null: null,
  'an array': [rsa],
  'no type': { ...rsa, kty: undefined },
  'an unknown type': { ...rsa, kty: 'AKP' },
  'a symmetric key': { kty: 'oct', k: 'c2VjcmV0' },
  'a symmetric key that calls itself RSA': { ...rsa, k: 'c2VjcmV0' },
  ...Object.fromEntries(
    ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'priv'].map((member) => [
      `the private member ${member}`,
      { ...rsa, [member]: 'AQAB' },
    ]),
  ),
  'the private half of an EC key': { ...ec, d: 'AQAB' },
  'a key for encryption': { ...rsa, use: 'enc' },
  'a use that is no text': { ...rsa, use: ['sig'] },
  'operations without verify': { ...rsa, key_ops: ['encrypt'] },
  'operations that are no list': { ...rsa, key_ops: 'verify' },
  'a kid that is a number': { ...rsa, kid: 7 },
  'an alg that is a list': { ...rsa, alg: ['RS256'] },
  'a modulus that is a number': { ...rsa, n: 7 },
  'an EC point that is an object': { ...ec, x: {} },
  'no modulus': { kty: 'RSA', e: 'AQAB' },
  'an empty modulus': { ...rsa, n: '' },
  'a modulus of zero bytes': { ...rsa, n: bytes([256, 0]) },
  'a modulus that is no base64url': { ...rsa, n: '!'.repeat(400) },
  'a modulus of 1024 bits': { ...rsa, n: bytes([128, 255]) },
  'a modulus of 1024 bits behind zero bytes': { ...rsa, n: bytes([128, 0], [128, 255]) },
  'a modulus of 2047 bits': { ...rsa, n: bytes(127, [255, 255]) },
  'a modulus of 8193 bits': { ...rsa, n: bytes(1, [1024, 255]) },
  'no exponent': { kty: 'RSA', n: rsa['n'] },
  'an empty exponent': { ...rsa, e: '' },
  'an exponent of zero bytes': { ...rsa, e: bytes([3, 0]) },
  'the exponent 1': { ...rsa, e: bytes(1) },
  'the exponent 1 behind zero bytes': { ...rsa, e: bytes(0, 0, 1) },
  'the exponent 2': { ...rsa, e: bytes(2) },
  'an even exponent': { ...rsa, e: bytes(1, 0, 0) },
  'an exponent of 5 bytes': { ...rsa, e: bytes(1, 0, 0, 0, 1) },
  'an exponent of 8 bytes': { ...rsa, e: bytes([8, 255]) },
};

describe('the keys of an issuer', () => {
  for (const [name, key] of Object.entries(TAKEN)) {
    test(`D-04 have ${name}`, () => assert.equal(readJwks({ keys: [key] }).length, 1));
  }

  for (const [name, key] of Object.entries(LEFT_OUT)) {
    test(`D-04 do not have ${name}, and have the good key beside it`, () => {
      assert.deepEqual(readJwks({ keys: [key, { ...rsa, kid: 'good' }] }), [{ ...rsa, kid: 'good' }]);
    });
  }

  test('D-04 have no member that nobody reads', () => {
    const extra = {
      x5c: ['a'.repeat(10_000)],
      x5u: 'https://ci.example/x',
      jku: 'https://ci.example/y',
      note: { deep: [] },
    };
    assert.deepEqual(readJwks({ keys: [{ ...rsa, kid: 'a', alg: 'RS256', use: 'sig', ...extra }] }), [
      { ...rsa, kid: 'a', alg: 'RS256' },
    ]);
  });

  test('D-04 are a JWK Set of at most 100 keys', () => {
    for (const document of [undefined, null, [], 'keys', 7, {}, { keys: {} }, { keys: null }, { keys: 'x' }, rsa]) {
      assert.throws(() => readJwks(document), IssuerKeysError);
    }
    assert.equal(readJwks({ keys: Array.from({ length: 100 }, () => ec) }).length, 100);
    assert.throws(() => readJwks({ keys: Array.from({ length: 10_000 }, () => ec) }), /more than 100 keys/);
  });

  test('D-15 are none when the issuer has withdrawn all of them', () => {
    assert.deepEqual(readJwks({ keys: [] }), []);
  });
});
