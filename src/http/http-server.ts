import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse, STATUS_CODES } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type Socket, Server as TcpServer } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { problemDocument } from './problem.ts';
import { type ServerTls, TLS_OPTIONS } from './tls-options.ts';
import { CONNECTION_LIMITS, type ConnectionLimits, type FairConnections, fairConnections } from './fair-connections.ts';

/** A listening server. */
export interface HttpServer {
  /** Goes on serving, but every answer closes its connection, so that clients look for another server. */
  drain(): void;
  /** Takes no new connection, lets the requests in flight finish, and cuts connections after `grace` milliseconds. */
  close(grace: number): Promise<void>;
}

/** The limits of time, headers and connections for a client. */
export interface HttpLimits {
  /** The most milliseconds in which the headers must arrive. */
  readonly headersTimeout: number;
  /** The most milliseconds in which the whole request must arrive. */
  readonly requestTimeout: number;
  readonly keepAliveTimeout: number;
  /** A connection is cut when an answer is due and no data has moved for so many milliseconds. */
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

/** Milliseconds between two checks of how much clients leave unread. */
const LOOK_AT_READERS = 500;

/**
 * Starts to serve. A message that is not HTTP is answered like any request: in JSON, with a request id.
 *
 * @param tls undefined: the server speaks plain HTTP
 * @param newId generates request ids
 * @param isManagement whether a request target belongs to the management API, whose errors have a form of their own
 * @param onRefused told of every request that was answered here, before a handler saw the request
 * @throws Error when the server cannot listen at the address
 */
export async function listen(
  handler: RequestListener,
  {
    host,
    port,
    tls,
    limits,
    newId,
    isManagement,
    onRefused,
  }: {
    host: string;
    port: number;
    tls?: ServerTls | undefined;
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

  const times = { headersTimeout, requestTimeout, keepAliveTimeout, connectionsCheckingInterval: 500 };
  const server = tls === undefined ? createServer(times, connections.handle) : secureServer(tls);

  function secureServer(source: ServerTls): ReturnType<typeof createTlsServer> {
    const options = (): object => ({ ...TLS_OPTIONS, ...source.current() });
    const secure = createTlsServer({ ...times, ...options(), handshakeTimeout: headersTimeout }, connections.handle);
    source.onChange(() => secure.setSecureContext(options()));
    return secure;
  }
  server.timeout = stallTimeout;
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  // Over TLS a connection counts when its handshake is done.
  server.on(tls === undefined ? 'connection' : 'secureConnection', (socket: Socket) => {
    connections.accept(socket);
    // The address is read early, and Node.js remembers it: a closed socket does not tell its address.
    void socket.remoteAddress;
  });
  // 0 means no limit: beyond a limit of its own, Node.js would silently drop headers.
  server.maxHeadersCount = 0;
  server.on('clientError', (error: ParseError, socket: Socket) => {
    // Nothing can be said on a connection whose handshake of TLS has failed, or takes too long.
    if (!socket.writable || !connections.has(socket)) {
      socket.destroy();
      return;
    }
    const status = STATUS.get(error.code ?? '') ?? 400;
    // A request that breaks off in its body has an id already, and its handler records the refusal.
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
  await once(server, 'listening').catch((error: unknown) => {
    throw isTaken(error) ? takenAddress(host, port, error) : error;
  });
  const looking = setInterval(connections.cutSlowReaders, LOOK_AT_READERS).unref();

  return {
    drain() {
      draining = true;
    },
    async close(grace) {
      draining = true;
      const closed = once(server, 'close');
      // The listening socket is closed alone at first: to look for idle connections takes longer than the quiet moment.
      await atQuietMoment(connections, () => TcpServer.prototype.close.call(server));
      // A client that has just connected is about to send a request.
      await until(() => connections.newcomers() === 0, NEWCOMERS_ASK_WITHIN);
      server.close();
      // A connection that was busy when the server closed may be idle a moment later, and must be closed then.
      const sweep = setInterval(() => server.closeIdleConnections(), 50);
      const cut = globalThis.setTimeout(() => {
        server.closeAllConnections();
        // Connections in their handshake are among these only.
        for (const socket of sockets) socket.destroy();
      }, grace);
      await closed;
      clearInterval(sweep);
      clearInterval(looking);
      clearTimeout(cut);
    },
  };
}

function isTaken(error: unknown): error is Error & { readonly code: string } {
  return error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
}

/** An error that tells the operator what to do, with the code of its cause. */
function takenAddress(host: string, port: number, cause: { readonly code: string }): Error {
  const message = `Another process listens at ${host}:${port}: stop it, or set PORT or WRIT_INTERNAL_LISTEN to another port`;
  return Object.assign(new Error(message, { cause }), { code: cause.code });
}

/** The most milliseconds that a close waits for a quiet moment. */
const QUIET_WITHIN = 3000;
/** The most milliseconds that a close waits for the first requests of clients that have just connected. */
const NEWCOMERS_ASK_WITHIN = 1000;

/** Waits until a condition holds. @param patience the most milliseconds to wait */
async function until(holds: () => boolean, patience: number): Promise<void> {
  const end = performance.now() + patience;
  while (!holds() && performance.now() < end) await setTimeout(10);
}

/**
 * Calls `act` in a moment without new connections and requests, or after {@link QUIET_WITHIN} milliseconds. When the
 * listening socket closes, the kernel resets the connections that have not been accepted yet. A load balancer cannot
 * know whether the requests of such connections were served.
 */
function atQuietMoment({ accepted, newcomers, inFlight }: FairConnections, act: () => void): Promise<void> {
  const end = performance.now() + QUIET_WITHIN;
  const { promise, resolve } = Promise.withResolvers<void>();
  let before = -1;
  const look = (): void => {
    if (performance.now() < end && (accepted() !== before || newcomers() > 0 || inFlight() > 0)) {
      before = accepted();
      // Between two checks, Node.js accepts all connections that wait.
      setImmediate(look);
    } else {
      act();
      resolve();
    }
  };
  look();
  return promise;
}

/** A request that was answered before a handler saw it. */
export interface RefusedMessage {
  readonly status: number;
  readonly requestId: string;
  readonly peer: string | undefined;
  /** Whether the answer has the form of the management API. */
  readonly management: boolean;
  readonly message: string;
}

type ParseError = NodeJS.ErrnoException & { readonly rawPacket?: Buffer };

/** The request id that a response has already. */
function idOf(response: ServerResponse | undefined): string | undefined {
  const id = response?.getHeader('X-Request-Id');
  return typeof id === 'string' ? id : undefined;
}

/** The target of a request that the parser could not read, taken from the first bytes of the request. */
function targetOf(packet: Buffer | undefined): string {
  return /^[A-Z]+ (\S+)/.exec(packet?.toString('latin1', 0, 256) ?? '')?.[1] ?? '';
}

/** The statuses that answer errors of Node's parser. Any other error is answered with 400: the message is not HTTP. */
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

/** The text of a refusal, for a socket on which no request could be read. */
function rawRefusal(status: number, requestId: string, management: boolean): string {
  const { headers, body } = headersAndBody(status, requestId, management);
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  return [`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`, ...lines, '', body].join('\r\n');
}
