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
  test('is compared with every stored secret, also after a match', () => {
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

  test('has the documented form and a valid checksum', () => {
    fc.assert(
      fc.property(entropy, (bytes) => {
        const secret = formatSecret('client_secret', bytes);
        assert.match(secret, /^writ_[A-Za-z0-9]{50}$/);
        assert.equal(isMistyped(secret), false);
      }),
    );
  });

  test('F-07 is different each time, with evenly distributed digits and a valid checksum', () => {
    const secrets = Array.from({ length: 100_000 }, () => formatSecret('client_secret', random.bytes(32)));
    assert.equal(new Set(secrets).size, secrets.length);
    const counts = new Map<string, number>();
    let digits = 0;
    for (const secret of secrets) {
      assert.equal(isMistyped(secret), false);
      // Only the digits between the first digit and the checksum: 256 bits cannot make the first digit even.
      for (const digit of secret.slice('writ_'.length + 1, -7)) {
        counts.set(digit, (counts.get(digit) ?? 0) + 1);
        digits += 1;
      }
    }
    assert.equal(counts.size, 62);
    const expected = digits / 62;
    const chiSquare = [...counts.values()].reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
    // With 61 degrees of freedom, an even distribution exceeds this value once in ten billion runs.
    assert.ok(chiSquare < 160, String(chiSquare));
  });

  test('counts as mistyped when one character is replaced, missing or added', () => {
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

  test('matches the pattern for secret scanners in SECURITY.md, as an API key does', () => {
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

  test('does not count as mistyped when it lacks the form of this server', () => {
    assert.equal(isMistyped('a-bootstrap-secret-of-forty-characters-00'), false);
    assert.equal(isMistyped(''), false);
  });

  test('counts as mistyped when it holds a control character, a blank or a character outside ASCII', () => {
    for (const odd of ['\n', '\r\n', ' ', '\t', '\0', 'é', '\u00a0', '\uFEFF', '\u007F']) {
      for (const secret of [`a-secret${odd}`, `${odd}a-secret`, `a-${odd}secret`]) {
        assert.equal(isMistyped(secret), true, JSON.stringify(secret));
      }
    }
  });
});

test('base62 keeps the order of 128-bit numbers and writes each of them with 22 digits', () => {
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
