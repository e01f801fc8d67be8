/** A time, as every answer writes it. */
export const TIME = { type: 'string', format: 'date-time', description: 'RFC 3339, in UTC' } as const;

/** The beginning of a name, to look for. */
export const SEARCH = {
  type: 'string',
  pattern: '^[^\\u0000-\\u001F\\u007F-\\u009F\\uD800-\\uDFFF]{1,128}$',
} as const;
