import fc from 'fast-check';
import { TEXT_FORMATS } from '../../src/management/text-formats.ts';

/** A JSON schema with the keywords that the management API uses. */
export interface SchemaNode {
  readonly type?: string | readonly string[];
  readonly anyOf?: readonly SchemaNode[];
  readonly enum?: readonly unknown[];
  readonly pattern?: string;
  readonly format?: string;
  readonly not?: { readonly enum: readonly unknown[] };
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly maxItems?: number;
  readonly items?: SchemaNode;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly required?: readonly string[];
  readonly propertyNames?: SchemaNode;
  readonly additionalProperties?: SchemaNode | false;
}

/** Creates an arbitrary of values that fit every keyword of a schema. */
export function arbitraryOf(schema: SchemaNode): fc.Arbitrary<unknown> {
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  if (schema.anyOf !== undefined) return fc.oneof(...schema.anyOf.map((one) => arbitraryOf(one)));
  const types = [schema.type ?? []].flat();
  return fc.oneof(...types.map((type) => arbitraryOfType(type, schema)));
}

function arbitraryOfType(type: string, schema: SchemaNode): fc.Arbitrary<unknown> {
  switch (type) {
    case 'null':
      return fc.constant(null);
    case 'boolean':
      return fc.boolean();
    case 'integer':
      return fc.integer({ min: schema.minimum ?? -1000, max: schema.maximum ?? 1000 });
    case 'number':
      return fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => (Object.is(value, -0) ? 0 : value));
    case 'string':
      return text(schema);
    case 'array':
      return fc.uniqueArray(arbitraryOf(schema.items ?? {}), { maxLength: Math.min(schema.maxItems ?? 5, 5) });
    case 'object':
      return objects(schema);
    default:
      throw new Error(`no values of type ${type}`);
  }
}

function text({ pattern, format = '', not, minLength = 0, maxLength = 100 }: SchemaNode): fc.Arbitrary<string> {
  const fits = new RegExp(pattern ?? '', 'u');
  const long = Math.min(maxLength, 100);
  return fc
    .oneof(
      fc.string({ minLength, maxLength: long, unit: 'binary' }),
      fc.stringMatching(/^[a-z0-9]{1,12}(?:-[a-z0-9]{1,12}){0,3}$/),
      fc.string({ minLength, maxLength: long }),
    )
    .filter(
      (value) =>
        fits.test(value) &&
        TEXT_FORMATS[format]?.fits(value) !== false &&
        not?.enum.includes(value) !== true &&
        value.length <= maxLength &&
        value.length >= minLength,
    );
}

function objects({ properties, required = [], propertyNames, additionalProperties }: SchemaNode): fc.Arbitrary<object> {
  if (properties !== undefined) {
    const members = Object.entries(properties).map(([name, member]) => [name, arbitraryOf(member)] as const);
    return fc.record(Object.fromEntries(members), { requiredKeys: [...required] });
  }
  if (propertyNames === undefined || !additionalProperties) return fc.constant({});
  return fc.dictionary(text(propertyNames), arbitraryOf(additionalProperties), { maxKeys: 3, noNullPrototype: true });
}
