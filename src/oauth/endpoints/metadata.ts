import { ASSERTION_ALGS } from '../../domain/assertions/parse-assertion.ts';
import { DPOP_ALGS } from '../../domain/possession/dpop-proof.ts';
import { MANAGEMENT_PERMISSIONS } from '../../domain/permissions/management-permissions.ts';
import { type Profile, takesAlg } from '../../domain/profile.ts';
import { SIGNING_ALGS } from '../../domain/signing-keys/signing-key.ts';
import { TOKEN_EXCHANGE } from '../ways/api-key-way.ts';
import { JWT_BEARER } from '../ways/federated-way.ts';
import { CLIENT_AUTH_METHODS } from '../ways/ways.ts';

/** The parts of mutual TLS (RFC 8705) that the settings make possible: nothing else is announced. */
export interface MutualTls {
  /** Whether certificates of clients can arrive. */
  readonly certificates: boolean;
  /** Whether there are authorities that issue them. */
  readonly authorities: boolean;
}

/**
 * Writes the metadata of the authorization server (RFC 8414; OpenID Connect Discovery has its own address for it). The
 * last four members announce nothing that this server offers: OpenID Connect libraries and the MCP SDK stop without
 * them.
 */
export function authorizationServerMetadata(issuer: string, profile: Profile, mutualTls: MutualTls): object {
  const strict = profile === 'fapi2';
  return {
    issuer,
    token_endpoint: `${issuer}/oauth/token`,
    jwks_uri: `${issuer}/.well-known/jwks.json`,
    introspection_endpoint: `${issuer}/oauth/introspect`,
    revocation_endpoint: `${issuer}/oauth/revoke`,
    grant_types_supported: ['client_credentials', TOKEN_EXCHANGE, ...(strict ? [] : [JWT_BEARER])],
    ...authentication('token', profile, mutualTls),
    ...authentication('introspection', profile, mutualTls),
    ...authentication('revocation', profile, mutualTls),
    dpop_signing_alg_values_supported: DPOP_ALGS,
    ...boundToCertificates(mutualTls),
    status_list_aggregation_endpoint: `${issuer}/oauth/status-lists`,
    service_documentation: `${issuer}/api/openapi.json`,
    authorization_endpoint: `${issuer}/oauth/authorize`,
    response_types_supported: ['none'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: SIGNING_ALGS.filter((alg) => takesAlg(profile, alg)),
  };
}

/** The members about the authentication of clients, which is the same at every endpoint. */
function authentication(
  endpoint: 'token' | 'introspection' | 'revocation',
  profile: Profile,
  { certificates, authorities }: MutualTls,
): object {
  return {
    [`${endpoint}_endpoint_auth_methods_supported`]: [
      ...(profile === 'fapi2' ? ['private_key_jwt'] : CLIENT_AUTH_METHODS),
      ...(authorities ? ['tls_client_auth'] : []),
      ...(certificates ? ['self_signed_tls_client_auth'] : []),
    ],
    [`${endpoint}_endpoint_auth_signing_alg_values_supported`]: ASSERTION_ALGS.filter((alg) => takesAlg(profile, alg)),
  };
}

/** A member of both documents (RFC 8705 §3.3, RFC 9728 §2). */
function boundToCertificates({ certificates }: MutualTls): object {
  return certificates ? { tls_client_certificate_bound_access_tokens: true } : {};
}

/** Writes the protected resource metadata of the management API (RFC 9728). */
export function managementApiMetadata(issuer: string, mutualTls: MutualTls): object {
  return {
    resource: `${issuer}/api`,
    authorization_servers: [issuer],
    jwks_uri: `${issuer}/.well-known/jwks.json`,
    scopes_supported: MANAGEMENT_PERMISSIONS,
    bearer_methods_supported: ['header'],
    dpop_signing_alg_values_supported: DPOP_ALGS,
    ...boundToCertificates(mutualTls),
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
