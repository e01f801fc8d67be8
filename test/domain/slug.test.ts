import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SLUG_LENGTH, SLUG_PATTERN, slugOf } from '../../src/domain/slug.ts';

test('a slug is made of what a DNS label can hold', () => {
  assert.equal(slugOf('Café Orders (EU)'), 'cafe-orders-eu');
  assert.equal(slugOf('  --x--  '), 'x');
  assert.equal(slugOf(`${'a'.repeat(62)} b`), 'a'.repeat(62));
  assert.equal(slugOf('サービス'), undefined);
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 200 }), (name) => {
      const slug = slugOf(name);
      if (slug === undefined) return;
      assert.match(slug, new RegExp(SLUG_PATTERN));
      assert.ok(slug.length <= SLUG_LENGTH);
    }),
  );
});
