import type { SchemaNode } from './arbitrary-of.ts';

/** The parts of an OpenAPI schema that the tests read. */
export type DocumentSchema = SchemaNode & { readonly $ref?: string; readonly examples?: readonly unknown[] };

/** An operation that takes a body. */
export interface BodyOperation {
  readonly method: string;
  readonly path: string;
  readonly operationId: string;
  /** The name of the schema of the body. */
  readonly schema: string;
  /** The examples of the body, one for each media type. */
  readonly examples: readonly unknown[];
}

interface Described {
  readonly operationId: string;
  readonly requestBody?: {
    readonly content: Readonly<Record<string, { readonly schema: { $ref: string }; readonly example?: unknown }>>;
  };
}

/** Lists the operations of the OpenAPI document that take a body, in the order of the document. */
export function operationsWithBody(document: {
  readonly paths: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}): BodyOperation[] {
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).flatMap(([method, operation]) => {
      const { operationId, requestBody } = operation as Described;
      const contents = Object.values(requestBody?.content ?? {});
      const [first] = contents;
      if (first === undefined) return [];
      const schema = first.schema.$ref.replace('#/components/schemas/', '');
      return [
        { method: method.toUpperCase(), path, operationId, schema, examples: contents.map(({ example }) => example) },
      ];
    }),
  );
}
