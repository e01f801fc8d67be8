import type { JSONSchema } from 'json-schema-to-ts';
import type { PageRequest } from '../domain/page.ts';
import type { CursorCodec } from './cursor.ts';
import { ProblemError } from './problems.ts';
import type { GuardedRoute } from './route.ts';
import type { SchemaCompiler, SchemaValidator } from './schema-validator.ts';

const MOST_ITEMS = 1000;

/** The parameters of every list. */
const PAGING = {
  limit: { type: 'integer', minimum: 1, maximum: MOST_ITEMS, default: MOST_ITEMS, description: 'How many at most' },
  cursor: {
    type: 'string',
    minLength: 1,
    maxLength: 512,
    description: 'Where the page before ended: follow the Link with rel="next" instead of making one',
  },
} as const satisfies Record<string, JSONSchema>;

/** A query, checked. */
export interface ReadQuery {
  readonly query: Readonly<Record<string, unknown>>;
  readonly page: PageRequest;
}

/** Every parameter that an operation knows, by name. */
export function queryParameters({ query, list }: GuardedRoute): Readonly<Record<string, JSONSchema>> {
  return { ...query?.properties, ...(list && PAGING) };
}

/**
 * Makes the reader of an operation's query.
 *
 * @param compile one that turns text into numbers and booleans
 * @returns throws ProblemError `invalid_query` for parameters that are unknown, twice, or have a value that is not taken
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
      // Mia's clients say several as a list with commas, or one by one.
      [...new Set(parameters.keys())].map((name) => [name, parameters.getAll(name).join(',')]),
    );
    if (parameters.size > Object.keys(query).length && route.lenient === undefined)
      throw refused('A parameter is there twice', known);
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
