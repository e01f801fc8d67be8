/** The entry of a credential in a Token Status List. All its tokens share the entry, so that one bit ends them. */
export interface StatusEntry {
  /** The number of the list. */
  readonly list: number;
  /** The number of the bit in the list. */
  readonly idx: number;
}

/** The number of entries in a list. */
export const LIST_CAPACITY = 1_048_576;

/** The address of a list: `uri` in a token, and `sub` in the list itself (Token Status List §5.1, §6.1). */
export function listUri(issuer: string, list: number): string {
  return `${issuer}/oauth/status-lists/${list}`;
}

/** The `status` claim of a token (Token Status List §6.1). */
export interface StatusClaim {
  readonly status_list: { readonly idx: number; readonly uri: string };
}

export function statusClaim(issuer: string, { list, idx }: StatusEntry): StatusClaim {
  return { status_list: { idx, uri: listUri(issuer, list) } };
}

/** Reads a `status` claim that {@link statusClaim} wrote. @returns undefined for any other claim */
export function parseStatusClaim(issuer: string, claim: unknown): StatusEntry | undefined {
  const reference: unknown = isObject(claim) ? claim['status_list'] : undefined;
  if (!isObject(reference)) return undefined;
  const { idx, uri } = reference;
  if (typeof idx !== 'number' || typeof uri !== 'string') return undefined;
  const list = Number(uri.slice(uri.lastIndexOf('/') + 1));
  return uri === listUri(issuer, list) ? { list, idx } : undefined;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
