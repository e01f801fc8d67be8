/**
 * Whether a text matches a pattern as a whole. `*` stands for any characters within a segment: none of them is `/` or
 * `:`. `**` stands for any characters but `:`. Every other character stands for itself.
 *
 * The work grows with the product of both lengths, whatever the pattern is: a pattern and a text that somebody else
 * chose cannot keep the server busy.
 */
export function matchesGlob(pattern: string, text: string): boolean {
  const tokens = pattern.split(/(\*+)/).flatMap((part) => (part.startsWith('*') ? [part] : Array.from(part)));
  // The positions of the pattern that the text so far can have reached.
  let reached = new Set([0]);
  skipWildcards(reached, tokens);
  for (const character of text) {
    const next = new Set<number>();
    for (const position of reached) {
      const token = tokens[position];
      if (token === undefined) continue;
      if (!token.startsWith('*')) {
        if (token === character) next.add(position + 1);
      } else if (character !== ':' && (character !== '/' || token.length > 1)) next.add(position);
    }
    skipWildcards(next, tokens);
    if (next.size === 0) return false;
    reached = next;
  }
  return reached.has(tokens.length);
}

/** Adds the positions behind wildcards, which may stand for no character at all. */
function skipWildcards(positions: Set<number>, tokens: readonly string[]): void {
  // A set visits the members that are added during the visit, too.
  for (const position of positions) if (tokens[position]?.startsWith('*')) positions.add(position + 1);
}
