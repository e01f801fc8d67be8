import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** How much of one connection, and of all connections together, is taken on at a time. */
export interface ConnectionLimits {
  /** Requests of one connection that are worked on at once; the next ones wait for an answer to leave. */
  readonly inFlight: number;
  /** Requests of one connection that may wait; a connection that sends more is cut. */
  readonly waiting: number;
  /** Requests of all connections that may wait before {@link ConnectionLimits.waitingWhenCrowded} holds. */
  readonly waitingInAll: number;
  readonly waitingWhenCrowded: number;
  /** Bytes of answers that all clients together may leave unread; past that, the slowest connections are cut. */
  readonly unreadBytes: number;
}

export const CONNECTION_LIMITS: ConnectionLimits = {
  inFlight: 4,
  waiting: 512,
  waitingInAll: 8192,
  waitingWhenCrowded: 16,
  unreadBytes: 64 * 1024 * 1024,
};

/** A request handler that shares the server out among connections. */
export interface FairConnections {
  /** Takes a new connection, before any of its requests. */
  readonly accept: (socket: Socket) => void;
  readonly handle: RequestListener;
  /** Connections that have been accepted since the start. */
  accepted(): number;
  /** Open connections that have not asked for anything yet. */
  newcomers(): number;
  /** Requests that are worked on, of all connections. */
  inFlight(): number;
  /** The request of a connection that is worked on and has not been read to its end, with its answer. */
  beingRead(socket: Socket): readonly [IncomingMessage, ServerResponse] | undefined;
  /** Cuts the connections that have left answers unread the longest, while too much is unread. Called now and then. */
  cutSlowReaders(): void;
}

interface Connection {
  hasAsked: boolean;
  inFlight: number;
  /** The request that was begun last, and its answer. */
  last: readonly [IncomingMessage, ServerResponse] | undefined;
  readonly waiting: [IncomingMessage, ServerResponse][];
  /** Rounds of {@link FairConnections.cutSlowReaders} in which the client has read nothing. */
  stalled: number;
  unread: number;
}

/**
 * Keeps one client from taking the server for itself by sending requests without waiting for answers (pipelining, RFC
 * 9112 §9.3.2). Node.js parses all that it has read, so requests that arrived together wait here, and the socket is not
 * read meanwhile.
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
    // The body of the last one may still be on its way.
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
    // Node.js resumes the socket after it has read a message, so the pause must come later than that.
    setImmediate(() => {
      if (connection.waiting.length > 0) request.socket.pause();
    });
  }

  return {
    accept,
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
