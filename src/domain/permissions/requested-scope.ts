/** A `scope` parameter that has been read. */
export interface RequestedScope {
  /** The scope-tokens; undefined: the scope is empty or absent and asks for everything. */
  readonly tokens: readonly string[] | undefined;
}

/** One scope-token (RFC 6749 §3.3). */
const SCOPE_TOKEN = /^[\x21\x23-\x5B\x5D-\x7E]+$/;

/**
 * Reads a `scope` (RFC 6749 §3.3): scope-tokens in the order of the request. Any number of spaces may stand before,
 * between and after the scope-tokens.
 *
 * @returns `malformed`: a message for the client about the first token that is no scope-token
 */
export function parseScope(scope: string | undefined): RequestedScope | { readonly malformed: string } {
  const tokens = (scope ?? '').split(' ').filter((token) => token !== '');
  const odd = tokens.find((token) => !SCOPE_TOKEN.test(token));
  if (odd !== undefined) return { malformed: `'${readable(odd)}' has a character that no scope-token may have` };
  return { tokens: tokens.length === 0 ? undefined : tokens };
}

/** The most characters of a malformed token that the message quotes. */
const MOST_SAID = 100;

/** Rewrites a malformed token in characters that an error description may have (RFC 6749 §5.2). */
function readable(token: string): string {
  const plain = token.slice(0, MOST_SAID).replaceAll(/[^\x21\x23-\x5B\x5D-\x7E]/g, '?');
  return token.length > MOST_SAID ? `${plain}...` : plain;
}
