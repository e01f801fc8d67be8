import { request } from 'node:https';
import type { Reply } from './api-contract.ts';

/** A certificate with its private key, in PEM. */
export interface KeyPair {
  readonly cert: string;
  readonly key: string;
}

/**
 * Sends a request over TLS on a connection of its own. The certificate of the server is not checked: it names no test.
 *
 * @param client the certificate that the client presents
 */
export async function secureRequest(url: string, init: RequestInit = {}, client?: KeyPair): Promise<Reply> {
  const { method = 'GET', body } = init;
  const headers = Object.fromEntries(new Headers(init.headers));
  const content = body instanceof URLSearchParams ? body.toString() : typeof body === 'string' ? body : undefined;
  if (body instanceof URLSearchParams) headers['content-type'] ??= 'application/x-www-form-urlencoded';
  const { promise, resolve, reject } = Promise.withResolvers<Reply>();
  request(url, { method, headers, agent: false, rejectUnauthorized: false, ...client }, (response) => {
    const chunks: Buffer[] = [];
    response.on('data', (chunk: Buffer) => chunks.push(chunk));
    response.on('error', reject);
    response.on('end', () => {
      const text = Buffer.concat(chunks).toString();
      const isJson = /\bjson\b/.test(response.headers['content-type'] ?? '');
      const entries = Object.entries(response.headersDistinct).flatMap(([name, values = []]) =>
        values.map((value) => [name, value] as [string, string]),
      );
      resolve({
        status: response.statusCode ?? 0,
        headers: new Headers(entries),
        text,
        json: isJson && text !== '' ? JSON.parse(text) : undefined,
      });
    });
  })
    .on('error', reject)
    .end(content);
  return promise;
}
