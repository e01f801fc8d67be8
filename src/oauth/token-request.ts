import type { IncomingMessage } from 'node:http';
import { parse } from 'node:querystring';
import { BodyTooLargeError, readBody } from '../http/read-body.ts';
import { invalidClient, OAuthError } from './oauth-error.ts';

/** A token request, read once and whole. Parameters without a value are absent (RFC 6749 §3.2). */
export interface TokenRequest {
  /** The `Authorization` header that proves who asks. */
  readonly authorization: string;
  readonly grantType: string | undefined;
  readonly clientId: string | undefined;
  readonly scope: string | undefined;
  /** What `resource` or its synonym `audience` names. */
  readonly resource: string | undefined;
}

const BODY_LIMIT = 32 * 1024;
const FORM = /^application\/x-www-form-urlencoded(?:\s*;\s*charset="?utf-8"?)?\s*$/i;

/**
 * Reads a token request and refuses what no client may send: parameters outside the body, twice, or without exactly one
 * client authentication.
 *
 * @throws OAuthError
 */
export async function readTokenRequest(request: IncomingMessage): Promise<TokenRequest> {
  if (request.method !== 'POST') {
    throw new OAuthError(405, 'invalid_request', 'the token endpoint takes POST only', { headers: { Allow: 'POST' } });
  }
  if (request.url?.includes('?') === true) {
    throw new OAuthError(400, 'invalid_request', 'parameters must be in the body, not in the query');
  }
  const { headers } = request;
  if (!FORM.test(headers['content-type'] ?? '') || (headers['content-encoding'] ?? 'identity') !== 'identity') {
    throw new OAuthError(415, 'invalid_request', 'the body must be application/x-www-form-urlencoded in UTF-8');
  }
  const authorization = onlyAuthorization(request);
  const parameters = parseForm(await read(request));

  const { client_secret: secret, client_assertion: assertion, resource, audience } = parameters;
  const methods = [authorization, secret, assertion].filter((method) => method !== undefined);
  if (methods.length > 1) {
    throw new OAuthError(400, 'invalid_request', 'exactly one client authentication method must be used');
  }
  if (authorization === undefined) throw invalidClient('no_client_authentication');
  if (resource !== undefined && audience !== undefined && resource !== audience) {
    throw new OAuthError(400, 'invalid_target', 'resource and audience name two resource servers: a token is for one');
  }
  return {
    authorization,
    grantType: parameters['grant_type'],
    clientId: parameters['client_id'],
    scope: parameters['scope'],
    resource: resource ?? audience,
  };
}

/** Node keeps the first of two and says nothing, so the raw lines are counted. */
function onlyAuthorization({ rawHeaders, headers }: IncomingMessage): string | undefined {
  let count = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    if (rawHeaders[index]?.toLowerCase() === 'authorization') count += 1;
  }
  if (count > 1) {
    throw new OAuthError(400, 'invalid_request', 'there must be one Authorization header');
  }
  return headers.authorization;
}

async function read(request: IncomingMessage): Promise<string> {
  try {
    return (await readBody(request, BODY_LIMIT)).toString();
  } catch (error) {
    if (!(error instanceof BodyTooLargeError)) throw error;
    throw new OAuthError(413, 'invalid_request', `the body must not be larger than ${BODY_LIMIT} bytes`, {
      // What is left of it is not worth reading.
      headers: { Connection: 'close' },
    });
  }
}

function parseForm(body: string): Readonly<Record<string, string | undefined>> {
  const parsed = parse(body, '&', '=', { maxKeys: 0 });
  const parameters: Record<string, string | undefined> = Object.create(null);
  for (const name in parsed) {
    const value = parsed[name];
    // RFC 6749 §3.2: parameters must not be included more than once.
    if (typeof value !== 'string') {
      throw new OAuthError(400, 'invalid_request', 'a parameter must not be sent twice');
    }
    if (value !== '') parameters[name] = value;
  }
  return parameters;
}
