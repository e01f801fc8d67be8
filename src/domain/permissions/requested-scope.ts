/** The scope-tokens that a `scope` asks for. */
export interface RequestedScope {
  /** Undefined where nothing stands in it: then everything is asked for. */
  readonly tokens: readonly string[] | undefined;
}

/** RFC 6749 §3.3, without the space that separates two. */
const SCOPE_TOKEN = /^[\x21\x23-\x5B\x5D-\x7E]+$/;

/**
 * Reads a `scope` (RFC 6749 §3.3): scope-tokens in the order of the request. Blanks before, between and after them mean
 * nothing, however many they are.
 *
 * @returns `malformed`: which of them is no scope-token, in words for who sent it
 */
export function parseScope(scope: string | undefined): RequestedScope | { readonly malformed: string } {
  const tokens = (scope ?? '').split(' ').filter((token) => token !== '');
  const odd = tokens.find((token) => !SCOPE_TOKEN.test(token));
  if (odd !== undefined) return { malformed: `'${readable(odd)}' has a character that no scope-token may have` };
  return { tokens: tokens.length === 0 ? undefined : tokens };
}

/** So much of what is no scope-token is said, in characters that an error description may have (RFC 6749 §5.2). */
const MOST_SAID = 100;

function readable(token: string): string {
  const plain = token.slice(0, MOST_SAID).replaceAll(/[^\x21\x23-\x5B\x5D-\x7E]/g, '?');
  return token.length > MOST_SAID ? `${plain}...` : plain;
}
