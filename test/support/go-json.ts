import assert from 'node:assert/strict';

/** Reads a value as Go's `encoding/json` reads it into a variable of one type. @throws AssertionError where Go fails */
export type GoType<Value = unknown> = (value: unknown, where: string) => Value;

/** Creates a reader for one kind of value. As in Go, an absent value or null is read as the zero value of the type. */
function reading<Value>(kind: string, fits: (value: unknown) => boolean, zero: Value): GoType<Value> {
  return (value, where) => {
    if (value === undefined || value === null) return zero;
    assert.ok(
      fits(value),
      `json: cannot unmarshal ${JSON.stringify(value)} into Go struct field ${where} of type ${kind}`,
    );
    return value as Value;
  };
}

export const goString: GoType<string> = reading('string', (value) => typeof value === 'string', '');
export const goInt64: GoType<number> = reading('int64', (value) => Number.isSafeInteger(value), 0);

/** Reads a time that `time.Parse(time.RFC3339, …)` accepts. The empty string stands for no time. */
export const goTime: GoType<string> = (value, where) => {
  const text = goString(value, where);
  const form = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:\d{2})$/;
  assert.ok(text === '' || form.test(text), `parsing time ${JSON.stringify(text)} at ${where}`);
  return text;
};

export function goSlice<Value>(of: GoType<Value>): GoType<Value[]> {
  const list = reading<unknown[]>('slice', Array.isArray, []);
  return (value, where) => list(value, where).map((item, index) => of(item, `${where}[${index}]`));
}

/** Creates a reader for a struct. Like Go, it ignores unknown members, and matches names in upper and lower case. */
export function goStruct<Fields extends Record<string, GoType>>(
  fields: Fields,
): GoType<{ [Name in keyof Fields]: ReturnType<Fields[Name]> }> {
  const object = reading<object>('struct', (value) => typeof value === 'object' && !Array.isArray(value), {});
  return (value, where) => {
    const members = Object.entries(object(value, where));
    const read = Object.entries(fields).map(([name, type]): [string, unknown] => {
      const found = members.findLast(([member]) => member.toLowerCase() === name.toLowerCase());
      return [name, type(found?.[1], `${where}.${name}`)];
    });
    return Object.fromEntries(read) as { [Name in keyof Fields]: ReturnType<Fields[Name]> };
  };
}
