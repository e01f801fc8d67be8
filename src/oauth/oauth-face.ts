import type { ClientEndpoint, OAuthEndpoint } from '../domain/activity/refusal.ts';
import { MIA } from '../domain/assertions/assertion-rules.ts';
import type { Clock } from '../domain/clock.ts';
import type { NoteUse } from '../domain/credentials/use-store.ts';
import { JWKS_MAX_AGE } from '../domain/signing-keys/jwks-max-age.ts';
import type { KeyRing } from '../domain/signing-keys/key-ring.ts';
import type { SigningKeys } from '../domain/signing-keys/signing-keys.ts';
import type { MintToken } from '../domain/tokens/mint-token.ts';
import type { HttpContext, HttpHandler, HttpMiddleware } from '../http/context.ts';
import { documentEndpoint, publicDocument, type PublicDocument } from '../http/public-document.ts';
import type { Metrics } from '../observability/metrics.ts';
import { inspectionEndpoint } from './endpoints/inspection-endpoint.ts';
import { jwks } from './endpoints/jwks.ts';
import {
  authorizationServerMetadata,
  frontDocument,
  managementApiMetadata,
  type MutualTls,
} from './endpoints/metadata.ts';
import { statusListEndpoints } from './endpoints/status-list-endpoints.ts';
import { tokenEndpoint } from './endpoints/token-endpoint.ts';
import { tokenInfo } from './endpoints/token-info.ts';
import { createLibrary, type LibraryOptions } from './library/create-library.ts';
import { INTROSPECTION_PATH, REVOCATION_PATH } from './library/inspection.ts';
import { OAuthError, sendOAuthError } from './refusals/oauth-error.ts';
import { isReported, type RefusalReporting, reportRefusal } from './refusals/report-refusal.ts';
import type { PossessionTools } from './ways/possession.ts';
import type { RecognizeClient } from './ways/way.ts';
import type { StatusLists } from './status-lists.ts';

const METADATA_MAX_AGE = 3600;

/** The parts of the OAuth face, by what they are for. */
export interface OAuthFaceOptions {
  readonly library: Omit<LibraryOptions, 'keyRing'>;
  readonly signingKeys: SigningKeys;
  readonly recognize: RecognizeClient;
  readonly possession: PossessionTools;
  readonly statusLists: Pick<StatusLists, 'published' | 'aggregation' | 'refresh'>;
  readonly recording: RefusalReporting & { readonly noteUse: NoteUse; readonly metrics: Metrics };
  /** Seconds before the end of a credential during which every answer names the end. */
  readonly expiryWarning: number;
  /** Whether the management API answers at the same address. */
  readonly managementHere: boolean;
  readonly mutualTls: MutualTls;
  readonly clock: Clock;
}

/** The OAuth endpoints with the documents that describe them, and the library behind the endpoints. */
export interface OAuthFace {
  readonly serve: HttpMiddleware;
  readonly mintToken: MintToken;
}

