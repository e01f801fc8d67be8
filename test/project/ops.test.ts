import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { parse } from 'yaml';
import { REFUSAL_REASONS } from '../../src/domain/activity/refusal.ts';
import { embedded } from '../support/databases.ts';
import { familiesIn, type Family, groupedBy, selectorsIn } from '../support/promql.ts';
import { useTestApp } from '../support/test-app.ts';

const ROOT = join(import.meta.dirname, '../..');
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly for: string;
  readonly labels: { readonly severity: string };
  readonly annotations: Readonly<Record<string, string>>;
}

interface RuleTest {
  readonly name: string;
  readonly input_series: readonly { readonly series: string }[];
  readonly promql_expr_test: readonly { readonly expr: string; readonly exp_samples: readonly unknown[] }[];
}

interface Panel {
  readonly id: number;
  readonly title: string;
  readonly gridPos: { readonly x: number; readonly y: number };
  readonly datasource: { readonly uid: string };
  readonly targets: readonly { readonly expr: string; readonly legendFormat: string }[];
}

const PAGE = read('docs/operate/metrics.md');
const RULES: readonly Rule[] = parse(read('ops/prometheus/writ.rules.yaml')).groups[0].rules;
const RULE_TESTS: readonly RuleTest[] = parse(read('ops/prometheus/writ.rules.test.yaml')).tests;
const DASHBOARD: { readonly panels: readonly Panel[]; readonly templating: { readonly list: { name: string }[] } } =
  JSON.parse(read('ops/grafana/writ.json'));

/** The labels that Prometheus adds to every sample that it scrapes. */
const OF_TARGETS = ['job', 'instance'];
const AGGREGATES = /\b(?:sum|max|count|histogram_quantile)\b/;

/** The name of the metric that a sample belongs to. */
const nameOf = (sample: string): string => sample.replace(/_(?:bucket|sum|count)$/, '');

/** The values that a label can have although a server that has just started renders none of them. */
function isKnown(label: string, value: string): boolean {
  if (label === 'error' || label === 'reason') return REFUSAL_REASONS.some((reason) => reason === value);
  if (label === 'status') return /^[1-5](?:\d\d|\.\.)$/.test(value);
  if (label === 'job') return value === 'writ' || value === '$job';
  return false;
}

describe('what operators get for the metrics', () => {
  const app = useTestApp(embedded);
  const families = new Map<string, Family>([['up', { labels: new Map() }]]);

  before(async () => {
    await app.api('GET', '/api/self');
    await app.token({ clientId: 'nobody', clientSecret: 'x' });
    for (const [name, family] of familiesIn(await app.metrics())) families.set(name, family);
  });

  /** Lists everything in an expression that no server renders. */
  function unknownIn(expression: string): string[] {
    const selectors = selectorsIn(expression);
    if (selectors.length === 0) return [`${expression}: no metric`];
    const labels = new Set([...OF_TARGETS, ...selectors.flatMap(({ metric }) => labelsOf(metric))]);
    return [
      ...selectors.flatMap(({ metric, matchers }) => [
        ...(families.has(metric) ? [] : [`no metric ${metric}`]),
        ...matchers.flatMap(({ label, operator, value }) => {
          const known = families.get(metric)?.labels.get(label);
          if (known === undefined && !OF_TARGETS.includes(label)) return [`${metric} has no label ${label}`];
          const values = operator.endsWith('~') ? value.split('|') : [value];
          return values
            .filter((one) => known?.has(one) !== true && !isKnown(label, one))
            .map((one) => `${metric}: ${label} is never ${one}`);
        }),
      ]),
      ...groupedBy(expression)
        .filter((label) => !labels.has(label))
        .map((label) => `${expression}: nothing has the label ${label}`),
    ];
  }

  const labelsOf = (metric: string): string[] => [...(families.get(metric)?.labels.keys() ?? [])];

  /** The labels that the result of an expression has. */
  function labelsOfResult(expression: string): string[] {
    if (AGGREGATES.test(expression)) return groupedBy(expression).filter((label) => label !== 'le');
    return [...OF_TARGETS, ...selectorsIn(expression).flatMap(({ metric }) => labelsOf(metric))];
  }

  test('the page has a row for every metric of Writ, with its labels, and no other', () => {
    const rows = [...PAGE.matchAll(/^\| `(writ_\w+)` +\|([^|]*)\|/gm)].map(([, name = '', labels = '']) => [
      name,
      [...labels.matchAll(/`(\w+)`/g)].map(([, label = '']) => label).toSorted(),
    ]);
    const rendered = new Map(
      [...families]
        .filter(([sample]) => sample.startsWith('writ_'))
        .map(([sample, { labels }]) => [
          nameOf(sample),
          [...labels.keys()].filter((label) => label !== 'le').toSorted(),
        ]),
    );
    assert.ok(rendered.size > 15, String(rendered.size));
    assert.deepEqual(rows.toSorted(), [...rendered].toSorted());
  });

  test('the page names no other metric in its text', () => {
    const named = [...PAGE.matchAll(/\b(?:writ|nodejs|process)_\w+/g)].map(([name]) => name);
    const known = new Set([...families.keys()].flatMap((sample) => [sample, nameOf(sample)]));
    assert.deepEqual(
      named.filter((name) => !known.has(name)),
      [],
    );
  });

  test('every alert and every panel uses metrics and labels that a server renders', () => {
    const expressions = [
      ...RULES.map(({ expr }) => expr),
      ...DASHBOARD.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)),
    ];
    assert.ok(expressions.length > 25, String(expressions.length));
    assert.deepEqual(expressions.flatMap(unknownIn), []);
  });

  test('the series of the rule tests could come from a server', () => {
    const names = RULE_TESTS.flatMap(({ input_series: given }) => given).flatMap(({ series }) => selectorsIn(series));
    const wrong = names.flatMap(({ metric, matchers }) => [
      ...(families.has(metric) ? [] : [metric]),
      ...matchers
        .filter(({ label }) => !OF_TARGETS.includes(label) && !labelsOf(metric).includes(label))
        .map(({ label }) => `${metric} has no label ${label}`),
    ]);
    assert.deepEqual(wrong, []);
  });

  test('the texts of alerts and the legends of panels name labels of the result', () => {
    const wrong = [
      ...RULES.flatMap(({ alert, expr, annotations }) =>
        [
          ...Object.values(annotations)
            .join(' ')
            .matchAll(/\$labels\.(\w+)/g),
        ]
          .filter(([, label = '']) => !labelsOfResult(expr).includes(label))
          .map(([, label]) => `${alert}: ${label}`),
      ),
      ...DASHBOARD.panels.flatMap(({ title, targets }) =>
        targets.flatMap(({ expr, legendFormat }) =>
          [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)]
            .filter(([, label = '']) => !labelsOfResult(expr).includes(label))
            .map(([, label]) => `${title}: ${label}`),
        ),
      ),
    ];
    assert.deepEqual(wrong, []);
  });
});

