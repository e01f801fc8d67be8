import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import pg from 'pg';
import { isUnavailable } from '../../src/storage/unavailable.ts';

test('a database that accepts a connection and says nothing counts as unavailable', async () => {
  const sockets: Socket[] = [];
  const server = createServer((socket) => sockets.push(socket)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const client = new pg.Client({ host: '127.0.0.1', port, connectionTimeoutMillis: 100 });
  client.on('error', () => {});
  try {
    await assert.rejects(client.connect(), isUnavailable);
  } finally {
    for (const socket of sockets) socket.destroy();
    server.close();
  }
});
