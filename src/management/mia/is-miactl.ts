import type { IncomingMessage } from 'node:http';

/**
 * Whether a request comes from miactl, which reads some lists in a form of its own. Some versions name themselves in
 * `Client-key` or `User-Agent`. Others combine four signs, each of which alone other clients may have, too: the user
 * agent of Go's library, no query, just `application/json` in `Accept`, and a `Content-Type` without a body.
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
