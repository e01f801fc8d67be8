/** Shows the value of a client as a short text that an error description may contain (RFC 6749 §5.2). */
export function quoted(value: unknown): string {
  const text = value === undefined ? 'absent' : JSON.stringify(value);
  const plain = text.replaceAll(/["\\]/g, "'").replaceAll(/[^\x20-\x7E]/g, '?');
  return plain.length > 200 ? `${plain.slice(0, 200)}...` : plain;
}
