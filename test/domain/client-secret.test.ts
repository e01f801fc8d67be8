import assert from 'node:assert/strict';
import { randomBytes, timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { ClientSecretCredential } from '../../src/domain/credentials/kinds/client-secret-kind.ts';
import { random } from '../../src/start/random.ts';
import { base62 } from '../../src/domain/base62.ts';
import { findSecret } from '../../src/domain/credentials/find-secret.ts';
import { formatSecret, isMistyped } from '../../src/domain/credentials/client-secret.ts';

const entropy = fc.uint8Array({ minLength: 32, maxLength: 32 });

describe('a client secret', () => {
  test('is compared with every one that there is, wherever the right one stands', () => {
    const hashes = Array.from({ length: 5 }, () => randomBytes(32));
    const secrets = hashes.map((secretHash) => ({ secretHash }) as ClientSecretCredential);
    for (const presented of [...hashes, randomBytes(32)]) {
      const compared: Buffer[] = [];
      const same = (one: Buffer, other: Buffer): boolean => {
        compared.push(one);
        return timingSafeEqual(one, other);
      };
      const found = findSecret(secrets, presented, same);
      assert.equal(found, secrets[hashes.indexOf(presented)]);
      assert.deepEqual(compared, hashes);
    }
  });

  test('has the form that the contract gives it, and a good checksum', () => {
    fc.assert(
      fc.property(entropy, (bytes) => {
        const secret = formatSecret('client_secret', bytes);
        assert.match(secret, /^writ_[A-Za-z0-9]{50}$/);
        assert.equal(isMistyped(secret), false);
      }),
    );
  });

  test('F-07 is another one each time, its digits come evenly, and its checksum is good', () => {
    const secrets = Array.from({ length: 100_000 }, () => formatSecret('client_secret', random.bytes(32)));
    assert.equal(new Set(secrets).size, secrets.length);
    const counts = new Map<string, number>();
    let digits = 0;
    for (const secret of secrets) {
      assert.equal(isMistyped(secret), false);
      // Between the first digit, for which 256 bits do not go far enough to be quite even, and the checksum.
      for (const digit of secret.slice('writ_'.length + 1, -7)) {
        counts.set(digit, (counts.get(digit) ?? 0) + 1);
        digits += 1;
      }
    }
    assert.equal(counts.size, 62);
    const expected = digits / 62;
    const chiSquare = [...counts.values()].reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
    // With 61 degrees of freedom, chance goes beyond this once in ten billion times.
    assert.ok(chiSquare < 160, String(chiSquare));
  });

  test('is known to be mistyped when one character is another, missing or added', () => {
    const character = fc.stringMatching(/^[A-Za-z0-9]$/);
    fc.assert(
      fc.property(entropy, fc.nat(49), character, (bytes, position, typed) => {
        const secret = formatSecret('client_secret', bytes);
        const at = 5 + position;
        fc.pre(secret[at] !== typed);
        assert.equal(isMistyped(secret.slice(0, at) + typed + secret.slice(at + 1)), true);
        assert.equal(isMistyped(secret.slice(0, at) + secret.slice(at + 1)), true);
        assert.equal(isMistyped(secret.slice(0, at) + typed + secret.slice(at)), true);
      }),
    );
  });

  test('is found by the pattern that scanners are given, and so is an API key', () => {
    const [, pattern = ''] =
      /^ {4}(\\b\S+)$/m.exec(readFileSync(join(import.meta.dirname, '../../SECURITY.md'), 'utf8')) ?? [];
    for (const type of ['client_secret', 'api_key'] as const) {
      const secret = formatSecret(type, randomBytes(32));
      assert.deepEqual(new RegExp(pattern).exec(`"${secret}",`)?.[0], secret);
      assert.equal(new RegExp(pattern).test(`${secret}0`), false);
    }
    assert.equal(isMistyped(formatSecret('api_key', randomBytes(32))), false);
    assert.equal(isMistyped(formatSecret('api_key', randomBytes(32)).replace('writk_', 'writ_')), false);
  });

  test('that is not one of ours is never called mistyped', () => {
    assert.equal(isMistyped('a-bootstrap-secret-of-forty-characters-00'), false);
    assert.equal(isMistyped(''), false);
  });

  test('and has a character that no secret has, is mistyped', () => {
    for (const odd of ['\n', '\r\n', ' ', '\t', '\0', 'é', '\u00a0', '\uFEFF', '\u007F']) {
      for (const secret of [`a-secret${odd}`, `${odd}a-secret`, `a-${odd}secret`]) {
        assert.equal(isMistyped(secret), true, JSON.stringify(secret));
      }
    }
  });
});

test('base 62 keeps the order of numbers and loses none of them', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 16, maxLength: 16 }),
      fc.uint8Array({ minLength: 16, maxLength: 16 }),
      (a, b) => {
        assert.equal(Math.sign(Buffer.compare(a, b)), base62(a) < base62(b) ? -1 : base62(a) > base62(b) ? 1 : 0);
        assert.equal(base62(a).length, 22);
      },
    ),
  );
  assert.notEqual(base62(randomBytes(16)), base62(randomBytes(16)));
});
