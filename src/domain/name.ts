/**
 * Free text of 1 to 128 characters that a terminal and a page show as it is: no control characters, no line or
 * paragraph separators, no lone surrogates, and none that turn the direction of the text around.
 */
export const NAME_PATTERN =
  '^(?=.*\\S)[^\\u0000-\\u001F\\u007F-\\u009F\\u2028\\u2029\\u202A-\\u202E\\u2066-\\u2069\\uD800-\\uDFFF]{1,128}$';
