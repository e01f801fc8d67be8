import assert from 'node:assert/strict';
import { readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { writeRootFile } from '../../src/storage/root-file.ts';
import { workFolder } from '../support/server-process.ts';

test('writeRootFile does not write the secret through a symbolic link in place of its draft', () => {
  const { path, remove } = workFolder();
  try {
    const other = join(path, 'other');
    writeFileSync(other, 'as it was');
    symlinkSync(other, join(path, 'root.json.new'));
    const { file } = writeRootFile(path, { issuer: 'https://id.example', clientId: 'sa_1', clientSecret: 'secret' });
    assert.equal(JSON.parse(readFileSync(file, 'utf8')).clientSecret, 'secret');
    assert.equal(readFileSync(other, 'utf8'), 'as it was');
  } finally {
    remove();
  }
});
