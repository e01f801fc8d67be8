/**
 * The parameters that say something in the body of a request at the token endpoint, introspection or revocation (the
 * IANA registry "OAuth Parameters", location "token request"; RFC 7009 §2.1, RFC 7662 §2.1), and in RFC 6750 §2.3.
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
 * Names OAuth's own parameters that stand in the query of a request, each once. A value there ends up in the logs of
 * proxies; to pass over one would give a client something else than it asked for.
 *
 * @param url as the request line has it
 */
export function oauthParametersInQuery(url: string): string[] {
  const start = url.indexOf('?');
  if (start === -1) return [];
  return [...new Set(new URLSearchParams(url.slice(start + 1)).keys())].filter((name) => OAUTH_PARAMETERS.has(name));
}
