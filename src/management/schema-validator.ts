import { Ajv2020, type AnySchema, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import type { JSONSchema } from 'json-schema-to-ts';
import type { FieldProblem } from '../domain/domain-error.ts';
import { foldAlternatives } from './fold-alternatives.ts';
import { TEXT_FORMATS, wordsOfPattern } from './text-formats.ts';

/** The errors of a value that does not fit a schema. */
export interface Mismatch {
  /** Whether members are unknown, missing or mistyped. */
  readonly shape: boolean;
  readonly fields: readonly FieldProblem[];
}

/** @returns undefined when the value fits the schema */
export type SchemaValidator = (value: unknown) => Mismatch | undefined;

export type SchemaCompiler = (schema: JSONSchema) => SchemaValidator;

const SHAPE = new Set(['type', 'required', 'additionalProperties']);
const MOST_SHOWN = 20;
/** The most errors that are read: a body can have a hundred thousand. */
const MOST_READ = 10_000;
const FORMATS = {
  // This format only describes answers, which are not validated.
  'date-time': true,
  ...Object.fromEntries(Object.entries(TEXT_FORMATS).map(([name, { fits }]) => [name, fits])),
} as const;

/**
 * Creates a compiler of schemas to validators. A validator adds no defaults and drops no members. A schema is compiled when
 * its first value comes: to compile all of them would take a quarter of a start.
 *
 * @param options `coerceTypes`: whether text is converted to other types, as for a query
 */
export function createSchemaCompiler(options: { coerceTypes?: boolean } = {}): SchemaCompiler {
  const ajv = new Ajv2020({
    allErrors: true,
    strict: true,
    verbose: true,
    formats: FORMATS,
    ...options,
  });
  return (schema) => {
    let validate: ValidateFunction | undefined;
    return (value) => {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- two spellings of one thing
      validate ??= ajv.compile(schema as AnySchema);
      if (validate(value)) return undefined;
      // ajv reports a wrong name of a member twice: drop the error about the name, keep the error about the member.
      const errors = foldAlternatives((validate.errors ?? []).slice(0, MOST_READ)).filter(
        ({ propertyName }) => propertyName === undefined,
      );
      return {
        shape: errors.some((error) => SHAPE.has(error.keyword)),
        fields: errors.slice(0, MOST_SHOWN).map((error) => ({ pointer: pointerOf(error), message: messageOf(error) })),
      };
    };
  };
}

function inWords(types: readonly unknown[]): string {
  const words = types.map(String);
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
}

function pointerOf({ instancePath, keyword, params }: ErrorObject): string {
  const member: unknown =
    keyword === 'required'
      ? params['missingProperty']
      : keyword === 'additionalProperties'
        ? params['additionalProperty']
        : keyword === 'propertyNames'
          ? params['propertyName']
          : undefined;
  if (typeof member !== 'string') return instancePath;
  return `${instancePath}/${member.slice(0, 128).replaceAll('~', '~0').replaceAll('/', '~1')}`;
}

function messageOf({ keyword, message, params, data }: ErrorObject): string {
  switch (keyword) {
    case 'type':
      return `must be ${inWords([params['type']].flat())}`;
    case 'required':
      return 'is required';
    case 'additionalProperties':
      return 'is not a member that is known here';
    case 'propertyNames':
      return 'has a name that no member may have here';
    case 'enum':
      return `must be one of ${String(params['allowedValues']).replaceAll(',', ', ')}`;
    case 'pattern':
      return wordsOfPattern(String(params['pattern']), data) ?? 'does not have the expected form';
    case 'format':
      return TEXT_FORMATS[String(params['format'])]?.words ?? 'does not have the expected form';
    default:
      return message ?? 'is wrong';
  }
}
