import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';

/** A listening server. */
export interface HttpServer {
  /** Takes no new connection, lets what is in flight finish, and cuts off what takes longer than `grace` ms. */
  close(grace: number): Promise<void>;
}

/** How much time and how many headers a client may take. */
export interface HttpLimits {
  /** Milliseconds for the headers, and for the whole request. */
  readonly headersTimeout: number;
  readonly requestTimeout: number;
  readonly keepAliveTimeout: number;
  readonly headerCount: number;
}

export const HTTP_LIMITS: HttpLimits = {
  headersTimeout: 10_000,
  requestTimeout: 20_000,
  keepAliveTimeout: 65_000,
  headerCount: 100,
};

/**
 * Starts to serve. What cannot be read as HTTP is answered like everything else: JSON with a request id.
 *
 * @param newId makes request ids
 * @throws Error when the address cannot be had
 */
export async function listen(
  handler: RequestListener,
  { host, port, limits, newId }: { host: string; port: number; limits: HttpLimits; newId: () => string },
): Promise<HttpServer> {
  const { headersTimeout, requestTimeout, keepAliveTimeout, headerCount } = limits;
  let closing = false;
  const server = createServer(
    { headersTimeout, requestTimeout, keepAliveTimeout, connectionsCheckingInterval: 500 },
    (request, response) => {
      if (closing) response.setHeader('Connection', 'close');
      if (request.rawHeaders.length > headerCount * 2) refuse(response, 431, newId());
      else handler(request, response);
    },
  );
  // Node would drop the headers beyond its own limit and say nothing.
  server.maxHeadersCount = 0;
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    if (socket.writable) socket.end(rawRefusal(STATUS.get(error.code ?? '') ?? 400, newId()));
    else socket.destroy();
  });
  server.on('checkExpectation', (_request: IncomingMessage, response: ServerResponse) =>
    refuse(response, 417, newId()),
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

/** What Node's parser gives up on; anything else is just no HTTP. */
const STATUS = new Map([
  ['HPE_HEADER_OVERFLOW', 431],
  ['ERR_HTTP_REQUEST_TIMEOUT', 408],
]);

function headersAndBody(status: number, requestId: string): { headers: Record<string, string>; body: string } {
  const message = (STATUS_CODES[status] ?? 'Error').toLowerCase();
  const body = JSON.stringify({
    error: 'invalid_request',
    error_description: message,
    message,
    request_id: requestId,
  });
  return {
    body,
    headers: {
      'Content-Type': 'application/json; charset=utf-8',
      'Content-Length': String(Buffer.byteLength(body)),
      'Cache-Control': 'no-store',
      'X-Content-Type-Options': 'nosniff',
      'X-Request-Id': requestId,
      Connection: 'close',
    },
  };
}

function refuse(response: ServerResponse, status: number, requestId: string): void {
  const { headers, body } = headersAndBody(status, requestId);
  response.writeHead(status, headers).end(body);
}

/** As bytes, for a socket on which no request could be read. */
function rawRefusal(status: number, requestId: string): string {
  const { headers, body } = headersAndBody(status, requestId);
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  return [`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`, ...lines, '', body].join('\r\n');
}
