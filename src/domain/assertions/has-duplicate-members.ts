/**
 * Whether an object in a JSON text has two members with the same name (RFC 7515 §4, RFC 7519 §4). The text is then
 * ambiguous: `JSON.parse` keeps the last of the two members, and other parsers keep the first.
 *
 * @param json a text that `JSON.parse` accepts
 */
export function hasDuplicateMembers(json: string): boolean {
  // For every open container: the names that an object has so far, or undefined for an array.
  const open: (Set<string> | undefined)[] = [];
  let nameFollows = false;
  for (let index = 0; index < json.length; index += 1) {
    const character = json[index];
    if (character === '{') {
      open.push(new Set());
      nameFollows = true;
    } else if (character === '[') {
      open.push(undefined);
      nameFollows = false;
    } else if (character === '}' || character === ']') {
      open.pop();
      nameFollows = false;
    } else if (character === ',') {
      nameFollows = open.at(-1) !== undefined;
    } else if (character === '"') {
      const end = endOfString(json, index);
      if (nameFollows && isRepeated(open.at(-1), json.slice(index, end + 1))) return true;
      nameFollows = false;
      index = end;
    }
  }
  return false;
}

function endOfString(json: string, start: number): number {
  let index = start + 1;
  while (json[index] !== '"') index += json[index] === '\\' ? 2 : 1;
  return index;
}

/** Adds a name to the names of an object. @returns whether the object had the name before */
function isRepeated(names: Set<string> | undefined, literal: string): boolean {
  const name: string = literal.includes('\\') ? JSON.parse(literal) : literal.slice(1, -1);
  if (names?.has(name) === true) return true;
  names?.add(name);
  return false;
}
