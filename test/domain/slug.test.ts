import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SLUG_LENGTH, SLUG_PATTERN, slugOf } from '../../src/domain/slug.ts';

test('slugOf turns a name into a DNS label, or into undefined when no character fits', () => {
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
