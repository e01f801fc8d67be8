import { ASSERTION_ALGS } from '../../domain/assertions/parse-assertion.ts';
import { DPOP_ALGS } from '../../domain/possession/dpop-proof.ts';
import { MANAGEMENT_PERMISSIONS } from '../../domain/permissions/management-permissions.ts';
import { SIGNING_ALGS } from '../../domain/signing-keys/signing-key.ts';
import { TOKEN_EXCHANGE } from '../ways/api-key-way.ts';
import { JWT_BEARER } from '../ways/federated-way.ts';
import { CLIENT_AUTH_METHODS } from '../ways/ways.ts';

/**
 * Writes the metadata of the authorization server (RFC 8414; OpenID Connect Discovery has its own address for it). The
 * last four members announce nothing that this server offers: OpenID Connect libraries and the MCP SDK stop without
 * them.
 */
export function authorizationServerMetadata(issuer: string): object {
  return {
    issuer,
    token_endpoint: `${issuer}/oauth/token`,
    jwks_uri: `${issuer}/.well-known/jwks.json`,
    introspection_endpoint: `${issuer}/oauth/introspect`,
    revocation_endpoint: `${issuer}/oauth/revoke`,
    grant_types_supported: ['client_credentials', TOKEN_EXCHANGE, JWT_BEARER],
    ...authentication('token'),
    ...authentication('introspection'),
    ...authentication('revocation'),
    dpop_signing_alg_values_supported: DPOP_ALGS,
    status_list_aggregation_endpoint: `${issuer}/oauth/status-lists`,
    service_documentation: `${issuer}/api/openapi.json`,
    authorization_endpoint: `${issuer}/oauth/authorize`,
    response_types_supported: ['none'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: SIGNING_ALGS,
  };
}

/** The members about the authentication of clients, which is the same at every endpoint. */
function authentication(endpoint: 'token' | 'introspection' | 'revocation'): object {
  return {
    [`${endpoint}_endpoint_auth_methods_supported`]: CLIENT_AUTH_METHODS,
    [`${endpoint}_endpoint_auth_signing_alg_values_supported`]: ASSERTION_ALGS,
  };
}

/** Writes the protected resource metadata of the management API (RFC 9728). */
export function managementApiMetadata(issuer: string): object {
  return {
    resource: `${issuer}/api`,
    authorization_servers: [issuer],
    jwks_uri: `${issuer}/.well-known/jwks.json`,
    scopes_supported: MANAGEMENT_PERMISSIONS,
    bearer_methods_supported: ['header'],
    dpop_signing_alg_values_supported: DPOP_ALGS,
    resource_name: 'Writ management API',
    resource_documentation: `${issuer}/api/openapi.json`,
  };
}

/**
 * The document at the address of the issuer itself: the links with which a newcomer goes on.
 *
 * @param managementHere whether the management API answers at the same address
 */
export function frontDocument(issuer: string, managementHere: boolean): object {
  return {
    name: 'Writ',
    description: 'An OAuth 2 client-credentials authorization server for service accounts',
    links: {
      token_endpoint: `${issuer}/oauth/token`,
      metadata: `${issuer}/.well-known/oauth-authorization-server`,
      jwks: `${issuer}/.well-known/jwks.json`,
      ...(managementHere && {
        management_api: `${issuer}/api/openapi.json`,
        reference: `${issuer}/api/reference`,
      }),
    },
  };
}
