import assert from 'node:assert/strict';
import { constants, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { describe, test } from 'node:test';
import { CompactSign, type JWK } from 'jose';
import { type Jws, parseJws } from '../../src/domain/assertions/parse-jws.ts';
import { createBatch } from '../../src/domain/signatures/batch.ts';
import { createSignatureCheck } from '../../src/domain/signatures/is-signed-with.ts';

const ALGS = ['ES256', 'ES384', 'EdDSA', 'Ed25519', 'RS256', 'RS384', 'RS512', 'PS256'] as const;
type Alg = (typeof ALGS)[number];
interface Pair {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const p256 = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' });
const ed25519 = generateKeyPairSync('ed25519');
const PAIRS: Readonly<Record<Alg, Pair>> = {
  ES256: p256,
  ES384: p384,
  EdDSA: ed25519,
  Ed25519: ed25519,
  RS256: rsa,
  RS384: rsa,
  RS512: rsa,
  PS256: rsa,
};

const isSignedWith = createSignatureCheck(createBatch(() => performance.now()));
const jwkOf = ({ publicKey }: Pair, members: JWK = {}): JWK => ({ ...publicKey.export({ format: 'jwk' }), ...members });

function read(compact: string): Jws<Alg> {
  const jws = parseJws(compact, ALGS);
  if ('malformed' in jws) assert.fail(jws.malformed);
  return jws;
}

/** Signs the same claims by hand, in a way that no library would. */
function signedAs(alg: Alg, make: (input: Buffer) => Buffer): Jws<Alg> {
  const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const input = `${encode({ alg })}.${encode({ sub: 'sa_one' })}`;
  return read(`${input}.${make(Buffer.from(input)).toString('base64url')}`);
}

async function signed(alg: Alg, { privateKey }: Pair = PAIRS[alg]): Promise<Jws<Alg>> {
  return read(await new CompactSign(Buffer.from('{"sub":"sa_one"}')).setProtectedHeader({ alg }).sign(privateKey));
}

describe('the signature of a JWS', () => {
  for (const alg of ALGS) {
    test(`by ${alg} verifies with its key, and with no other key or text`, async () => {
      const jws = await signed(alg);
      assert.equal(await isSignedWith(jwkOf(PAIRS[alg]), jws), true);
      assert.equal(await isSignedWith(jwkOf(PAIRS[alg], { alg }), jws), true);
      const [header = '', , signature = ''] = jws.compact.split('.');
      const changed = `${header}.${Buffer.from('{"sub":"sa_two"}').toString('base64url')}.${signature}`;
      assert.equal(await isSignedWith(jwkOf(PAIRS[alg]), read(changed)), false);
      assert.equal(await isSignedWith(jwkOf(PAIRS[alg]), read(`${jws.compact}AAAA`)), false);
      const { asymmetricKeyType: type = '', asymmetricKeyDetails: details } = PAIRS[alg].publicKey;
      const other =
        type === 'rsa'
          ? generateKeyPairSync('rsa', { modulusLength: 2048 })
          : type === 'ec'
            ? generateKeyPairSync('ec', { namedCurve: String(details?.namedCurve) })
            : generateKeyPairSync('ed25519');
      assert.equal(await isSignedWith(jwkOf(other), jws), false);
    });
  }

  test('does not verify with a key of another kind, curve or algorithm', async () => {
    // The holder of an EC key signs as for its own algorithm, and names another one.
    const der = signedAs('RS256', (input) => sign('sha256', input, p256.privateKey));
    assert.equal(await isSignedWith(jwkOf(p256), der), false);
    const otherCurve = signedAs('ES256', (input) =>
      sign('sha256', input, { key: p384.privateKey, dsaEncoding: 'ieee-p1363' }),
    );
    assert.equal(await isSignedWith(jwkOf(p384), otherCurve), false);
    const plainRsa = signedAs('ES256', (input) => sign('sha256', input, rsa.privateKey));
    assert.equal(await isSignedWith(jwkOf(rsa), plainRsa), false);
    assert.equal(await isSignedWith(jwkOf(rsa, { alg: 'PS256' }), await signed('RS256')), false);
  });

  test('does not verify by a key of too few bits, by PSS with another salt, or without a key', async () => {
    const weak = generateKeyPairSync('rsa', { modulusLength: 1024 });
    const byWeak = signedAs('RS256', (input) => sign('sha256', input, weak.privateKey));
    assert.equal(await isSignedWith(jwkOf(weak), byWeak), false);
    const padding = constants.RSA_PKCS1_PSS_PADDING;
    const salted = (saltLength: number): Jws<Alg> =>
      signedAs('PS256', (input) => sign('sha256', input, { key: rsa.privateKey, padding, saltLength }));
    assert.equal(await isSignedWith(jwkOf(rsa), salted(32)), true);
    assert.equal(await isSignedWith(jwkOf(rsa), salted(20)), false);
    for (const broken of [{}, { kty: 'EC', crv: 'P-256', x: 'AA', y: 'AA' }, { kty: 'oct', k: 'AAAA' }]) {
      assert.equal(await isSignedWith(broken, await signed('ES256')), false);
    }
  });

  test('is verified together with the others of one turn of the event loop', async () => {
    const turns: (() => void)[] = [];
    const together = createSignatureCheck(
      createBatch(
        () => 0,
        (run) => void turns.push(run),
      ),
    );
    const jws = await signed('ES256');
    const jwk = jwkOf(p256);
    const all = Promise.all([together(jwk, jws), together(jwk, jws), together(jwkOf(p384), jws)]);
    await Promise.resolve();
    assert.equal(turns.length, 1);
    turns[0]?.();
    assert.deepEqual(await all, [true, true, false]);
  });
});
