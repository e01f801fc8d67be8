import type { ErrorObject } from 'ajv/dist/2020.js';

/**
 * Says once what is wrong with a value that has alternatives in its schema (`anyOf`). Where the value has the type of
 * one of them, what is wrong is what that one says; where it has the type of none, it must have one of their types.
 *
 * @param errors in the order in which ajv reports them: what the alternatives say, then that none of them fits
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
  // Null stands with one of them, and is named last.
  const named = new Set(types.flat());
  const type = [...named.difference(NULL), ...named.intersection(NULL)];
  return [{ ...anyOf, keyword: 'type', params: { type } }];
}
