import ipaddr from 'ipaddr.js';

/**
 * The prefix by which addresses are counted: a whole IPv4 address, or the first 64 bits of an IPv6 address. One
 * household or machine has at least a whole network of 64 bits (RFC 6177).
 *
 * @param address in any spelling
 * @returns the same text for all addresses that are counted together
 */
export function sourcePrefix(address: string): string {
  if (!ipaddr.IPv6.isValid(address)) return address;
  return `${ipaddr.IPv6.networkAddressFromCIDR(`${address}/64`).toString()}/64`;
}
