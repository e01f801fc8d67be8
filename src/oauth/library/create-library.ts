import Provider, { type Configuration, type KoaContextWithOIDC } from 'oidc-provider';
import type { KeyRing } from '../../domain/signing-keys/key-ring.ts';
import { SIGNING_ALGS } from '../../domain/signing-keys/signing-key.ts';
import { statusClaim } from '../../domain/status/status-entry.ts';
import type { MintToken } from '../../domain/tokens/mint-token.ts';
import type { TokenSettings } from '../../domain/tokens/plan-token.ts';
import { attemptOf, noteError } from '../attempt.ts';
import { installFindClient } from './find-client.ts';
import {
  inspectionFeatures,
  type InspectionTools,
  installInspection,
  INTROSPECTION_PATH,
  REVOCATION_PATH,
} from './inspection.ts';
import { EXTERNAL_SIGNING, LibrarySigningKey } from './library-signing-key.ts';
import { createMint, wantedOf } from './mint.ts';

/** The tools of the library, by what they are for. */
export interface LibraryOptions {
  readonly tokens: TokenSettings;
  readonly inspection: InspectionTools;
  /** The keys that the library signs with. */
  readonly keyRing: KeyRing;
}

/** The library with our hooks in it. */
export interface Library {
  readonly provider: Provider;
  readonly mintToken: MintToken;
}

/**
 * Creates the library with our hooks: it makes tokens, and has the endpoints for introspection and revocation. It captures
 * its keys when it is created, so a new key ring takes a new library. Every other feature of the library is off.
 */
export function createLibrary({ tokens, inspection, keyRing }: LibraryOptions): Library {
  const { issuer, signingAlg } = tokens;
  const off = { enabled: false };
  const configuration: Configuration = {
    adapter: NoAdapter,
    jwks: { keys: keyRing.keys.map((key) => new LibrarySigningKey(key)) },
    routes: { introspection: INTROSPECTION_PATH, revocation: REVOCATION_PATH },
    scopes: [],
    responseTypes: [],
    // Clients have proved who they are before the library is asked: see `ways/`.
    clientAuthMethods: ['none'],
    clientDefaults: {
      grant_types: ['client_credentials'],
      response_types: [],
      // If all keys are EC keys, every client is invalid without this value (oidc-provider.md, N-20).
      id_token_signed_response_alg: signingAlg,
    },
    enabledJWA: { idTokenSigningAlgValues: [...SIGNING_ALGS] },
    ttl: { ClientCredentials: (_ctx, token) => token.resourceServer?.accessTokenTTL ?? tokens.tokenTtl },
    extraTokenClaims(_ctx, token) {
      const { snapshot, plan, status, actor, confirmation } = wantedOf(token);
      const { company } = snapshot.account;
      const { scope } = plan;
      return {
        status: statusClaim(issuer, status),
        permissions: scope === '' ? [] : scope.split(' '),
        ...(company !== undefined && { company_id: company }),
        ...(actor !== undefined && { act: { sub: actor } }),
        ...(confirmation !== undefined && { cnf: confirmation }),
      };
    },
    formats: {
      customizers: {
        jwt(_ctx, token, jwt) {
          const { tokenType } = wantedOf(token).plan.server;
          // The library has written `at+jwt`, which older software refuses, such as Spring Security.
          if (tokenType === 'JWT') jwt.header = { ...jwt.header, typ: tokenType };
        },
      },
    },
    features: {
      clientCredentials: { enabled: true },
      resourceIndicators: off,
      ...inspectionFeatures(inspection),
      externalSigningSupport: EXTERNAL_SIGNING,
      devInteractions: off,
      // Proofs are verified by our own code, at the token endpoint and at the management API alike.
      dPoP: off,
      userinfo: off,
      rpInitiatedLogout: off,
      pushedAuthorizationRequests: off,
    },
  };
  const provider = new Provider(issuer, configuration);
  installFindClient(provider);
  installInspection(provider, inspection);
  const remember = (ctx: KoaContextWithOIDC, error: unknown): void => noteError(attemptOf(ctx), error);
  provider.on('introspection.error', remember);
  provider.on('revocation.error', remember);
  provider.on('server_error', remember);
  return { provider, mintToken: createMint(provider, keyRing) };
}

/** An adapter that stores nothing: every token is a JWT, and clients come from our own tables. */
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
