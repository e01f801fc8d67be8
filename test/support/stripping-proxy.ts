import { once } from 'node:events';
import { createServer, request } from 'node:http';
import { freePort } from './free-port.ts';

/** A reverse proxy that serves a server below a prefix. */
export interface StrippingProxy {
  readonly url: string;
  close(): Promise<void>;
}

/**
 * Starts a reverse proxy in front of a server.
 *
 * @param target address of the server
 * @param prefix path below which it is served, such as `/auth`
 * @param strip whether the server gets paths without the prefix
 */
export async function startStrippingProxy(target: string, prefix: string, strip: boolean): Promise<StrippingProxy> {
  const proxy = createServer((incoming, outgoing) => {
    const path = incoming.url ?? '';
    if (!path.startsWith(prefix)) {
      outgoing.writeHead(404).end();
      return;
    }
    const { method, headers } = incoming;
    const forwarded = request(target, { path: strip ? path.slice(prefix.length) : path, method, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    forwarded.on('error', () => outgoing.destroy());
    incoming.pipe(forwarded);
  });
  const port = await freePort();
  proxy.listen(port, '127.0.0.1');
  await once(proxy, 'listening');
  return {
    url: `http://127.0.0.1:${port}${prefix}`,
    async close() {
      proxy.closeAllConnections();
      proxy.close();
      await once(proxy, 'close');
    },
  };
}
