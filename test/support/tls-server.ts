import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer, type TLSSocket } from 'node:tls';
import { selfSignedCertificate } from './self-signed-certificate.ts';

/** A server on this machine that answers with bytes of the test's choice, over TLS. */
export interface TlsServer {
  readonly port: number;
  /** The certificate that a client must trust. */
  readonly ca: string;
  /** Every request so far: its first bytes. */
  readonly requests: readonly string[];
  /** The TCP connections that were accepted so far. */
  accepted(): number;
  /** The connections that are open. */
  open(): number;
  close(): Promise<void>;
}

/**
 * @param answer is called with the connection when the first bytes of the request have come
 * @param host the name in the certificate
 */
export async function startTlsServer(
  answer: (socket: TLSSocket) => void,
  { host = 'localhost', address = '127.0.0.1', port = 0 } = {},
): Promise<TlsServer> {
  const { key, cert } = selfSignedCertificate(host);
  const requests: string[] = [];
  const sockets = new Set<{ destroy(): void }>();
  let accepted = 0;
  const server = createServer({ key: key.export({ type: 'pkcs8', format: 'pem' }), cert }, (socket) => {
    socket.on('error', () => socket.destroy());
    socket.once('data', (bytes: Buffer) => {
      requests.push(bytes.toString());
      answer(socket);
    });
  });
  server.on('tlsClientError', () => undefined);
  server.on('connection', (socket) => {
    accepted += 1;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
  });
  server.listen(port, address);
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    ca: cert,
    requests,
    accepted: () => accepted,
    open: () => sockets.size,
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** The bytes of an answer with a JSON document. */
export function jsonAnswer(document: unknown, headers = ''): string {
  const text = JSON.stringify(document);
  return `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(text)}\r\n${headers}\r\n${text}`;
}
