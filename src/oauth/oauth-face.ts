import type { ClientEndpoint, NoteRefusal, OAuthEndpoint } from '../domain/activity/refusal.ts';
import { MIA } from '../domain/assertions/assertion-rules.ts';
import { JWKS_MAX_AGE } from '../domain/signing-keys/jwks-max-age.ts';
import type { KeyRing } from '../domain/signing-keys/key-ring.ts';
import type { NoteUse } from '../domain/credentials/use-store.ts';
import type { HttpContext, HttpHandler, HttpMiddleware } from '../http/context.ts';
import { documentEndpoint, publicDocument, type PublicDocument } from '../http/public-document.ts';
import type { Logger } from '../observability/logger.ts';
import type { Metrics } from '../observability/metrics.ts';
import { createProvider, type ProviderOptions } from './create-provider.ts';
import { inspectionEndpoint } from './inspection-endpoint.ts';
import { INTROSPECTION_PATH, REVOCATION_PATH } from './inspection.ts';
import { jwks } from './jwks.ts';
import { authorizationServerMetadata, managementApiMetadata } from './metadata.ts';
import { OAuthError, sendOAuthError } from './oauth-error.ts';
import { isReported, type RefusalReporting, reportRefusal } from './report-refusal.ts';
import { statusListEndpoints } from './status-list-endpoints.ts';
import type { StatusLists } from './status-lists.ts';
import { tokenInfo } from './token-info.ts';
import { tokenEndpoint } from './token-endpoint.ts';

const METADATA_MAX_AGE = 3600;

/** The OAuth endpoints, and the documents that describe them. */
export function oauthFace(
  options: ProviderOptions & {
    readonly logger: Logger;
    readonly metrics: Metrics;
    readonly noteUse: NoteUse;
    readonly noteRefusal: NoteRefusal;
    readonly statusLists: Pick<StatusLists, 'published' | 'aggregation' | 'refresh'>;
    readonly expiryWarning: number;
    /** Has a part told of every ring of keys that takes the place of the first one. */
    readonly onNewKeys?: (told: (ring: KeyRing) => void) => void;
  },
): HttpMiddleware {
  const { issuer, statusLists, onNewKeys = () => {} } = options;
  let live = withKeys(options.keyRing);
  // Requests in flight end with the provider that they began with.
  onNewKeys((ring) => (live = withKeys(ring)));

  /** The library captures keys when it is made, so other keys take another provider. */
  function withKeys(keyRing: KeyRing): LiveEndpoints {
    const provider = createProvider({ ...options, keyRing });
    const tools = { ...options, provider, assertionTools: options };
    const token = (alias: boolean): HttpHandler => tokenEndpoint({ ...tools, alias });
    const inspection = (path: string, endpoint: ClientEndpoint): HttpHandler =>
      inspectionEndpoint({ ...tools, path, endpoint });
    return {
      token: token(false),
      alias: token(true),
      introspection: inspection(INTROSPECTION_PATH, 'introspection'),
      revocation: inspection(REVOCATION_PATH, 'revocation'),
      jwks: publicDocument(jwks(keyRing)),
    };
  }
  const inserted = new URL(issuer).pathname.replace(/\/$/, '');
  const served = (content: object, maxAge: number): HttpHandler => {
    const document = publicDocument(content);
    return documentEndpoint(() => document, maxAge);
  };
  const metadata = served(authorizationServerMetadata(issuer), METADATA_MAX_AGE);
  const protectedResource = served(managementApiMetadata(issuer), METADATA_MAX_AGE);
  const endpoints = new Map<string, HttpHandler>([
    ['/oauth/token', (ctx) => live.token(ctx)],
    [MIA.path, (ctx) => live.alias(ctx)],
    [INTROSPECTION_PATH, (ctx) => live.introspection(ctx)],
    [REVOCATION_PATH, (ctx) => live.revocation(ctx)],
    ['/tokeninfo', tokenInfo(options.inspectToken, options)],
    ['/oauth/authorize', refusing('authorization', NO_AUTHORIZATION, options)],
    ['/.well-known/jwks.json', documentEndpoint(() => live.jwks, JWKS_MAX_AGE)],
    ['/.well-known/oauth-protected-resource/api', protectedResource],
  ]);
  for (const name of ['oauth-authorization-server', 'openid-configuration']) {
    endpoints.set(`/.well-known/${name}`, metadata);
    endpoints.set(`/.well-known/${name}${inserted}`, metadata);
  }
  endpoints.set(`/.well-known/oauth-protected-resource${inserted}/api`, protectedResource);

  const statusList = statusListEndpoints(statusLists);
  const unknown = refusing('oauth', UNKNOWN, options);
  return async (ctx, next) => {
    const path = withoutFinalSlash(ctx.path);
    const endpoint = endpoints.get(path) ?? statusList(path) ?? (isOurs(path) ? unknown : undefined);
    if (endpoint === undefined) return next();
    await endpoint(ctx);
    if (ctx.status >= 400 && !isReported(ctx)) refuse(ctx, 'oauth', refusalIn(ctx), options);
  };
}

/** The endpoints that go by the signing keys. */
interface LiveEndpoints {
  readonly token: HttpHandler;
  readonly alias: HttpHandler;
  readonly introspection: HttpHandler;
  readonly revocation: HttpHandler;
  readonly jwks: PublicDocument;
}

/** The refusal that a document has answered by itself. */
function refusalIn({ status, body }: HttpContext): OAuthError {
  const said = typeof body === 'object' && body !== null && 'error_description' in body ? body.error_description : '';
  return new OAuthError(status, status >= 500 ? 'temporarily_unavailable' : 'invalid_request', String(said));
}

/** Whether a path is that of the token endpoint that Mia-Platform has among the paths of its API. */
export function isMiaTokenPath(path: string): boolean {
  return withoutFinalSlash(path) === MIA.path;
}

/** A final slash is forgiven, as every client library joins paths in its own way. */
function withoutFinalSlash(path: string): string {
  return path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path;
}

function isOurs(path: string): boolean {
  return path === '/oauth' || path.startsWith('/oauth/');
}

/** The metadata must name an authorization endpoint; it knows no response type. */
const NO_AUTHORIZATION = new OAuthError(
  400,
  'unsupported_response_type',
  'this server issues tokens at its token endpoint only',
);

/** A client that has the wrong address reads OAuth errors and nothing else. */
const UNKNOWN = new OAuthError(
  404,
  'invalid_request',
  'there is no such endpoint: the metadata names those that there are',
);

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
