import Provider, { type Configuration, type KoaContextWithOIDC } from 'oidc-provider';
import { ASSERTION_ALGS } from '../domain/assertions/parse-assertion.ts';
import type { KeyRing } from '../domain/signing-keys/key-ring.ts';
import { statusClaim } from '../domain/status/status-entry.ts';
import type { TokenSettings } from '../domain/tokens/plan-token.ts';
import { SIGNING_ALGS } from '../domain/signing-keys/signing-key.ts';
import { assertJwtClientAuthClaimsAndHeader, type AssertionTools, installClientAssertion } from './client-assertion.ts';
import { installCompareClientSecret, type SecretTools } from './compare-client-secret.ts';
import { type ClientTools, installFindClient } from './find-client.ts';
import {
  inspectionFeatures,
  type InspectionTools,
  installInspection,
  INTROSPECTION_PATH,
  REVOCATION_PATH,
} from './inspection.ts';
import { issuanceOf } from './issuance.ts';
import { resourceIndicators } from './resource-indicators.ts';

export interface ProviderOptions extends SecretTools, AssertionTools, InspectionTools, TokenSettings, ClientTools {
  readonly keyRing: KeyRing;
}

/**
 * Builds the library's token, introspection and revocation endpoints around our hooks. Keys are captured here, so other
 * keys take another provider. Everything else that the library has is off.
 */
export function createProvider(options: ProviderOptions): Provider {
  const { issuer, keyRing, signingAlg } = options;
  const off = { enabled: false };
  const configuration: Configuration = {
    adapter: NoAdapter,
    jwks: { keys: keyRing.keys.map(({ privateJwk }) => privateJwk) },
    routes: { token: TOKEN_PATH, introspection: INTROSPECTION_PATH, revocation: REVOCATION_PATH },
    scopes: [],
    responseTypes: [],
    // `none` is for who has proved otherwise who it is: see find-client.ts.
    clientAuthMethods: [...CLIENT_AUTH_METHODS, 'none'],
    clockTolerance: options.clockTolerance,
    assertJwtClientAuthClaimsAndHeader,
    clientDefaults: {
      grant_types: ['client_credentials'],
      response_types: [],
      // An EC-only key set makes every client invalid without it (notes, row 20).
      id_token_signed_response_alg: signingAlg,
    },
    enabledJWA: { idTokenSigningAlgValues: [...SIGNING_ALGS], clientAuthSigningAlgValues: [...ASSERTION_ALGS] },
    ttl: { ClientCredentials: (_ctx, token) => token.resourceServer?.accessTokenTTL ?? options.tokenTtl },
    extraTokenClaims(ctx, { scope }) {
      const { snapshot, credential } = issuanceOf(ctx);
      const company = snapshot?.account.company;
      const status = credential?.status;
      // Without it nobody could end the token.
      if (status === undefined) throw new Error('the credential has no place in a status list');
      return {
        status: statusClaim(issuer, status),
        permissions: scope === undefined ? [] : scope.split(' '),
        ...(company !== undefined && { company_id: company }),
      };
    },
    formats: {
      customizers: {
        jwt(ctx, _token, jwt) {
          const tokenType = ctx && issuanceOf(ctx).audience?.tokenType;
          // The library has written `at+jwt`; older software refuses it (Spring Security among others).
          if (tokenType === 'JWT') jwt.header = { ...jwt.header, typ: tokenType };
        },
      },
    },
    features: {
      clientCredentials: { enabled: true },
      resourceIndicators: resourceIndicators(options),
      ...inspectionFeatures(options),
      devInteractions: off,
      dPoP: off,
      userinfo: off,
      rpInitiatedLogout: off,
      pushedAuthorizationRequests: off,
    },
  };
  const provider = new Provider(issuer, configuration);
  installFindClient(provider, options);
  installCompareClientSecret(provider, options);
  installClientAssertion(provider, options);
  installInspection(provider, options);
  const remember = (ctx: KoaContextWithOIDC, error: unknown): void => {
    issuanceOf(ctx).failure = error;
  };
  provider.on('grant.error', remember);
  provider.on('introspection.error', remember);
  provider.on('revocation.error', remember);
  provider.on('server_error', remember);
  return provider;
}

/** In the order in which the metadata names them. */
export const CLIENT_AUTH_METHODS = ['client_secret_basic', 'private_key_jwt', 'client_secret_post'] as const;

/** Where the library serves tokens; the outer layer leads every path of ours to it. */
export const TOKEN_PATH = '/oauth/token';

/** Nothing is stored through the library: every token is a JWT, and clients come from our own tables. */
class NoAdapter {
  upsert = refuse;
  find = refuse;
  findByUserCode = refuse;
  findByUid = refuse;
  consume = refuse;
  destroy = refuse;
  revokeByGrantId = refuse;
}

function refuse(): Promise<never> {
  return Promise.reject(new Error('the library tried to use its adapter'));
}
