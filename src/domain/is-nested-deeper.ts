/** The greatest depth of JSON from outside: no valid input is deeper, and no stack overflows at this depth. */
export const DEEPEST_JSON = 32;

/**
 * Whether arrays and objects are nested more than a number of levels deep. The check reads the text: `JSON.parse` takes
 * any depth, and most code that works on its result is recursive.
 *
 * @param json any text; the answer is meaningless if the text is not JSON
 */
export function isNestedDeeper(json: string, levels: number): boolean {
  let depth = 0;
  let inString = false;
  for (let index = 0; index < json.length; index += 1) {
    const character = json[index];
    if (inString) {
      if (character === '\\') index += 1;
      else if (character === '"') inString = false;
    } else if (character === '"') inString = true;
    else if (character === '{' || character === '[') {
      depth += 1;
      if (depth > levels) return true;
    } else if (character === '}' || character === ']') depth -= 1;
  }
  return false;
}
