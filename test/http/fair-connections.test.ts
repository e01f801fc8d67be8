import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import { after, describe, test } from 'node:test';
import { HTTP_LIMITS, type HttpLimits, type HttpServer, listen } from '../../src/http/http-server.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';

const LIMITS: HttpLimits = {
  ...HTTP_LIMITS,
  // Without this timeout, a connection is cut only for its requests.
  stallTimeout: 0,
  connections: { inFlight: 3, waiting: 20, waitingInAll: 30, waitingWhenCrowded: 2, unreadBytes: 8_000_000 },
};

const servers: HttpServer[] = [];
const sockets: Socket[] = [];
after(async () => {
  sockets.forEach((socket) => socket.destroy());
  await Promise.all(servers.map((server) => server.close(0)));
});

/** Starts a server whose answers wait until the test sends them. */
async function start(
  limits = LIMITS,
  answer: (response: ServerResponse, open: ServerResponse[]) => void = (response, open) => open.push(response),
): Promise<{ open: ServerResponse[]; client: (requests: number) => Promise<{ socket: Socket; text: () => string }> }> {
  const open: ServerResponse[] = [];
  const port = await freePort();
  const server = await listen((_request, response) => answer(response, open), {
    host: '127.0.0.1',
    port,
    limits,
    newId: () => 'id',
    isManagement: () => false,
    onRefused: () => {},
  });
  servers.push(server);
  return {
    open,
    async client(requests) {
      const socket = connect(port, '127.0.0.1');
      sockets.push(socket);
      socket.on('error', () => {});
      await once(socket, 'connect');
      let text = '';
      socket.on('data', (chunk) => (text += chunk.toString()));
      socket.write('GET /x HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(requests));
      return { socket, text: () => text };
    },
  };
}

const answers = (text: string): number => text.split('HTTP/1.1 200').length - 1;

describe('pipelined requests on one connection', () => {
  test('are handled a few at a time, and all answered', async () => {
    const { open, client } = await start();
    const { text } = await client(15);
    for (let answered = 0; answered < 15; answered += 1) {
      await eventually(5000, () => open.length > answered);
      assert.ok(open.length - answered <= 3, `${open.length - answered} in flight`);
      open[answered]?.end('x');
    }
    await eventually(5000, () => answers(text()) === 15);
  });

  test('stay unread while others wait, so that a client may continue to send', async () => {
    const { open, client } = await start();
    const { socket, text } = await client(20);
    await eventually(5000, () => open.length === 3);
    // A second packet has nearly as many: they are too many while others wait, and fit afterwards.
    await new Promise((resolve) => socket.write('GET /x HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(18), resolve));
    for (let answered = 0; answered < 38; answered += 1) {
      await eventually(5000, () => open.length > answered, `cut or left unread after ${answered} answers`);
      open[answered]?.end('x');
    }
    await eventually(5000, () => answers(text()) === 38);
  });

  test('cut the connection when there are too many', async () => {
    const { open, client } = await start();
    const { socket } = await client(40);
    await eventually(10_000, () => socket.closed);
    assert.equal(open.length, 3);
    // Another client does not notice that.
    const other = await client(1);
    await eventually(5000, () => open.length === 4);
    open[3]?.end('x');
    await eventually(5000, () => answers(other.text()) === 1);
  });

  test('have a lower limit while many connections send them, and make room when those connections close', async () => {
    const { open, client } = await start();
    const crowd = [await client(17), await client(17)];
    await eventually(5000, () => open.length === 6);
    const late = await client(10);
    await eventually(10_000, () => late.socket.closed);
    for (const { socket } of crowd) socket.destroy();
    // The server notices that an unread connection is gone when it writes to the connection.
    await eventually(5000, () => {
      for (const response of open) response.end('x');
      return open.every((response) => response.closed);
    });
    const before = open.length;
    const { text } = await client(10);
    for (let answered = 0; answered < 10; answered += 1) {
      await eventually(5000, () => open.length > before + answered);
      open[before + answered]?.end('x');
    }
    await eventually(5000, () => answers(text()) === 10);
  });
});

describe('answers that a client does not read', () => {
  const large = Buffer.alloc(20_000_000, 'x');

  test('cut connections when too many bytes are unread, and spare a client that reads', async () => {
    const cut: ServerResponse[] = [];
    const { client } = await start(LIMITS, (response) => {
      response.on('close', () => {
        if (!response.writableFinished) cut.push(response);
      });
      response.end(large);
    });
    const unread = 6;
    for (let index = 0; index < unread; index += 1) (await client(1)).socket.pause();
    const reader = await client(1);
    await eventually(10_000, () => reader.text().length > large.length);
    await eventually(10_000, () => cut.length >= unread - 1);
  });

  test('cut the connection when nothing has moved for too long', async () => {
    let wasCut = false;
    const limits = {
      ...LIMITS,
      stallTimeout: 500,
      connections: { ...LIMITS.connections, unreadBytes: Number.POSITIVE_INFINITY },
    };
    const { client } = await start(limits, (response) => {
      response.on('close', () => (wasCut = !response.writableFinished));
      response.end(Buffer.alloc(30_000_000));
    });
    const { socket } = await client(1);
    socket.pause();
    await eventually(10_000, () => wasCut);
  });
});
