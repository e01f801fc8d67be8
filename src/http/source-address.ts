import type { IncomingMessage } from 'node:http';
import { type BlockList, isIP } from 'node:net';

/**
 * Where a request comes from: the address of the connection, or, when that is a trusted proxy, the last address of
 * `X-Forwarded-For` that is not one. What stands before that was written by somebody nobody knows.
 */
export function sourceAddress(request: IncomingMessage, trusted: BlockList): string {
  const peer = plain(request.socket.remoteAddress ?? '');
  if (!isTrusted(peer, trusted)) return peer;
  const forwarded = request.headersDistinct['x-forwarded-for']?.join(',').split(',') ?? [];
  let source = peer;
  for (const hop of forwarded.toReversed()) {
    const address = plain(hop.trim());
    if (isIP(address) === 0) break;
    source = address;
    if (!isTrusted(address, trusted)) break;
  }
  return source;
}

function isTrusted(address: string, trusted: BlockList): boolean {
  const version = isIP(address);
  return version !== 0 && trusted.check(address, version === 4 ? 'ipv4' : 'ipv6');
}

/** An IPv4 address is itself, also where a socket that takes both writes it as IPv6. */
function plain(address: string): string {
  return address.startsWith('::ffff:') && isIP(address.slice(7)) === 4 ? address.slice(7) : address;
}
