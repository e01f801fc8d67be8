import assert from 'node:assert/strict';
import { createPublicKey } from 'node:crypto';
import { describe, test } from 'node:test';
import { compactVerify } from 'jose';
import { signJwt } from '../../src/domain/signing-keys/sign-jwt.ts';
import { createBatch } from '../../src/domain/signatures/batch.ts';
import { SIGNING_ALGS } from '../../src/domain/signing-keys/signing-key.ts';
import { newSigningKey } from '../support/signing-keys.ts';

describe('a signer', () => {
  for (const alg of SIGNING_ALGS) {
    test(`of ${alg} makes signatures that another library verifies`, async () => {
      const key = await newSigningKey(alg);
      const jwt = await signJwt(key, 'JWT', { sub: 'x' });
      const publicKey = createPublicKey({ key: { ...key.publicJwk }, format: 'jwk' });
      const { payload, protectedHeader } = await compactVerify(jwt, publicKey, { algorithms: [alg] });
      assert.deepEqual(JSON.parse(Buffer.from(payload).toString()), { sub: 'x' });
      assert.deepEqual(protectedHeader, { alg, kid: key.kid, typ: 'JWT' });
    });
  }

  test('keeps the private key to itself', async () => {
    assert.deepEqual(Object.keys(await newSigningKey('ES256')).toSorted(), [
      'alg',
      'createdAt',
      'kid',
      'publicJwk',
      'sign',
      'thumbprint',
    ]);
  });
});

describe('a batch of signatures', () => {
  /** A batch whose turns of the event loop and whose clock a test moves. */
  function controlled() {
    const turns: (() => void)[] = [];
    let now = 0;
    const made: string[] = [];
    const batch = createBatch(
      () => now,
      (run) => turns.push(run),
    );
    const ask = (name: string, takes: number): Promise<Uint8Array> =>
      batch(() => {
        now += takes;
        made.push(name);
        return Buffer.from(name);
      });
    return { batch, ask, made, turns, turn: () => turns.shift()?.() };
  }

  test('is made in one turn, in the order of the requests', async () => {
    const { ask, made, turns, turn } = controlled();
    const asked = ['a', 'b', 'c'].map((name) => ask(name, 0.02));
    assert.deepEqual([made, turns.length], [[], 1]);
    turn();
    assert.deepEqual([made, turns.length], [['a', 'b', 'c'], 0]);
    assert.deepEqual((await Promise.all(asked)).map(String), ['a', 'b', 'c']);
  });

  test('is cut after two milliseconds, and goes on in the next turn before newer requests', async () => {
    const { ask, made, turns, turn } = controlled();
    const asked = ['a', 'b', 'c'].map((name) => ask(name, 1));
    turn();
    assert.deepEqual([made, turns.length], [['a', 'b'], 1]);
    asked.push(ask('d', 1));
    assert.equal(turns.length, 1, 'a request must not take a second turn');
    turn();
    assert.deepEqual(made, ['a', 'b', 'c', 'd']);
    await Promise.all(asked);
  });

  test('makes one signature in any turn, however long it takes', async () => {
    const { ask, made, turn } = controlled();
    const asked = [ask('a', 10), ask('b', 10)];
    turn();
    assert.deepEqual(made, ['a']);
    turn();
    assert.deepEqual(made, ['a', 'b']);
    await Promise.all(asked);
  });

  test('fails the request whose signature fails, and no other', async () => {
    const { ask, batch, turn } = controlled();
    const failing = batch(() => {
      throw new Error('no signature');
    });
    const asked = [ask('a', 0), ask('b', 0)];
    turn();
    await assert.rejects(failing, /no signature/);
    assert.deepEqual((await Promise.all(asked)).map(String), ['a', 'b']);
  });
});
