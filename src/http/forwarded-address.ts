import { isIP } from 'node:net';

/**
 * Reads one element of an `X-Forwarded-For`, in any form that proxies write: an address; an IPv4 address with a port
 * (Azure Application Gateway, IIS); an IPv6 address in brackets, with or without a port; an IPv6 address with a zone;
 * any of them in quotes (RFC 7239 §6). An IPv6 address without brackets has no port: the port would be part of the
 * address.
 *
 * @returns the address in the form of {@link plainAddress}; undefined for `unknown`, for a name that hides the address
 *   (RFC 7239 §6.3), and for anything else
 */
export function forwardedAddress(element: string): string | undefined {
  const text = /^"(.*)"$/.exec(element.trim())?.[1]?.trim() ?? element.trim();
  const bracketed = /^\[([^[\]]*)\](?::\d{1,5})?$/.exec(text)?.[1];
  const address = plainAddress(bracketed ?? /^([\d.]+):\d{1,5}$/.exec(text)?.[1] ?? text);
  if (isIP(address) === 0 || (bracketed !== undefined && !bracketed.includes(':'))) return undefined;
  return address;
}

/**
 * Brings an address into the form in which addresses are compared. The zone of an IPv6 address is removed: it has a
 * meaning on one machine only. An IPv6 address that stands for an IPv4 address (RFC 4291 §2.5.5.2) becomes the latter.
 *
 * @param address any text: a text that is no address is returned unchanged
 */
export function plainAddress(address: string): string {
  if (!address.includes(':')) return address;
  const alone = /^([^%]+)%/.exec(address)?.[1] ?? address;
  if (isIP(alone) !== 6) return address;
  // The URL parser writes an IPv6 address in its one canonical spelling (WHATWG URL, IPv6 serializer).
  const [, high, low] =
    /^\[::ffff:([\da-f]{1,4}):([\da-f]{1,4})\]$/.exec(URL.parse(`http://[${alone}]`)?.hostname ?? '') ?? [];
  if (high === undefined || low === undefined) return alone;
  return [high, low]
    .map((group) => Number.parseInt(group, 16))
    .flatMap((group) => [group >> 8, group & 255])
    .join('.');
}
