import type { IncomingMessage } from 'node:http';

/**
 * Whether a request comes from miactl, which reads some lists in a form of its own. It says so in `Client-key`, or in
 * `User-Agent`. Its versions that say it in neither send what nobody else sends together: the agent of Go's library, no
 * query, `Accept: application/json` alone, and a `Content-Type` although there is no body. Each of these by itself is no
 * sign: people send a `Content-Type` with every request.
 */
export function isMiactl({ headers, url = '' }: Pick<IncomingMessage, 'headers' | 'url'>): boolean {
  const { 'user-agent': agent = '', 'content-type': type, accept } = headers;
  if (headers['client-key'] === 'miactl' || /^miactl(?![\w-])/i.test(agent)) return true;
  return (
    agent.startsWith('Go-http-client/') &&
    type === 'application/json' &&
    accept === 'application/json' &&
    !url.includes('?')
  );
}
