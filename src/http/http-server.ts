import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse, STATUS_CODES } from 'node:http';
import { type Socket, Server as TcpServer } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { problemDocument } from './problem.ts';
import { CONNECTION_LIMITS, type ConnectionLimits, type FairConnections, fairConnections } from './fair-connections.ts';

/** A listening server. */
export interface HttpServer {
  /** Goes on serving, and has every answer close its connection, so that clients look for another server. */
  drain(): void;
  /** Takes no new connection, lets the requests in flight finish, and cuts connections that take longer than `grace` ms. */
  close(grace: number): Promise<void>;
}

/** How much time and how many headers a client may take. */
export interface HttpLimits {
  /** Milliseconds for the headers, and for the whole request. */
  readonly headersTimeout: number;
  readonly requestTimeout: number;
  readonly keepAliveTimeout: number;
  /** Milliseconds after which a connection is cut on which nothing has moved although an answer is due. */
  readonly stallTimeout: number;
  readonly headerCount: number;
  readonly connections: ConnectionLimits;
}

export const HTTP_LIMITS: HttpLimits = {
  headersTimeout: 10_000,
  requestTimeout: 20_000,
  keepAliveTimeout: 65_000,
  stallTimeout: 30_000,
  headerCount: 100,
  connections: CONNECTION_LIMITS,
};

/** Milliseconds between two looks at what clients leave unread. */
const LOOK_AT_READERS = 500;

/**
 * Starts to serve. What cannot be read as HTTP is answered like everything else: JSON with a request id.
 *
 * @param newId makes request ids
 * @param isManagement whether a request target is the management API's, whose errors have a form of their own
 * @param onRefused told of every request that was answered here, before any handler saw it
 * @throws Error when the address cannot be had
 */
export async function listen(
  handler: RequestListener,
  {
    host,
    port,
    limits,
    newId,
    isManagement,
    onRefused,
  }: {
    host: string;
    port: number;
    limits: HttpLimits;
    newId: () => string;
    isManagement: (target: string) => boolean;
    onRefused: (refused: RefusedMessage) => void;
  },
): Promise<HttpServer> {
  const { headersTimeout, requestTimeout, keepAliveTimeout, stallTimeout, headerCount } = limits;
  let draining = false;
  const connections = fairConnections((request, response) => {
    if (draining) response.setHeader('Connection', 'close');
    if (request.rawHeaders.length > headerCount * 2) refuse(request, response, 431);
    else handler(request, response);
  }, limits.connections);

  function refuse(request: IncomingMessage, response: ServerResponse, status: number): void {
    const requestId = newId();
    const management = isManagement(request.url ?? '');
    onRefused({ status, requestId, peer: request.socket.remoteAddress, management, message: messageOf(status) });
    const { headers, body } = headersAndBody(status, requestId, management);
    response.writeHead(status, headers).end(body);
  }

  const server = createServer(
    { headersTimeout, requestTimeout, keepAliveTimeout, connectionsCheckingInterval: 500 },
    connections.handle,
  );
  server.timeout = stallTimeout;
  server.on('connection', (socket: Socket) => {
    connections.accept(socket);
    // Node.js remembers it from here on: a socket that is closed says no more where it came from.
    void socket.remoteAddress;
  });
  // Node would drop the headers beyond its own limit and say nothing.
  server.maxHeadersCount = 0;
  server.on('clientError', (error: ParseError, socket: Socket) => {
    if (!socket.writable) {
      socket.destroy();
      return;
    }
    const status = STATUS.get(error.code ?? '') ?? 400;
    // A request that breaks off in the middle has an id already, and is recorded by the handler that reads it.
    const [request, response] = connections.beingRead(socket) ?? [];
    const requestId = idOf(response) ?? newId();
    const management = isManagement(request?.url ?? targetOf(error.rawPacket));
    if (request === undefined) {
      onRefused({ status, requestId, peer: socket.remoteAddress, management, message: messageOf(status) });
    }
    socket.end(rawRefusal(status, requestId, management));
  });
  server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) => refuse(request, response, 417));
  server.listen(port, host);
  await once(server, 'listening');
  const looking = setInterval(connections.cutSlowReaders, LOOK_AT_READERS).unref();

  return {
    drain() {
      draining = true;
    },
    async close(grace) {
      draining = true;
      const closed = once(server, 'close');
      // First the listening socket alone: to look for idle connections takes longer than the moment lasts.
      await atQuietMoment(connections, () => TcpServer.prototype.close.call(server));
      // A client that has connected in the last moment is about to ask.
      await until(() => connections.newcomers() === 0, NEWCOMERS_ASK_WITHIN);
      server.close();
      // A connection that was busy when we began to close may be kept alive and idle a moment later.
      const sweep = setInterval(() => server.closeIdleConnections(), 50);
      const cut = globalThis.setTimeout(() => server.closeAllConnections(), grace);
      await closed;
      clearInterval(sweep);
      clearInterval(looking);
      clearTimeout(cut);
    },
  };
}

