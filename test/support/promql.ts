/** A use of a metric in an expression, with the matchers on its labels. */
export interface Selector {
  readonly metric: string;
  readonly matchers: readonly { readonly label: string; readonly operator: string; readonly value: string }[];
}

const WORDS = new Set(['and', 'or', 'unless', 'bool']);
const CLAUSE = /\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)/g;

/**
 * Finds the metrics in an expression of Prometheus. It reads the expressions of this project, whose strings stand in
 * braces only: every word outside braces that is no function is a metric.
 */
export function selectorsIn(expression: string): Selector[] {
  const text = expression.replaceAll(CLAUSE, ' ').replaceAll(/\[[^\]]*\]/g, ' ');
  return [...text.matchAll(/([A-Za-z_:][\w:]*)\b(?!\s*\()\s*(?:\{([^}]*)\})?/g)].flatMap(
    ([, metric = '', braces = '']) => (WORDS.has(metric) ? [] : [{ metric, matchers: matchersIn(braces) }]),
  );
}

function matchersIn(braces: string): Selector['matchers'] {
  return [...braces.matchAll(/(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"/g)].map(([, label = '', operator = '', value = '']) => ({
    label,
    operator,
    value,
  }));
}

/** The labels that an expression groups or matches by. */
export function groupedBy(expression: string): string[] {
  return [...expression.matchAll(CLAUSE)].flatMap(([, labels = '']) => labels.split(',').map((label) => label.trim()));
}

/** A metric as a server renders it: the values of each of its labels. */
export interface Family {
  readonly labels: ReadonlyMap<string, ReadonlySet<string>>;
}

/** Reads the text format of Prometheus. @returns the families by the names of their samples */
export function familiesIn(text: string): Map<string, Family> {
  const families = new Map<string, Family>();
  const values = new Map<Family, Map<string, Set<string>>>();
  for (const [, name = '', type = ''] of text.matchAll(/^# TYPE (\w+) (\w+)$/gm)) {
    const labels = new Map<string, Set<string>>();
    const family = { labels };
    values.set(family, labels);
    for (const ending of type === 'histogram' ? ['_bucket', '_sum', '_count'] : ['']) {
      families.set(name + ending, family);
    }
  }
  for (const [, sample = '', braces = ''] of text.matchAll(/^(\w+)\{(.*)\} \S+$/gm)) {
    const family = families.get(sample);
    const labels = family && values.get(family);
    for (const { label, value } of matchersIn(braces)) labels?.set(label, (labels.get(label) ?? new Set()).add(value));
  }
  return families;
}
