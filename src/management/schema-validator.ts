import { Ajv2020, type AnySchema, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import type { JSONSchema } from 'json-schema-to-ts';
import type { FieldProblem } from '../domain/domain-error.ts';
import { foldAlternatives } from './fold-alternatives.ts';
import { TEXT_FORMATS, wordsOfPattern } from './text-formats.ts';

/** What is wrong with a value, and whether its very shape is: unknown, missing or mistyped members. */
export interface Mismatch {
  readonly shape: boolean;
  readonly fields: readonly FieldProblem[];
}

/** @returns undefined when the value fits the schema */
export type SchemaValidator = (value: unknown) => Mismatch | undefined;

export type SchemaCompiler = (schema: JSONSchema) => SchemaValidator;

const SHAPE = new Set(['type', 'required', 'additionalProperties']);
const MOST_SHOWN = 20;
/** A body can have a hundred thousand errors: it is judged by the first. */
const MOST_READ = 10_000;
const FORMATS = {
  // Only describes what is answered.
  'date-time': true,
  ...Object.fromEntries(Object.entries(TEXT_FORMATS).map(([name, { fits }]) => [name, fits])),
} as const;

/**
 * Compiles schemas to validators. Nothing is defaulted or dropped: what is not in the schema is refused.
 *
 * @param options `coerceTypes` for what comes as text, such as a query
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
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- two spellings of one thing
    const validate: ValidateFunction = ajv.compile(schema as AnySchema);
    return (value) => {
      if (validate(value)) return undefined;
      // What is wrong with the name of a member is said once.
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
      return wordsOfPattern(String(params['pattern']), data) ?? 'does not have the form that is read here';
    case 'format':
      return TEXT_FORMATS[String(params['format'])]?.words ?? 'does not have the form that is read here';
    default:
      return message ?? 'is wrong';
  }
}
