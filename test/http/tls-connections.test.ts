import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import { HTTP_LIMITS, type HttpServer, listen } from '../../src/http/http-server.ts';
import { selfSigned } from '../support/certificates.ts';
import { freePort } from '../support/free-port.ts';
import { secureRequest } from '../support/secure-request.ts';

const certificate = await selfSigned();

/** @param headersTimeout milliseconds in which a handshake must be done */
async function serve(headersTimeout: number): Promise<{ port: number; http: HttpServer }> {
  const port = await freePort();
  const http = await listen((_request, response) => response.end('served'), {
    host: '127.0.0.1',
    port,
    tls: { current: () => certificate, onChange: () => undefined },
    limits: { ...HTTP_LIMITS, headersTimeout, requestTimeout: Math.max(headersTimeout, HTTP_LIMITS.requestTimeout) },
    newId: () => 'id',
    isManagement: () => false,
    onRefused: () => undefined,
  });
  return { port, http };
}

test('a connection that does not finish its handshake is closed', async () => {
  const { port, http } = await serve(200);
  const silent = connect(port, '127.0.0.1');
  const half = connect(port, '127.0.0.1');
  half.write(Buffer.from('16030100', 'hex'));
  const plain = connect(port, '127.0.0.1');
  plain.write('GET / HTTP/1.1\r\n\r\n');
  await Promise.all(
    [silent, half, plain].map(async (socket) => {
      socket.on('error', () => undefined);
      socket.resume();
      await once(socket, 'close');
    }),
  );
  assert.equal((await secureRequest(`https://127.0.0.1:${port}/`)).text, 'served');
  await http.close(10_000);
});

test('a server closes although connections are in their handshake', async () => {
  const { port, http } = await serve(600_000);
  const silent = connect(port, '127.0.0.1');
  silent.on('error', () => undefined);
  await once(silent, 'connect');
  const gone = once(silent, 'close');
  await http.close(100);
  await gone;
});
