import type { IncomingMessage } from 'node:http';
import { parse } from 'node:querystring';
import type { ClientEndpoint } from '../../domain/activity/refusal.ts';
import { hasDuplicateMembers } from '../../domain/assertions/has-duplicate-members.ts';
import { mediaTypeOf } from '../../http/media-type.ts';
import { BodyTooLargeError, ClientGoneError, readBody } from '../../http/read-body.ts';
import type { ClientRequest } from '../attempt.ts';
import { invalidRequest, OAuthError } from '../refusals/oauth-error.ts';
import { audienceIsAccount, isExternal, JWT_BEARER, readExternalGrant } from '../ways/federated-way.ts';
import { apiKeyWay, exchangeRefused, readSubjectToken, TOKEN_EXCHANGE } from '../ways/api-key-way.ts';
import type { Proof } from '../ways/proofs.ts';
import type { Parameters, Sent } from '../ways/way.ts';
import { methodsOf, readProof } from '../ways/ways.ts';
import { oauthParametersInQuery } from './oauth-parameters.ts';

export const OAUTH_BODY_LIMIT = 32 * 1024;

/**
 * Reads a request of a client. It refuses parameters outside the body, parameters that are sent twice, and requests
 * without exactly one client authentication.
 *
 * @param endpoint the endpoint that the request came to
 * @param certificate finds the certificate that the client has presented
 * @throws OAuthError
 */
export async function readClientRequest(
  request: IncomingMessage,
  endpoint: ClientEndpoint,
  certificate: Sent['certificate'],
): Promise<ClientRequest> {
  if (request.method !== 'POST') {
    throw new OAuthError(405, 'invalid_request', 'this endpoint takes POST only', { headers: { Allow: 'POST' } });
  }
  const misplaced = oauthParametersInQuery(request.url ?? '');
  if (misplaced.length > 0) {
    const names = misplaced.join(', ');
    throw new OAuthError(400, 'invalid_request', `parameters must be in the body, not in the query: ${names}`);
  }
  const dpop = refuseRepeatedHeaders(request);
  if (dpop.length > 0 && endpoint !== 'token')
    throw invalidRequest('the header DPoP is taken at the token endpoint only');
  const { headers } = request;
  const type = mediaTypeOf(headers['content-type']);
  const json = type === 'application/json';
  const form = type === 'application/x-www-form-urlencoded';
  if (!(json || form) || (headers['content-encoding'] ?? 'identity') !== 'identity') throw unsupported();
  const body = await read(request);
  const parameters = json ? parseJson(body) : parseForm(body);
  // Octopus' clients send their token exchanges as JSON; no other request may be JSON.
  if (json && parameters['grant_type'] !== TOKEN_EXCHANGE) throw unsupported();
  const { resource, audience } = parameters;
  if (resource !== undefined && audience !== undefined && resource !== audience) {
    throw new OAuthError(400, 'invalid_target', 'resource and audience name two resource servers: a token is for one');
  }
  const sent = {
    authorization: headers.authorization,
    parameters,
    named: parameters['client_id'],
    external: isExternal(parameters['client_assertion']),
    certificate,
  };
  const proofs = readProofs(sent, endpoint);
  return {
    ...proofs,
    grantType: parameters['grant_type'],
    clientId: sent.named,
    scope: parameters['scope'],
    resource: audienceIsAccount(sent, proofs.proof) ? resource : (resource ?? audience),
    token: parameters['token'],
    dpop,
  };
}

type Proofs = Pick<ClientRequest, 'proof' | 'subjectToken'>;

/** Reads everything by which a request says which client it comes from. @throws OAuthError */
function readProofs(sent: Sent, endpoint: ClientEndpoint): Proofs {
  const grant = endpoint === 'token' ? sent.parameters['grant_type'] : undefined;
  if (grant === TOKEN_EXCHANGE || grant === JWT_BEARER) {
    const proof = readExternalGrant(sent);
    if (proof !== undefined) {
      // The token of the other issuer is the proof, and a request takes one (RFC 6749 §2.3).
      if (methodsOf(sent).length > 0) throw invalidRequest('the external token is the only proof that is taken here');
      return { proof, subjectToken: undefined };
    }
    return readExchange(sent);
  }
  // Some gateways that ask about tokens send their credentials twice. The token endpoint takes one method only (RFC
  // 6749 §2.3).
  return { proof: readProof(sent, endpoint !== 'token'), subjectToken: undefined };
}

/**
 * Reads an exchange (RFC 8693 §2.1). The subject token says which client the request comes from; the client may
 * authenticate beside it, as many libraries make every client do.
 *
 * @throws OAuthError
 */
function readExchange(sent: Sent): Proofs {
  const subjectToken = readSubjectToken(sent.parameters);
  try {
    const proof: Proof = methodsOf(sent).length === 0 ? apiKeyWay.read(sent) : readProof(sent, false);
    if (subjectToken === undefined) throw exchangeRefused('subject_token_unknown');
    return { proof, subjectToken };
  } catch (error) {
    throw error instanceof OAuthError && error.status === 401 ? exchangeRefused(error.reason) : error;
  }
}

/**
 * Counts the raw lines: of two headers with one name, Node.js keeps the first without an error, or joins them.
 *
 * @returns the values of the header `DPoP`
 */
function refuseRepeatedHeaders({ rawHeaders }: IncomingMessage): readonly string[] {
  const dpop: string[] = [];
  let authorization = 0;
  let contentType = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? '';
    if (name.length === 13 && name.toLowerCase() === 'authorization') authorization += 1;
    if (name.length === 12 && name.toLowerCase() === 'content-type') contentType += 1;
    if (name.length === 4 && name.toLowerCase() === 'dpop') dpop.push(rawHeaders[index + 1] ?? '');
  }
  if (authorization > 1 || contentType > 1) {
    throw new OAuthError(400, 'invalid_request', 'there must be one Authorization and one Content-Type header at most');
  }
  return dpop;
}

async function read(request: IncomingMessage): Promise<string> {
  try {
    return (await readBody(request, OAUTH_BODY_LIMIT)).toString();
  } catch (error) {
    if (error instanceof ClientGoneError) {
      throw new OAuthError(400, 'invalid_request', 'the body is not whole', { reason: 'client_gone' });
    }
    if (!(error instanceof BodyTooLargeError)) throw error;
    throw new OAuthError(413, 'invalid_request', `the body must not be larger than ${OAUTH_BODY_LIMIT} bytes`, {
      // Close the connection instead of reading the rest of the body.
      headers: { Connection: 'close' },
    });
  }
}

function unsupported(): OAuthError {
  return new OAuthError(415, 'invalid_request', 'the body must be application/x-www-form-urlencoded in UTF-8');
}

function parseJson(body: string): Parameters {
  const wrong = new OAuthError(400, 'invalid_request', 'the body must be a JSON object of strings, each there once');
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch {
    throw wrong;
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed) || hasDuplicateMembers(body)) throw wrong;
  const parameters: Record<string, string | undefined> = Object.create(null);
  for (const [name, value] of Object.entries(parsed)) {
    if (typeof value !== 'string') throw wrong;
    if (value !== '') parameters[name] = value;
  }
  return parameters;
}

function parseForm(body: string): Parameters {
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
