import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readConfirmation } from '../../src/domain/possession/confirmation.ts';

describe('the claim cnf of a token', () => {
  test('names one key, or both', () => {
    assert.equal(readConfirmation(undefined), undefined);
    for (const cnf of [{ jkt: 'a' }, { 'x5t#S256': 'b' }, { jkt: 'a', 'x5t#S256': 'b' }]) {
      assert.deepEqual(readConfirmation(cnf), cnf);
    }
  });

  test('is not taken for none when it names a key in another way', () => {
    for (const cnf of [{}, null, 'a', [], { kid: 'a' }, { jkt: 'a', jwk: {} }, { jkt: '' }, { jkt: 7 }]) {
      assert.throws(
        () => readConfirmation(cnf),
        /is bound to a key that this server cannot check/,
        JSON.stringify(cnf),
      );
    }
  });
});
