import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSchemaCompiler } from '../../src/management/schema-validator.ts';

test('a value with very many errors is judged by the first 10,000 of them', () => {
  const validate = createSchemaCompiler()({ type: 'array', items: { type: 'string', minLength: 2 } });
  const short = (count: number): unknown[] => Array.from({ length: count }, () => 'x');
  assert.equal(validate([...short(9999), 5])?.shape, true);
  assert.equal(validate([...short(10_000), 5])?.shape, false);
});
