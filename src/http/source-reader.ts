import type { IncomingMessage } from 'node:http';
import { type BlockList, isIP } from 'node:net';
import type { Logger } from '../observability/logger.ts';
import { forwardedAddress, plainAddress } from './forwarded-address.ts';

/** Finds the source address of a request, as far as it can be trusted. */
export type SourceReader = (request: Pick<IncomingMessage, 'headers' | 'socket'>) => string;

/** The most characters of an unreadable element that are logged. */
const MOST_SHOWN = 100;

/**
 * Creates the function that finds the source of a request. The source is the address of the connection, or, behind a
 * trusted proxy, the last address of `X-Forwarded-For` that is no trusted proxy. A stranger may have written the
 * addresses before it.
 *
 * The search ends at an element that cannot be read, and the proxy that wrote the element is the source: otherwise a
 * client could choose its own address. The log reports such an element once. It also reports once that a peer sends the
 * header although the peer is not trusted.
 */
export function createSourceReader(trusted: BlockList, logger: Pick<Logger, 'warn'>): SourceReader {
  let untrustedTold = false;
  let unreadableTold = false;

  return ({ headers, socket }) => {
    const peer = plainAddress(socket.remoteAddress ?? '');
    if (!isTrustedAddress(peer, trusted)) {
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
      if (!isTrustedAddress(address, trusted)) break;
    }
    return source;
  };
}

/** The elements of the header, without empty ones: an empty element of a list means nothing (RFC 9110 §5.6.1). */
function elementsOf(header: string | string[] | undefined): string[] {
  return [header ?? []]
    .flat()
    .join(',')
    .split(',')
    .map((element) => element.trim())
    .filter((element) => element !== '');
}

/** Whether an address is one of a list. */
export function isTrustedAddress(address: string, trusted: BlockList): boolean {
  const version = isIP(address);
  return version !== 0 && trusted.check(address, version === 4 ? 'ipv4' : 'ipv6');
}
