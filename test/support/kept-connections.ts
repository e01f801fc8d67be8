import { once } from 'node:events';
import { type Agent, request } from 'node:http';
import { ROOT } from './config.ts';

/** The answer to a token request: its status and its `Connection` header. */
export interface Answered {
  readonly status: number;
  readonly connection: string | undefined;
}

/**
 * Asks for a token of the root account on a connection that the agent keeps, as a load balancer does.
 *
 * @throws Error when the connection breaks before the answer is whole
 */
export async function requestToken(url: string, agent: Agent): Promise<Answered> {
  const body = 'grant_type=client_credentials';
  const sent = request(`${url}/oauth/token`, {
    method: 'POST',
    agent,
    headers: {
      Authorization: `Basic ${btoa(`${ROOT.clientId}:${ROOT.clientSecret}`)}`,
      'Content-Type': 'application/x-www-form-urlencoded',
      'Content-Length': body.length,
    },
  });
  sent.end(body);
  const [answer] = await once(sent, 'response');
  answer.resume();
  await once(answer, 'end');
  return { status: answer.statusCode, connection: answer.headers.connection };
}
