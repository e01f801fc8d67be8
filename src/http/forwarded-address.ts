import { isIP } from 'node:net';

/**
 * Reads one element of an `X-Forwarded-For`, in any form that proxies write: an address; an IPv4 address with a port
 * (Azure Application Gateway, IIS); an IPv6 address in brackets, with or without a port; any of them in quotes (RFC 7239
 * §6); an IPv6 address with a zone. A port after an IPv6 address without brackets would be a part of the address, so
 * there is none.
 *
 * @returns the address alone, as {@link plainAddress} has it; undefined for `unknown`, for a name that hides the address
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
 * An address as it is compared: without its zone, which means something on one machine only, and an IPv4 address as
 * itself, also where a socket that takes both writes it as IPv6 (RFC 4291 §2.5.5.2).
 *
 * @param address what is none comes back as it is
 */
export function plainAddress(address: string): string {
  if (!address.includes(':')) return address;
  const alone = /^([^%]+)%/.exec(address)?.[1] ?? address;
  if (isIP(alone) !== 6) return address;
  // In its one canonical spelling (WHATWG URL, IPv6 serializer).
  const [, high, low] =
    /^\[::ffff:([\da-f]{1,4}):([\da-f]{1,4})\]$/.exec(URL.parse(`http://[${alone}]`)?.hostname ?? '') ?? [];
  if (high === undefined || low === undefined) return alone;
  return [high, low]
    .map((group) => Number.parseInt(group, 16))
    .flatMap((group) => [group >> 8, group & 255])
    .join('.');
}
