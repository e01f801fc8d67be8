import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { after } from 'node:test';

/** A proxy that drops notifications only, like a pooler that gives connections out for one transaction each. */
export interface DeafPooler {
  readonly url: string;
  /** Whether notifications are swallowed. */
  deaf: boolean;
  close(): Promise<void>;
}

const running = new Set<DeafPooler>();

// A pooler that a failed test left behind would keep this process, and with it the suite, from ending.
after(() => Promise.allSettled([...running].map((pooler) => pooler.close())));

/** `NotificationResponse` of PostgreSQL's protocol (its manual, 54.7). */
const NOTIFICATION = 'A'.charCodeAt(0);

export async function startDeafPooler(databaseUrl: string): Promise<DeafPooler> {
  const target = new URL(databaseUrl);
  const sockets = new Set<Socket>();
  const server = createServer((inner) => {
    const outer = connect(Number(target.port), target.hostname);
    let rest = Buffer.alloc(0);
    for (const socket of [inner, outer]) {
      sockets.add(socket);
      socket.on('error', () => socket.destroy());
    }
    inner.on('close', () => outer.destroy());
    outer.on('close', () => inner.destroy());
    inner.on('data', (chunk) => outer.write(chunk));
    outer.on('data', (chunk: Buffer) => {
      rest = Buffer.concat([rest, chunk]);
      // A message begins with one byte for its type. The length that follows includes its own four bytes.
      while (rest.length >= 5 && rest.length > rest.readUInt32BE(1)) {
        const message = rest.subarray(0, rest.readUInt32BE(1) + 1);
        rest = rest.subarray(message.length);
        if (!(pooler.deaf && message[0] === NOTIFICATION)) inner.write(message);
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const url = new URL(databaseUrl);
  url.port = String(port);
  const pooler: DeafPooler = {
    url: url.href,
    deaf: true,
    async close() {
      running.delete(pooler);
      server.close();
      sockets.forEach((socket) => socket.destroy());
      await once(server, 'close');
    },
  };
  running.add(pooler);
  return pooler;
}
