import { once } from 'node:events';
import { connect } from 'node:net';

/** What came back on a connection, and how it ended. */
export interface Exchange {
  readonly text: string;
  readonly closed: boolean;
}

/**
 * Writes bytes to a server and reads until it closes the connection, or for so long.
 *
 * @param parts written one after the other
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
