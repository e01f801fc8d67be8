import { type Assertion, parseAssertion } from '../domain/assertions/parse-assertion.ts';
import { type BasicCredentials, parseBasic } from './basic-credentials.ts';
import { invalidClient, OAuthError } from './oauth-error.ts';

/** The parameters of a request, each once; one without a value is absent. */
export type Parameters = Readonly<Record<string, string | undefined>>;

/** The one way in which a request says which client it comes from. */
export type ClientAuthentication =
  | ({ readonly method: 'client_secret_basic' | 'client_secret_post' } & BasicCredentials)
  | { readonly method: 'private_key_jwt'; readonly assertion: Assertion };

export const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

/**
 * Reads how a client authenticates (RFC 6749 §2.3): it must not use more than one method in a request.
 *
 * @param authorization the `Authorization` header
 * @param twice whether the same credentials may stand in the header and in the body
 * @throws OAuthError 400 where there are several methods, or one in another form; 401 where there is none
 */
export function readClientAuthentication(
  authorization: string | undefined,
  parameters: Parameters,
  twice: boolean,
): ClientAuthentication {
  const { client_id: named, client_secret: clientSecret } = parameters;
  const [method, ...others] = methodsOf(authorization, parameters);
  if (method === undefined) throw invalidClient('no_client_authentication', { named });
  if (others.length > 0) {
    const same = twice && others.length === 1 ? sameInBoth(authorization, parameters) : undefined;
    if (same !== undefined) return { method: 'client_secret_post', ...same };
    const used = [method, ...others].join(' and ');
    throw invalidRequest(
      `exactly one client authentication method must be used, and this request uses ${used}${twice ? ', not with the same credentials' : ''}`,
    );
  }
  if (authorization !== undefined) return { method: 'client_secret_basic', ...readBasic(authorization, named) };
  if (clientSecret === undefined) return { method: 'private_key_jwt', assertion: readAssertion(parameters) };
  if (named === undefined) throw invalidRequest('client_secret must come with client_id');
  return { method: 'client_secret_post', clientId: named, clientSecret };
}

/** The names of the authentication methods that a request uses. */
export function methodsOf(
  authorization: string | undefined,
  { client_secret: clientSecret, client_assertion: assertion }: Parameters,
): string[] {
  return [
    ...(authorization === undefined
      ? []
      : [/^basic /i.test(authorization) ? 'client_secret_basic' : 'an Authorization header of another scheme']),
    ...(clientSecret === undefined ? [] : ['client_secret_post']),
    ...(assertion === undefined ? [] : ['private_key_jwt']),
  ];
}

/**
 * The credentials that stand in the header and in the body alike. Clients that send them twice often write them into the
 * header as they are, so the header counts in both readings; the body has one.
 */
function sameInBoth(
  authorization: string | undefined,
  { client_id: named, client_secret: clientSecret }: Parameters,
): BasicCredentials | undefined {
  const basic = authorization === undefined ? undefined : parseBasic(authorization);
  if (basic === undefined || clientSecret === undefined) return undefined;
  return [basic.decoded, basic.encoded].find(
    (one) => one?.clientSecret === clientSecret && (named ?? one.clientId) === one.clientId,
  );
}

function readBasic(authorization: string, named: string | undefined): BasicCredentials {
  const basic = parseBasic(authorization);
  if (basic === undefined) throw invalidRequest('invalid authorization header value format');
  const { decoded } = basic;
  if (decoded === undefined) {
    throw invalidRequest('client_id and client_secret in the authorization header are not properly encoded');
  }
  if (decoded.clientId === '' || decoded.clientSecret === '') {
    throw invalidRequest('client_id and client_secret must be provided in the authorization header', decoded.clientId);
  }
  if (named !== undefined && named !== decoded.clientId) throw invalidRequest('client_id mismatch', decoded.clientId);
  return decoded;
}

function readAssertion({
  client_id: named,
  client_assertion: assertion = '',
  client_assertion_type: type,
}: Parameters): Assertion {
  if (type !== ASSERTION_TYPE) throw invalidRequest(`client_assertion_type must be ${ASSERTION_TYPE}`);
  const parsed = parseAssertion(assertion);
  if ('malformed' in parsed) throw invalidClient('assertion_malformed', { named, detail: parsed.malformed });
  return parsed;
}

function invalidRequest(message: string, named?: string): OAuthError {
  return new OAuthError(400, 'invalid_request', message, { named });
}
