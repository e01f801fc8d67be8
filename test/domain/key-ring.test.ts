import assert from 'node:assert/strict';
import { createPrivateKey, type KeyObject, randomBytes, sign } from 'node:crypto';
import { describe, test } from 'node:test';
import { jwtVerify } from 'jose';
import { createKeyEncryption } from '../../src/domain/encryption/key-encryption.ts';
import { importSigningKeys } from '../../src/domain/signing-keys/import-signing-keys.ts';
import { type KeyRingRules, readKeyRing } from '../../src/domain/signing-keys/key-ring.ts';
import { removeKey, rotateByItself, rotateOnDemand } from '../../src/domain/signing-keys/rotate-signing-keys.ts';
import { createSealedKeys } from '../../src/domain/signing-keys/sealed-keys.ts';
import { settleSigningKeys } from '../../src/domain/signing-keys/settle-signing-keys.ts';
import { createBatch } from '../../src/domain/signatures/batch.ts';
import type { SigningKeyStore, StoredSigningKey } from '../../src/domain/signing-keys/signing-key-store.ts';
import { generateSigningKey, type SigningAlg } from '../../src/domain/signing-keys/signing-key.ts';
import { signJwt } from '../../src/domain/signing-keys/sign-jwt.ts';
import type { KeyHolder } from '../../src/domain/signing-keys/key-holder.ts';

const DAY = 86_400_000;
const NOW = new Date('2026-06-01T00:00:00Z');
const daysAgo = (days: number): Date => new Date(NOW.getTime() - days * DAY);
const holder = createSealedKeys(createKeyEncryption(randomBytes(32)), {
  batch: createBatch(() => performance.now()),
});
const rules: KeyRingRules = {
  signingAlg: 'ES256',
  profile: 'standard',
  schedule: { every: 90 * DAY, ahead: DAY },
  keptFor: DAY,
  now: NOW,
};

/** A store in memory, so that a test can begin with keys of any age. */
function storeOf(): SigningKeyStore & { add(alg: SigningAlg, from: number, retired?: number): Promise<string> } {
  const rows = new Map<string, StoredSigningKey>();
  const store: SigningKeyStore = {
    async insert(key) {
      rows.set(key.kid, key);
    },
    async update({ kid, ...times }) {
      const row = rows.get(kid);
      if (row) rows.set(kid, { ...row, ...times });
    },
    async reseal() {},
    async delete(kid) {
      rows.delete(kid);
    },
    deleteRetired: async () => 0,
    list: async () => [...rows.values()].toSorted((one, other) => one.createdAt.getTime() - other.createdAt.getTime()),
    async lock() {},
    named: async () => new Set(),
  };
  return {
    ...store,
    async add(alg, from, retired) {
      const key = await holder.generate(alg);
      await store.insert({
        ...key,
        createdAt: daysAgo(from),
        signsFrom: daysAgo(from),
        retiredAt: retired === undefined ? undefined : daysAgo(retired),
      });
      return key.kid;
    },
  };
}

describe('a key ring', () => {
  test('leaves out a key that nobody has tidied up yet', async () => {
    const store = storeOf();
    const [gone, kept, active] = [
      await store.add('ES256', 30, 2),
      await store.add('ES256', 20, 0.5),
      await store.add('ES256', 10),
    ];
    const ring = await readKeyRing(store, holder, rules);
    assert.deepEqual(
      ring.keys.map(({ kid }) => kid),
      [active, kept],
    );
    assert.notEqual(ring.active.ES256.kid, gone);
  });

  test('signs with the newest of two active keys', async () => {
    const store = storeOf();
    await store.add('ES256', 20);
    const newest = await store.add('ES256', 10);
    assert.equal((await readKeyRing(store, holder, rules)).active.ES256.kid, newest);
  });
});

