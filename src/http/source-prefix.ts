/**
 * The prefix by which addresses are counted: a whole IPv4 address, or the first 64 bits of an IPv6 address. One
 * household or machine has at least a whole network of 64 bits (RFC 6177).
 *
 * @param address in any spelling
 * @returns the same text for all addresses that are counted together
 */
export function sourcePrefix(address: string): string {
  if (!address.includes(':')) return address;
  const [head = '', tail] = address.split('::');
  const groups = groupsOf(head);
  if (tail !== undefined) {
    const last = groupsOf(tail);
    while (groups.length + last.length < 8) groups.push('0');
    groups.push(...last);
  }
  return `${groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`;
}

/** The groups of one part of an IPv6 address. An IPv4 address at the end stands for two groups. */
function groupsOf(text: string): string[] {
  return text === '' ? [] : text.split(':').flatMap((group) => (group.includes('.') ? ['0', '0'] : [group]));
}
