import { once } from 'node:events';
import { createServer } from 'node:net';

/** An address to which nobody may connect. */
export interface Canary {
  /** The host and the port. */
  readonly address: string;
  /** The number of connections so far, over TLS or not. */
  visits(): number;
  close(): void;
}

/** Opens a canary on this machine. */
export async function openCanary(): Promise<Canary> {
  let visits = 0;
  const server = createServer((socket) => {
    visits += 1;
    socket.destroy();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new Error('the canary has no port');
  return { address: `127.0.0.1:${bound.port}`, visits: () => visits, close: () => server.close() };
}