/** Creates the OAuth face. */
export function oauthFace(options: OAuthFaceOptions): OAuthFace {
  const { signingKeys, statusLists, recording, recognize, possession, expiryWarning, clock } = options;
  const { tokens, inspection } = options.library;
  const { issuer } = tokens;
  let live = withKeys(signingKeys.current());
  // Requests in flight keep the library with which they began.
  signingKeys.onChange((ring) => (live = withKeys(ring)));

  /** The library captures its keys when it is created, so a new key ring takes a new library. */
  function withKeys(keyRing: KeyRing): LiveParts {
    const library = createLibrary({ ...options.library, keyRing });
    const { mintToken } = library;
    const tools = { ...recording, recognize, profile: tokens.profile };
    const token = (alias: boolean): HttpHandler =>
      tokenEndpoint({ ...tools, mintToken, tokens, possession, expiryWarning, clock, alias });
    const inspect = (path: string, endpoint: ClientEndpoint): HttpHandler =>
      inspectionEndpoint({ ...tools, library, path, endpoint });
    return {
      token: token(false),
      alias: token(true),
      introspection: inspect(INTROSPECTION_PATH, 'introspection'),
      revocation: inspect(REVOCATION_PATH, 'revocation'),
      jwks: publicDocument(jwks(keyRing)),
      mintToken,
    };
  }
  const inserted = new URL(issuer).pathname.replace(/\/$/, '');
  const served = (content: object, maxAge: number): HttpHandler => {
    const document = publicDocument(content);
    return documentEndpoint(() => document, maxAge);
  };
  const metadata = served(authorizationServerMetadata(issuer, tokens.profile, options.mutualTls), METADATA_MAX_AGE);
  const protectedResource = served(managementApiMetadata(issuer, options.mutualTls), METADATA_MAX_AGE);
  const endpoints = new Map<string, HttpHandler>([
    ['/oauth/token', (ctx) => live.token(ctx)],
    [MIA.path, (ctx) => live.alias(ctx)],
    [INTROSPECTION_PATH, (ctx) => live.introspection(ctx)],
    [REVOCATION_PATH, (ctx) => live.revocation(ctx)],
    ['/', served(frontDocument(issuer, options.managementHere), METADATA_MAX_AGE)],
    ['/tokeninfo', tokenInfo(inspection.inspectToken, possession, recording)],
    ['/oauth/authorize', refusing('authorization', NO_AUTHORIZATION, recording)],
    ['/.well-known/jwks.json', documentEndpoint(() => live.jwks, JWKS_MAX_AGE)],
    ['/.well-known/oauth-protected-resource/api', protectedResource],
  ]);
  for (const name of ['oauth-authorization-server', 'openid-configuration']) {
    endpoints.set(`/.well-known/${name}`, metadata);
    endpoints.set(`/.well-known/${name}${inserted}`, metadata);
  }
  endpoints.set(`/.well-known/oauth-protected-resource${inserted}/api`, protectedResource);

  const statusList = statusListEndpoints(statusLists);
  const unknown = refusing('oauth', UNKNOWN, recording);
  const serve: HttpMiddleware = async (ctx, next) => {
    const path = withoutFinalSlash(ctx.path);
    const endpoint = endpoints.get(path) ?? statusList(path) ?? (isOurs(path) ? unknown : undefined);
    if (endpoint === undefined) return next();
    await endpoint(ctx);
    if (ctx.status >= 400 && !isReported(ctx)) refuse(ctx, 'oauth', refusalIn(ctx), recording);
  };
  return { serve, mintToken: (wanted) => live.mintToken(wanted) };
}

/** The parts that depend on the signing keys. */
interface LiveParts {
  readonly token: HttpHandler;
  readonly alias: HttpHandler;
  readonly introspection: HttpHandler;
  readonly revocation: HttpHandler;
  readonly jwks: PublicDocument;
  readonly mintToken: MintToken;
}

/** The refusal that the endpoint of a document has answered without reporting it. */
function refusalIn({ status, body }: HttpContext): OAuthError {
  const said = typeof body === 'object' && body !== null && 'error_description' in body ? body.error_description : '';
  return new OAuthError(status, status >= 500 ? 'temporarily_unavailable' : 'invalid_request', String(said));
}

/** Whether a path is the token endpoint of Mia's clients, which stands among the paths of the management API. */
export function isMiaTokenPath(path: string): boolean {
  return withoutFinalSlash(path) === MIA.path;
}

/** Removes a final slash: client libraries join paths in different ways. */
function withoutFinalSlash(path: string): string {
  return path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path;
}

function isOurs(path: string): boolean {
  return path === '/oauth' || path.startsWith('/oauth/');
}

/** The answer of the authorization endpoint, which the metadata must name: no response type is supported. */
const NO_AUTHORIZATION = new OAuthError(
  400,
  'unsupported_response_type',
  'this server issues tokens at its token endpoint only',
);

/** The answer at an unknown path: a client that has the wrong address can read only OAuth errors. */
const UNKNOWN = new OAuthError(404, 'invalid_request', 'there is no such endpoint: the metadata names the endpoints');

function refusing(endpoint: OAuthEndpoint, refusal: OAuthError, reporting: RefusalReporting): HttpHandler {
  return (ctx) => {
    ctx.set('Cache-Control', 'no-store');
    refuse(ctx, endpoint, refusal, reporting);
  };
}

function refuse(ctx: HttpContext, endpoint: OAuthEndpoint, refusal: OAuthError, reporting: RefusalReporting): void {
  reportRefusal({ ...reporting, endpoint }, ctx, refusal, undefined);
  sendOAuthError(ctx, refusal);
}
