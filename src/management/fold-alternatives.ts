import type { ErrorObject } from 'ajv/dist/2020.js';

/**
 * Folds the errors of the alternatives of a schema (`anyOf`). If the value has the type of an alternative, only the
 * errors of that alternative stay; otherwise one error names the types of all alternatives.
 *
 * @param errors in the order of ajv: the errors of the alternatives, then the error that none of the alternatives fits
 */
export function foldAlternatives(errors: readonly ErrorObject[]): ErrorObject[] {
  const folded: ErrorObject[] = [];
  for (const error of errors) {
    if (error.keyword !== 'anyOf') {
      folded.push(error);
      continue;
    }
    let first = folded.length;
    while (first > 0 && isWithin(folded[first - 1], error)) first -= 1;
    for (const kept of whatIsMeant(folded.splice(first), error)) folded.push(kept);
  }
  return folded;
}

const NULL: ReadonlySet<unknown> = new Set(['null']);

function isWithin(inner: ErrorObject | undefined, { schemaPath, instancePath }: ErrorObject): boolean {
  return (
    inner !== undefined &&
    inner.schemaPath.startsWith(`${schemaPath}/`) &&
    (inner.instancePath === instancePath || inner.instancePath.startsWith(`${instancePath}/`))
  );
}

function whatIsMeant(said: readonly ErrorObject[], anyOf: ErrorObject): readonly ErrorObject[] {
  const alternatives = Map.groupBy(
    said,
    ({ schemaPath }) => schemaPath.slice(anyOf.schemaPath.length + 1).split('/', 1)[0],
  );
  const types: unknown[] = [];
  for (const alternative of alternatives.values()) {
    const mistyped = alternative.find(
      ({ keyword, instancePath }) => keyword === 'type' && instancePath === anyOf.instancePath,
    );
    if (mistyped === undefined) return alternative;
    types.push(mistyped.params['type']);
  }
  // Name null last: it belongs to one of the other types.
  const named = new Set(types.flat());
  const type = [...named.difference(NULL), ...named.intersection(NULL)];
  return [{ ...anyOf, keyword: 'type', params: { type } }];
}
