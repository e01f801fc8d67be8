import { once } from 'node:events';
import { connect } from 'node:net';

/** The text that a server sent on a connection, and whether the server closed it. */
export interface Exchange {
  readonly text: string;
  readonly closed: boolean;
}

/**
 * Writes bytes to a server, then reads until the server closes the connection or the patience ends.
 *
 * @param parts the bytes, written one part after the other
 * @param patience the longest wait after the last part, in milliseconds
 */
export async function exchange(
  url: string,
  parts: Iterable<string | Buffer> | AsyncIterable<string | Buffer>,
  patience = 3000,
): Promise<Exchange> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  await once(socket, 'connect');
  let text = '';
  socket.on('data', (chunk) => {
    text += chunk.toString('latin1');
  });
  socket.on('error', () => {});
  const closed = new Promise<boolean>((resolve) => socket.on('close', () => resolve(true)));
  for await (const part of parts) {
    if (socket.destroyed) break;
    if (!socket.write(part)) await Promise.race([once(socket, 'drain').catch(() => {}), closed]);
  }
  const late = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => late.resolve(false), patience);
  const result = await Promise.race([closed, late.promise]);
  clearTimeout(timer);
  socket.destroy();
  return { text, closed: result };
}
