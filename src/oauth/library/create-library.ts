import Provider, { type Configuration, type KoaContextWithOIDC } from 'oidc-provider';
import { ASSERTION_ALGS } from '../../domain/assertions/parse-assertion.ts';
import type { ClientId, CompanyId } from '../../domain/ids.ts';
import type { Confirmation } from '../../domain/possession/confirmation.ts';
import type { TokenType } from '../../domain/resource-servers/resource-server.ts';
import type { KeyRing } from '../../domain/signing-keys/key-ring.ts';
import { SIGNING_ALGS } from '../../domain/signing-keys/signing-key.ts';
import { statusClaim, type StatusEntry } from '../../domain/status/status-entry.ts';
import type { MintToken } from '../../domain/tokens/mint-token.ts';
import type { TokenSettings } from '../../domain/tokens/plan-token.ts';
import { attemptOf, noteError } from '../attempt.ts';
import { assertJwtClientAuthClaimsAndHeader } from '../ways/key-way.ts';
import type { Proof } from '../ways/proofs.ts';
import type { InstalledWay } from '../ways/way.ts';
import { CLIENT_AUTH_METHODS, installWays, type WayTools } from '../ways/ways.ts';
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
import { resourceIndicators } from './resource-indicators.ts';

/** The tools of the library, by what they are for. */
export interface LibraryOptions {
  readonly tokens: TokenSettings;
  readonly ways: WayTools;
  readonly inspection: InspectionTools;
  /** The keys that the library signs with. */
  readonly keyRing: KeyRing;
}

/** The library with our hooks in it. */
export interface Library {
  readonly provider: Provider;
  /** The ways of authentication, as they are set up in this library. */
  readonly ways: InstalledWay<Proof>;
  readonly mintToken: MintToken;
}

/**
 * Creates the token, introspection and revocation endpoints of the library, with our hooks. The library captures its
 * keys when it is created, so a new key ring takes a new library. Every other feature of the library is off.
 */
export function createLibrary({ tokens, ways, inspection, keyRing }: LibraryOptions): Library {
  const { issuer, signingAlg } = tokens;
  const off = { enabled: false };
  const configuration: Configuration = {
    adapter: NoAdapter,
    jwks: { keys: keyRing.keys.map((key) => new LibrarySigningKey(key)) },
    routes: { token: TOKEN_PATH, introspection: INTROSPECTION_PATH, revocation: REVOCATION_PATH },
    scopes: [],
    responseTypes: [],
    // `none` is for clients that have proved who they are in the outer layer: see api-key-way.ts.
    clientAuthMethods: [...CLIENT_AUTH_METHODS, 'none'],
    clockTolerance: ways.assertions.clockTolerance,
    assertJwtClientAuthClaimsAndHeader,
    clientDefaults: {
      grant_types: ['client_credentials'],
      response_types: [],
      // If all keys are EC keys, every client is invalid without this value (oidc-provider.md, N-20).
      id_token_signed_response_alg: signingAlg,
    },
    enabledJWA: { idTokenSigningAlgValues: [...SIGNING_ALGS], clientAuthSigningAlgValues: [...ASSERTION_ALGS] },
    ttl: { ClientCredentials: (_ctx, token) => token.resourceServer?.accessTokenTTL ?? tokens.tokenTtl },
    extraTokenClaims(ctx, token) {
      const { company, status, actor, confirmation } = aboutToken(ctx, token);
      // Without a status entry the token could not be ended early.
      if (status === undefined) throw new Error('the credential has no entry in a status list');
      const { scope } = token;
      return {
        status: statusClaim(issuer, status),
        permissions: scope === undefined ? [] : scope.split(' '),
        ...(company !== undefined && { company_id: company }),
        ...(actor !== undefined && { act: { sub: actor } }),
        ...(confirmation !== undefined && { cnf: confirmation }),
      };
    },
    formats: {
      customizers: {
        jwt(ctx, token, jwt) {
          const { tokenType } = aboutToken(ctx, token);
          // The library has written `at+jwt`, which older software refuses, such as Spring Security.
          if (tokenType === 'JWT') jwt.header = { ...jwt.header, typ: tokenType };
        },
      },
    },
    features: {
      clientCredentials: { enabled: true },
      resourceIndicators: resourceIndicators(tokens, keyRing, ways.assertions.clock, ways.possession),
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
  const installed = installWays(provider, ways);
  installFindClient(provider, installed);
  installInspection(provider, inspection);
  const remember = (ctx: KoaContextWithOIDC, error: unknown): void => noteError(attemptOf(ctx), error);
  provider.on('grant.error', remember);
  provider.on('introspection.error', remember);
  provider.on('revocation.error', remember);
  provider.on('server_error', remember);
  return { provider, ways: installed, mintToken: createMint(provider, keyRing) };
}

/** The facts of a token beside its audience and its scope. */
interface AboutToken {
  readonly company: CompanyId | undefined;
  readonly tokenType: TokenType | undefined;
  readonly status: StatusEntry | undefined;
  /** The account that impersonates the account of the token. */
  readonly actor: ClientId | undefined;
  /** The keys to which the token is bound. */
  readonly confirmation: Confirmation | undefined;
}

/** @param ctx undefined: the token is minted outside a token request */
function aboutToken(ctx: KoaContextWithOIDC | undefined, token: object): AboutToken {
  if (ctx === undefined) {
    const { snapshot, plan, status, actor, confirmation } = wantedOf(token);
    return { company: snapshot.account.company, tokenType: plan.server.tokenType, status, actor, confirmation };
  }
  const attempt = attemptOf(ctx);
  const { snapshot, credential, audience, confirmation } = attempt;
  return {
    company: snapshot?.account.company,
    tokenType: audience?.tokenType,
    status: credential?.status,
    actor: undefined,
    confirmation,
  };
}

/** The path of the token endpoint in the library; the outer layer leads both of our token paths to it. */
export const TOKEN_PATH = '/oauth/token';

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
