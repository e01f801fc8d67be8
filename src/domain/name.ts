const LINE = /^[^\p{Cc}\p{Cs}\u2028\u2029\u202A-\u202E\u2066-\u2069]*$/u;

/**
 * Whether free text of one line is shown by a terminal and a page as it is: something that is no blank, no control
 * characters, no line or paragraph separators, no lone surrogates, and none that turn the direction of the text around.
 */
export function isName(value: string): boolean {
  return LINE.test(value) && /\S/.test(value);
}
