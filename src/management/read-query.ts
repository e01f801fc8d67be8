import type { JSONSchema } from 'json-schema-to-ts';
import type { PageRequest } from '../domain/page.ts';
import type { CursorCodec } from './cursor.ts';
import { ProblemError } from './problems.ts';
import type { GuardedRoute } from './route.ts';
import type { SchemaCompiler, SchemaValidator } from './schema-validator.ts';

const MOST_ITEMS = 1000;

/** The parameters of every list. */
const PAGING = {
  limit: {
    type: 'integer',
    minimum: 1,
    maximum: MOST_ITEMS,
    default: MOST_ITEMS,
    description: 'The most items of a page',
  },
  cursor: {
    type: 'string',
    minLength: 1,
    maxLength: 512,
    description: 'The end of the previous page: follow the Link with rel="next" instead of writing a cursor',
  },
} as const satisfies Record<string, JSONSchema>;

/** A query that has been checked. */
export interface ReadQuery {
  readonly query: Readonly<Record<string, unknown>>;
  readonly page: PageRequest;
}

/** The query parameters of an operation, by name. */
export function queryParameters({ query, list }: GuardedRoute): Readonly<Record<string, JSONSchema>> {
  return { ...query?.properties, ...(list && PAGING) };
}

/**
 * Creates the function that reads the query of an operation.
 *
 * @param compile compiles schemas to validators that convert text to numbers and booleans
 * @returns a function that throws ProblemError `invalid_query` for parameters that are unknown, are given twice or have
 *   a wrong value
 */
export function createQueryReader(
  route: GuardedRoute,
  cursors: CursorCodec,
  compile: SchemaCompiler,
): (querystring: string, list: string) => ReadQuery {
  const properties = queryParameters(route);
  const known = Object.keys(properties);
  const validate = compile({ type: 'object', properties, additionalProperties: route.lenient ?? false });

  return (querystring, list) => {
    const parameters = new URLSearchParams(querystring);
    const query: Record<string, unknown> = Object.fromEntries(
      // Mia's clients send several values with commas, or repeat the parameter.
      [...new Set(parameters.keys())].map((name) => [name, parameters.getAll(name).join(',')]),
    );
    if (parameters.size > Object.keys(query).length && route.lenient === undefined)
      throw refused('A parameter is given twice', known);
    check(query, validate, known);
    if (route.list === undefined) return { query, page: { limit: MOST_ITEMS, after: undefined } };
    const { limit = MOST_ITEMS, cursor, ...filter } = query;
    const after = typeof cursor === 'string' ? cursors.read(cursor, list) : undefined;
    if (cursor !== undefined && after === undefined) throw refused('cursor is not one that this server made', known);
    return { query: filter, page: { limit: Number(limit), after } };
  };
}

function check(query: Record<string, unknown>, validate: SchemaValidator, known: readonly string[]): void {
  const mismatch = validate(query);
  if (mismatch === undefined) return;
  throw refused(
    mismatch.fields.map(({ pointer, message }) => `${pointer.slice(1)} ${message}`).join('; '),
    known,
    mismatch.fields,
  );
}

function refused(
  reason: string,
  known: readonly string[],
  errors: NonNullable<ProblemError['problem']['errors']> = [],
): ProblemError {
  const list = known.length === 0 ? 'this takes no parameters' : `the parameters are ${known.join(', ')}`;
  return new ProblemError({ status: 400, code: 'invalid_query', detail: `${reason}; ${list}`, errors });
}