/** Milliseconds in which a quiet moment is waited for, and in which a client that has connected sends its request. */
const QUIET_WITHIN = 3000;
const NEWCOMERS_ASK_WITHIN = 1000;

/** Looks again and again whether something holds, for so many milliseconds at most. */
async function until(holds: () => boolean, patience: number): Promise<void> {
  const end = performance.now() + patience;
  while (!holds() && performance.now() < end) await setTimeout(10);
}

/**
 * Does something in a moment in which nobody connects or asks. The kernel resets connections that have been made and not yet
 * been accepted when the listening socket closes, and a load balancer cannot know whether their requests were served.
 */
function atQuietMoment({ accepted, newcomers, inFlight }: FairConnections, act: () => void): Promise<void> {
  const end = performance.now() + QUIET_WITHIN;
  const { promise, resolve } = Promise.withResolvers<void>();
  let before = -1;
  const look = (): void => {
    if (performance.now() < end && (accepted() !== before || newcomers() > 0 || inFlight() > 0)) {
      before = accepted();
      // Between two looks, Node.js accepts everybody who waits.
      setImmediate(look);
    } else {
      act();
      resolve();
    }
  };
  look();
  return promise;
}

/** A request that was answered before any handler saw it. */
export interface RefusedMessage {
  readonly status: number;
  readonly requestId: string;
  readonly peer: string | undefined;
  /** Whether it was answered as the management API does. */
  readonly management: boolean;
  readonly message: string;
}

type ParseError = NodeJS.ErrnoException & { readonly rawPacket?: Buffer };

/** The id that an answer carries already. */
function idOf(response: ServerResponse | undefined): string | undefined {
  const id = response?.getHeader('X-Request-Id');
  return typeof id === 'string' ? id : undefined;
}

/** The target of a request that could not be read, as far as it was read. */
function targetOf(packet: Buffer | undefined): string {
  return /^[A-Z]+ (\S+)/.exec(packet?.toString('latin1', 0, 256) ?? '')?.[1] ?? '';
}

/** What Node's parser gives up on; anything else is just no HTTP. */
const STATUS = new Map([
  ['HPE_HEADER_OVERFLOW', 431],
  ['ERR_HTTP_REQUEST_TIMEOUT', 408],
]);

function messageOf(status: number): string {
  return (STATUS_CODES[status] ?? 'Error').toLowerCase();
}

function headersAndBody(
  status: number,
  requestId: string,
  management: boolean,
): { headers: Record<string, string>; body: string } {
  const message = messageOf(status);
  const content = management
    ? problemDocument({ status, code: status === 431 ? 'too_large' : 'invalid_body', detail: message }, requestId)
    : { error: 'invalid_request', error_description: message, message, request_id: requestId };
  const body = JSON.stringify(content);
  return {
    body,
    headers: {
      'Content-Type': management ? 'application/problem+json; charset=utf-8' : 'application/json; charset=utf-8',
      'Content-Length': String(Buffer.byteLength(body)),
      'Cache-Control': 'no-store',
      'X-Content-Type-Options': 'nosniff',
      'X-Request-Id': requestId,
      Connection: 'close',
    },
  };
}

/** As bytes, for a socket on which no request could be read. */
function rawRefusal(status: number, requestId: string, management: boolean): string {
  const { headers, body } = headersAndBody(status, requestId, management);
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  return [`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`, ...lines, '', body].join('\r\n');
}
