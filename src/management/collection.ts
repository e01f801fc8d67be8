/** One of two collections that have the same operations: root's, and those of a company. */
export interface Collection {
  readonly path: string;
  readonly tag: string;
  /** Names an operation. */
  operationId(verb: string, what?: string): string;
  /** One of its members, in words. */
  readonly one: string;
}

/** Root's collection of a noun, and that of each company. */
export function collectionsOf(noun: {
  /** The last segment of its path. */
  readonly segment: string;
  /** As an operation is named after it, `Role`. */
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
