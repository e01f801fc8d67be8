import type { IncomingMessage } from 'node:http';
import { type BlockList, isIP } from 'node:net';
import type { Logger } from '../observability/logger.ts';
import { forwardedAddress, plainAddress } from './forwarded-address.ts';

/** Says where a request comes from, as far as that can be believed. */
export type SourceReader = (request: Pick<IncomingMessage, 'headers' | 'socket'>) => string;

/** So much of what cannot be read is logged. */
const MOST_SHOWN = 100;

/**
 * Where a request comes from: the address of the connection, or, when that is a trusted proxy, the last address of
 * `X-Forwarded-For` that is not one. The rest before that was written by somebody whom nobody knows.
 *
 * An element that cannot be read ends the search, and the proxy that wrote it is the source: to look further would be to
 * believe what stands before it, and so a client could choose its own address. The log says so once, and once that a
 * peer sends the header and is not trusted; after that neither costs anything.
 */
export function createSourceReader(trusted: BlockList, logger: Pick<Logger, 'warn'>): SourceReader {
  let untrustedTold = false;
  let unreadableTold = false;

  return ({ headers, socket }) => {
    const peer = plainAddress(socket.remoteAddress ?? '');
    if (!isTrusted(peer, trusted)) {
      if (!untrustedTold && headers['x-forwarded-for'] !== undefined) {
        untrustedTold = true;
        logger.warn(
          { event: 'forwarded.not_trusted', peer, setting: 'WRIT_TRUSTED_PROXIES' },
          'a peer that is not in WRIT_TRUSTED_PROXIES sends X-Forwarded-For, which is not believed: if it is a proxy, all clients behind it count as one address',
        );
      }
      return peer;
    }
    let source = peer;
    for (const element of elementsOf(headers['x-forwarded-for']).toReversed()) {
      const address = forwardedAddress(element);
      if (address === undefined) {
        if (!unreadableTold) {
          unreadableTold = true;
          logger.warn(
            { event: 'forwarded.unreadable', element: element.slice(0, MOST_SHOWN), proxy: source },
            'a trusted proxy wrote something into X-Forwarded-For that is no address: its clients count as one address',
          );
        }
        break;
      }
      source = address;
      if (!isTrusted(address, trusted)) break;
    }
    return source;
  };
}

/** Without those that are empty, which mean nothing in a list (RFC 9110 §5.6.1). */
function elementsOf(header: string | string[] | undefined): string[] {
  return [header ?? []]
    .flat()
    .join(',')
    .split(',')
    .map((element) => element.trim())
    .filter((element) => element !== '');
}

function isTrusted(address: string, trusted: BlockList): boolean {
  const version = isIP(address);
  return version !== 0 && trusted.check(address, version === 4 ? 'ipv4' : 'ipv6');
}
