/** How deep the JSON of strangers may be: deeper than anything that is read here, and far from what exhausts a stack. */
export const DEEPEST_JSON = 32;

/**
 * Whether arrays and objects stand in each other more often than a number of times. The text itself is looked at:
 * `JSON.parse` takes any depth, and most of what works on its result calls itself for each level.
 *
 * @param json any text; where it is no JSON the answer means nothing
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
