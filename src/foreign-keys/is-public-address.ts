import ipaddr from 'ipaddr.js';

/** The part of IPv6 that has been given to the public internet (RFC 4291 §2.4, RFC 7249 §2). */
const PUBLIC_IPV6 = ipaddr.IPv6.parseCIDR('2000::/3');

/** An address of the machine beneath a virtual machine of Azure: it is public by its number only. */
const WIRE_SERVER = '168.63.129.16';

/**
 * Whether an address belongs to the public internet: not to this machine, a private network, a link (where clouds have
 * their metadata services), or a range for another purpose (RFC 6890). An IPv4 address inside IPv6 counts as itself.
 */
export function isPublicAddress(address: string): boolean {
  if (!ipaddr.isValid(address)) return false;
  const parsed = ipaddr.process(address);
  // The old form of an IPv4 address inside IPv6 (::7f00:1) is in no range of its own.
  if (parsed instanceof ipaddr.IPv6 && !parsed.match(PUBLIC_IPV6)) return false;
  return parsed.range() === 'unicast' && parsed.toString() !== WIRE_SERVER;
}
