/** The most characters of a hint. */
const HINT = 64;

/** Shortens a text by which people tell one credential from another. */
export function shortened(text: string): string {
  return text.length > HINT ? `${text.slice(0, HINT - 1)}…` : text;
}
