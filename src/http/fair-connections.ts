import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** The limits of one connection, and of all connections together. */
export interface ConnectionLimits {
  /** The most requests of one connection that are worked on at once; further requests wait until an answer is sent. */
  readonly inFlight: number;
  /** The most requests of one connection that may wait; a connection that sends more is cut. */
  readonly waiting: number;
  /** The most requests of all connections that may wait before `waitingWhenCrowded` holds instead of `waiting`. */
  readonly waitingInAll: number;
  /** The most requests of one connection that may wait while many requests wait in all. */
  readonly waitingWhenCrowded: number;
  /** The most bytes of answers that all clients together leave unread before the slowest connections are cut. */
  readonly unreadBytes: number;
}

export const CONNECTION_LIMITS: ConnectionLimits = {
  inFlight: 4,
  waiting: 512,
  waitingInAll: 8192,
  waitingWhenCrowded: 16,
  unreadBytes: 64 * 1024 * 1024,
};

/** A request handler that shares the server fairly among connections. */
export interface FairConnections {
  /** Must be called with every new connection, before its first request. */
  readonly accept: (socket: Socket) => void;
  /** Whether a connection has been accepted, and is open. */
  has(socket: Socket): boolean;
  readonly handle: RequestListener;
  /** The number of connections that have been accepted since the start. */
  accepted(): number;
  /** The number of open connections that have not sent a request yet. */
  newcomers(): number;
  /** The number of requests of all connections that are worked on. */
  inFlight(): number;
  /** The request of a connection that is worked on although its body is still being read, with its response. */
  beingRead(socket: Socket): readonly [IncomingMessage, ServerResponse] | undefined;
  /** Cuts the slowest connections while too many bytes of answers are unread. Must be called regularly. */
  cutSlowReaders(): void;
}

interface Connection {
  hasAsked: boolean;
  inFlight: number;
  /** The request that was started last, and its response. */
  last: readonly [IncomingMessage, ServerResponse] | undefined;
  readonly waiting: [IncomingMessage, ServerResponse][];
  /** The calls of {@link FairConnections.cutSlowReaders} in a row during which the client has read nothing. */
  stalled: number;
  unread: number;
}

/**
 * Keeps one client from occupying the server by sending requests without waiting for answers (pipelining, RFC 9112
 * §9.3.2). Node.js parses everything that it has read: requests that arrived together wait here. The socket of a
 * connection is not read while its requests wait.
 */
export function fairConnections(handler: RequestListener, limits: ConnectionLimits): FairConnections {
  const connections = new Map<Socket, Connection>();
  let accepted = 0;
  let newcomers = 0;
  let waitingInAll = 0;
  let inFlight = 0;

  function accept(socket: Socket): void {
    const connection: Connection = {
      hasAsked: false,
      inFlight: 0,
      last: undefined,
      waiting: [],
      stalled: 0,
      unread: 0,
    };
    connections.set(socket, connection);
    accepted += 1;
    newcomers += 1;
    socket.on('close', () => {
      connections.delete(socket);
      if (!connection.hasAsked) newcomers -= 1;
      waitingInAll -= connection.waiting.length;
      connection.waiting.length = 0;
    });
  }

  function start(connection: Connection, request: IncomingMessage, response: ServerResponse): void {
    connection.inFlight += 1;
    connection.last = [request, response];
    inFlight += 1;
    response.on('close', () => {
      connection.inFlight -= 1;
      if (connection.last?.[0] === request) connection.last = undefined;
      inFlight -= 1;
      startNext(connection);
    });
    handler(request, response);
  }

  function startNext(connection: Connection): void {
    const next = connection.waiting.shift();
    if (next === undefined) return;
    waitingInAll -= 1;
    const [request, response] = next;
    if (request.socket.destroyed) return;
    // The last waiting request needs the socket: its body may still be on its way.
    if (connection.waiting.length === 0) request.socket.resume();
    start(connection, request, response);
  }

  function hold(connection: Connection, request: IncomingMessage, response: ServerResponse): void {
    const most = waitingInAll < limits.waitingInAll ? limits.waiting : limits.waitingWhenCrowded;
    if (connection.waiting.length >= most) {
      request.socket.destroy();
      return;
    }
    connection.waiting.push([request, response]);
    waitingInAll += 1;
    // The socket is paused later: Node.js resumes it after it has read the message.
    setImmediate(() => {
      if (connection.waiting.length > 0) request.socket.pause();
    });
  }

  return {
    accept,
    has: (socket) => connections.has(socket),
    accepted: () => accepted,
    newcomers: () => newcomers,
    inFlight: () => inFlight,

    beingRead(socket) {
      const last = connections.get(socket)?.last;
      return last?.[0].complete === false ? last : undefined;
    },

    handle(request, response) {
      const { socket } = request;
      const connection = connections.get(socket);
      if (connection === undefined || socket.destroyed) return;
      if (!connection.hasAsked) {
        connection.hasAsked = true;
        newcomers -= 1;
      }
      if (connection.inFlight < limits.inFlight) start(connection, request, response);
      else hold(connection, request, response);
    },

    cutSlowReaders() {
      let unread = 0;
      for (const [socket, connection] of connections) {
        const left = socket.writableLength;
        connection.stalled = left > 0 && left >= connection.unread ? connection.stalled + 1 : 0;
        connection.unread = left;
        unread += left;
      }
      if (unread <= limits.unreadBytes) return;
      for (const [socket, connection] of [...connections].toSorted(
        ([, one], [, other]) => other.stalled - one.stalled,
      )) {
        if (unread <= limits.unreadBytes) return;
        unread -= connection.unread;
        socket.destroy();
      }
    },
  };
}
