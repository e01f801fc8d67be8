import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { after } from 'node:test';

/** A proxy between a server and its database, which fails as networks do. */
export interface FaultProxy {
  /** The address of the database by way of the proxy. */
  readonly url: string;
  /** Cuts every connection and refuses new ones. */
  cut(): void;
  /** Holds all data back without an error, as a black hole does. */
  swallow(): void;
  /** Loses all further data of the open connections for ever; new connections work. */
  lose(): void;
  /** Passes all data on again, beginning with the data that was held back. */
  heal(): void;
  close(): Promise<void>;
}

const running = new Set<FaultProxy>();

// A proxy that a failed test left behind would keep this process, and with it the suite, from ending.
after(() => Promise.allSettled([...running].map((proxy) => proxy.close())));

export async function startFaultProxy(databaseUrl: string): Promise<FaultProxy> {
  const target = new URL(databaseUrl);
  let state: 'open' | 'cut' | 'swallowing' = 'open';
  const sockets = new Set<Socket>();
  const lost = new Set<Socket>();
  const server = createServer((inner) => {
    const outer = connect(Number(target.port), target.hostname);
    for (const [from, to] of [
      [inner, outer],
      [outer, inner],
    ] as const) {
      sockets.add(from);
      from.on('error', () => to.destroy());
      from.on('close', () => {
        sockets.delete(from);
        lost.delete(from);
        to.destroy();
      });
      from.on('data', (chunk) => {
        if (lost.has(from)) return;
        if (state === 'open') to.write(chunk);
        else held.push(() => to.write(chunk));
      });
    }
    if (state === 'cut') inner.destroy();
  });
  let held: (() => void)[] = [];
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const url = new URL(databaseUrl);
  url.port = String(port);
  const cutAll = (): void => sockets.forEach((socket) => socket.destroy());

  const proxy: FaultProxy = {
    url: url.href,
    cut() {
      state = 'cut';
      cutAll();
    },
    swallow() {
      state = 'swallowing';
    },
    lose() {
      for (const socket of sockets) lost.add(socket);
    },
    heal() {
      state = 'open';
      const late = held;
      held = [];
      for (const send of late) send();
    },
    async close() {
      running.delete(proxy);
      server.close();
      cutAll();
      await once(server, 'close');
    },
  };
  running.add(proxy);
  return proxy;
}