test('keys whose private halves are elsewhere sign, rotate and go like all others', async () => {
  const elsewhere = new Map<string, KeyObject>();
  const service: KeyHolder = {
    async generate(alg) {
      return this.take(await generateSigningKey(alg));
    },
    async take({ privateJwk, ...key }) {
      const name = `keys/${elsewhere.size + 1}`;
      elsewhere.set(name, createPrivateKey({ key: { ...privateJwk }, format: 'jwk' }));
      return { ...key, sealedPrivateJwk: name };
    },
    async open({ sealedPrivateJwk: name }) {
      const key = elsewhere.get(name) ?? assert.fail(name);
      const options = key.asymmetricKeyType === 'ec' ? ({ key, dsaEncoding: 'ieee-p1363' } as const) : key;
      return async (data) => sign('sha256', data, options);
    },
  };
  const store = storeOf();
  await settleSigningKeys(store, service, { ...rules, lead: 0 });
  const kids = [];
  for (const days of [0, 1, 2]) {
    const now = daysAgo(-days);
    if (days > 0) await rotateOnDemand(store, service, { ...rules, now }, { algs: undefined, signsFrom: now });
    const { active } = await readKeyRing(store, service, { ...rules, now });
    for (const key of [active.ES256, active.RS256]) {
      const jwt = await signJwt(key, 'JWT', { sub: 'somebody' });
      assert.equal((await jwtVerify(jwt, key.publicJwk, { currentDate: NOW })).payload.sub, 'somebody');
      kids.push(key.kid);
    }
  }
  assert.equal(new Set(kids).size, 6);
  assert.doesNotMatch(JSON.stringify(await store.list()), /"d":/);
});

describe('a rotation of signing keys', () => {
  test('replaces the key of one algorithm while the key of another is young', async () => {
    const store = storeOf();
    await store.add('ES256', 89);
    await store.add('RS256', 88);
    const { keys } = await rotateByItself(store, holder, rules);
    assert.deepEqual(
      keys.map(({ alg, signsFrom }) => [alg, signsFrom]),
      [['ES256', new Date(NOW.getTime() + DAY)]],
    );
  });

  test('replaces no removed key of an algorithm that nothing asks for', async () => {
    const store = storeOf();
    await store.add('ES256', 10);
    const removed = await store.add('PS256', 10, 0.5);
    const rotated = await removeKey(store, holder, rules, removed);
    assert.deepEqual(rotated?.keys, []);
    assert.deepEqual(
      (await store.list()).map(({ alg }) => alg),
      ['ES256'],
    );
  });
});

describe('a change of signing keys', () => {
  const settling = { ...rules, lead: DAY };

  test('restores a retired key, which signs at once only while it is published', async () => {
    for (const [retired, signsFrom] of [
      [0.5, daysAgo(10)],
      [2, daysAgo(-1)],
    ] as const) {
      const store = storeOf();
      const kid = await store.add('ES256', 10, retired);
      const audit = await settleSigningKeys(store, holder, settling);
      assert.equal(audit.find(({ target }) => target === kid)?.action, 'signing_key.restored');
      const restored = (await store.list()).find((key) => key.kid === kid);
      assert.deepEqual([restored?.signsFrom, restored?.retiredAt], [signsFrom, undefined]);
    }
  });

  test('leaves the end of a key that has ended before', async () => {
    const store = storeOf();
    const [ended, active] = [await store.add('ES256', 30, 0.5), await store.add('ES256', 10)];
    await rotateOnDemand(store, holder, rules, { algs: undefined, signsFrom: NOW });
    const retired = new Map((await store.list()).map(({ kid, retiredAt }) => [kid, retiredAt]));
    assert.deepEqual([retired.get(ended), retired.get(active)], [daysAgo(0.5), NOW]);
  });

  const changes: Record<string, (store: SigningKeyStore) => Promise<unknown>> = {
    settle: (store) => settleSigningKeys(store, holder, settling),
    'rotate by itself': (store) => rotateByItself(store, holder, rules),
    'rotate on demand': (store) => rotateOnDemand(store, holder, rules, { algs: undefined, signsFrom: NOW }),
    remove: (store) => removeKey(store, holder, rules, 'none'),
    import: (store) => importSigningKeys(store, holder, [], settling),
  };
  for (const [name, change] of Object.entries(changes)) {
    test(`F-03 reads the keys after it has locked them (${name})`, async () => {
      const store = storeOf();
      await store.add('ES256', 10);
      const calls: string[] = [];
      await change({
        ...store,
        async lock() {
          calls.push('lock');
        },
        list() {
          calls.push('list');
          return store.list();
        },
      });
      assert.deepEqual(calls, ['lock', 'list']);
    });
  }
});