describe('the alerts', () => {
  const names = RULES.map(({ alert }) => alert);

  test('have a section each on the page, in the same order, and the page has no other', () => {
    const [, part = ''] = PAGE.split('\n## The alerts\n');
    const sections = [...part.matchAll(/^### (\w+)$/gm)].map(([, name]) => name);
    assert.deepEqual(sections, names);
    for (const { alert, annotations } of RULES) {
      assert.equal(annotations['page'], `docs/operate/metrics.md#${alert.toLowerCase()}`);
    }
  });

  test('have a test for promtool each, with a moment at which they are silent and one at which they fire', () => {
    assert.deepEqual([...new Set(RULE_TESTS.map(({ name }) => name))], names);
    for (const name of names) {
      const moments = RULE_TESTS.filter((one) => one.name === name).flatMap((one) => one.promql_expr_test);
      for (const { expr } of moments) assert.equal(expr, `ALERTS{alertname="${name}", alertstate="firing"}`);
      const firing = moments.map(({ exp_samples: samples }) => samples.length > 0);
      assert.deepEqual(new Set(firing), new Set([true, false]), name);
    }
  });

  test('say how grave they are, for how long the fault must last, and what to do first', () => {
    for (const { alert, for: lasting, labels, annotations } of RULES) {
      assert.match(labels.severity, /^(?:critical|warning|info)$/, alert);
      assert.match(lasting, /^\d+[mh]$/, alert);
      assert.match(annotations['summary'] ?? '', /^\S.{10,90}[^.]$/, alert);
      assert.match(annotations['description'] ?? '', /\. First /, alert);
    }
  });

  test('and their page name only lines that the log can have', () => {
    const source = globSync('src/**/*.ts', { cwd: ROOT }).map(read).join('\n');
    const described = RULES.map(({ annotations }) => annotations['description']).join(' ');
    const events = [
      ...[...described.matchAll(/\b(?:event|or) ([a-z_]+\.[a-z_]+)\b/g)].map(([, event = '']) => event),
      ...[...PAGE.matchAll(/`([a-z_]+\.[a-z_]+)`/g)].map(([, event = '']) => event),
    ].filter((event) => !/\.(?:md|yaml|json)$/.test(event));
    assert.ok(events.length > 15, String(events.length));
    assert.deepEqual(
      events.filter((event) => !source.includes(`'${event}'`)),
      [],
    );
  });
});

describe('the dashboard', () => {
  test('asks for its data source and its job, and shows at most twelve panels that do not overlap', () => {
    assert.deepEqual(
      DASHBOARD.templating.list.map(({ name }) => name),
      ['datasource', 'job'],
    );
    const { panels } = DASHBOARD;
    assert.ok(panels.length > 0 && panels.length <= 12, String(panels.length));
    assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length);
    assert.equal(new Set(panels.map(({ gridPos }) => `${gridPos.x} ${gridPos.y}`)).size, panels.length);
    for (const { title, datasource, targets } of panels) {
      assert.equal(datasource.uid, '${datasource}', title);
      for (const { expr } of targets) assert.match(expr, /\{job="\$job"/, title);
    }
  });
});
