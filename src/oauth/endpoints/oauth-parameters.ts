/**
 * The parameters that have a meaning in the body of a token request (the IANA registry "OAuth Parameters", location
 * "token request"), of an introspection or a revocation (RFC 7662 §2.1, RFC 7009 §2.1), and `access_token` (RFC 6750
 * §2.3).
 */
const OAUTH_PARAMETERS: ReadonlySet<string> = new Set([
  'access_token',
  'actor_token',
  'actor_token_type',
  'assertion',
  'audience',
  'auth_req_id',
  'authorization_details',
  'client_assertion',
  'client_assertion_type',
  'client_id',
  'client_secret',
  'code',
  'code_verifier',
  'device_code',
  'grant_type',
  'password',
  'redirect_uri',
  'refresh_token',
  'request',
  'request_uri',
  'requested_token_type',
  'resource',
  'scope',
  'subject_token',
  'subject_token_type',
  'token',
  'token_type_hint',
  'username',
]);

/**
 * Lists the OAuth parameters in the query of a request, each once. Their values end up in the logs of proxies. If this
 * server ignored such a parameter, a client would get something else than it asked for.
 *
 * @param url the target of the request, from the request line
 */
export function oauthParametersInQuery(url: string): string[] {
  const start = url.indexOf('?');
  if (start === -1) return [];
  return [...new Set(new URLSearchParams(url.slice(start + 1)).keys())].filter((name) => OAUTH_PARAMETERS.has(name));
}
