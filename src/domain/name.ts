const LINE = /^[^\p{Cc}\p{Cs}\u2028\u2029\u202A-\u202E\u2066-\u2069]*$/u;

/**
 * Whether a terminal and a page show a text as one unchanged line. The text must not be blank, and must not have
 * control characters, line or paragraph separators, lone surrogates, or characters that change the direction of text.
 */
export function isName(value: string): boolean {
  return LINE.test(value) && /\S/.test(value);
}
