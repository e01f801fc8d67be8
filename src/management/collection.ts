/** A collection of the management API. The collection of root and those of companies have the same operations. */
export interface Collection {
  readonly path: string;
  readonly tag: string;
  /** Makes the id of an operation. */
  operationId(verb: string, what?: string): string;
  /** The words for one member of the collection. */
  readonly one: string;
}

/** Describes the collection of a noun for root, and the one for each company. */
export function collectionsOf(noun: {
  /** The last segment of the path. */
  readonly segment: string;
  /** The noun in the ids of operations, such as `Role`. */
  readonly id: string;
  readonly one: string;
  readonly many: string;
}): { root: Collection; company: Collection } {
  const { segment, id, one, many } = noun;
  return {
    root: {
      path: `/api/${segment}`,
      tag: `Root ${many}`,
      operationId: (verb, what = '') => `${verb}${id}${what}`,
      one: `root ${one}`,
    },
    company: {
      path: `/api/companies/{companyId}/${segment}`,
      tag: `${many.charAt(0).toUpperCase()}${many.slice(1)} of a company`,
      operationId: (verb, what = '') => `${verb}Company${id}${what}`,
      one: `${one} of a company`,
    },
  };
}
