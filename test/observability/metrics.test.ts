import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { embedded } from '../support/databases.ts';
import { useTestApp } from '../support/test-app.ts';

interface Family {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly samples: readonly string[];
}

/** Parses the families of a text in the format of Prometheus. */
function familiesOf(text: string): Family[] {
  return text
    .split(/^(?=# HELP )/m)
    .filter((part) => part.trim() !== '')
    .map((part) => {
      const [head = '', kind = '', ...samples] = part.trim().split('\n');
      const [, , name = '', ...help] = head.split(' ');
      assert.equal(kind.startsWith(`# TYPE ${name} `), true, part);
      return { name, type: kind.split(' ').at(-1) ?? '', help: help.join(' '), samples: samples.filter(Boolean) };
    });
}

/** Lists the faults of a family that `promtool check metrics` reports. */
function faultsOf({ name, type, help, samples }: Family): string[] {
  const labels = samples.flatMap((sample) => [...sample.matchAll(/[{,](\w+)="/g)].map(([, label]) => label));
  const words = name.split('_');
  const faults: [boolean, string][] = [
    [help === '', 'no help text'],
    [type === 'counter' && !name.endsWith('_total'), 'a counter that does not end in _total'],
    [type !== 'counter' && name.endsWith('_total'), 'no counter, and ends in _total'],
    [type !== 'histogram' && name.endsWith('_bucket'), 'no histogram, and ends in _bucket'],
    [!/^(?:histogram|summary)$/.test(type) && /_(?:count|sum)$/.test(name), 'no histogram, and ends like one'],
    [type !== 'histogram' && labels.includes('le'), 'no histogram, and has a label le'],
    [type !== 'summary' && labels.includes('quantile'), 'no summary, and has a label quantile'],
    [words.includes(type), 'its type in its name'],
    [!/^[a-z][a-z0-9_]*$/.test(name), 'a name that is not in snake case'],
    [labels.some((label) => !/^[a-z][a-z0-9_]*$/.test(label ?? '')), 'a label that is not in snake case'],
    [words.some((word) => /^(?:s|ms|us|ns|sec|b|kb|mb|gb|tb|pb|m|h|d)$/.test(word)), 'an abbreviated unit'],
    [
      words.some((word) => /^(?:milli|micro|nano|kilo|mega|giga)|^(?:minutes|hours|days|weeks)$/.test(word)),
      'no base unit',
    ],
  ];
  return faults.filter(([found]) => found).map(([, fault]) => `${name}: ${fault}`);
}

describe('the metrics', () => {
  const app = useTestApp(embedded);

  test('follow the rules of promtool', async () => {
    await app.api('GET', '/api/self');
    await app.token({ clientId: 'nobody', clientSecret: 'x' });
    const families = familiesOf((await app.request('/metrics')).text);
    assert.ok(families.length > 30, `${families.length}`);
    assert.ok(families.some(({ name }) => name === 'nodejs_active_handles'));
    assert.equal(new Set(families.map(({ name }) => name)).size, families.length);
    assert.deepEqual(families.flatMap(faultsOf), []);
    // The test finds the faults that it looks for.
    const wrong = familiesOf('# HELP x_total \n# TYPE x_total gauge\nx_total{le="1"} 1\n');
    assert.equal(wrong.flatMap(faultsOf).length, 3);
  });
});
