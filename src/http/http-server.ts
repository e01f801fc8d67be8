import { createServer, type RequestListener } from 'node:http';
import { once } from 'node:events';

/** A listening server. */
export interface HttpServer {
  /** Takes no new connection, lets what is in flight finish, and cuts off what takes longer than `grace` ms. */
  close(grace: number): Promise<void>;
}

/** Starts to serve. @throws Error when the address cannot be had */
export async function listen(handler: RequestListener, host: string, port: number): Promise<HttpServer> {
  let closing = false;
  const server = createServer(
    { requestTimeout: 30_000, headersTimeout: 10_000, keepAliveTimeout: 65_000 },
    (req, res) => {
      if (closing) res.setHeader('Connection', 'close');
      handler(req, res);
    },
  );
  server.listen(port, host);
  await once(server, 'listening');

  return {
    async close(grace) {
      closing = true;
      const closed = once(server, 'close');
      server.close();
      // A connection that was busy when we began to close may be kept alive and idle a moment later.
      const sweep = setInterval(() => server.closeIdleConnections(), 50);
      const cut = setTimeout(() => server.closeAllConnections(), grace);
      await closed;
      clearInterval(sweep);
      clearTimeout(cut);
    },
  };
}
