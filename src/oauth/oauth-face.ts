import type { ClientEndpoint, NoteRefusal } from '../domain/activity/refusal.ts';
import { MIA } from '../domain/assertions/assertion-rules.ts';
import type { NoteUse } from '../domain/credentials/use-store.ts';
import type { HttpContext, HttpHandler, HttpMiddleware } from '../http/context.ts';
import { documentEndpoint, publicDocument } from '../http/public-document.ts';
import type { Logger } from '../logger.ts';
import type { Metrics } from '../metrics.ts';
import { createProvider, type ProviderOptions } from './create-provider.ts';
import { inspectionEndpoint } from './inspection-endpoint.ts';
import { INTROSPECTION_PATH, REVOCATION_PATH } from './inspection.ts';
import { jwks } from './jwks.ts';
import { authorizationServerMetadata, managementApiMetadata } from './metadata.ts';
import { OAuthError, sendOAuthError } from './oauth-error.ts';
import { statusListEndpoints } from './status-list-endpoints.ts';
import type { StatusLists } from './status-lists.ts';
import { tokenInfo } from './token-info.ts';
import { tokenEndpoint } from './token-endpoint.ts';

/** Seconds for which a verifier may keep the JWKS; a new key waits as long before it signs. */
const JWKS_MAX_AGE = 300;
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
  },
): HttpMiddleware {
  const { issuer, keyRing, logger, statusLists } = options;
  const provider = createProvider(options);
  const tools = { ...options, provider, assertionTools: options };
  const token = (alias: boolean): HttpHandler => tokenEndpoint({ ...tools, alias });
  const inspection = (path: string, endpoint: ClientEndpoint): HttpHandler =>
    inspectionEndpoint({ ...tools, path, endpoint });
  const inserted = new URL(issuer).pathname.replace(/\/$/, '');
  const served = (content: object, maxAge: number): HttpHandler => {
    const document = publicDocument(content);
    return documentEndpoint(() => document, maxAge);
  };
  const metadata = served(authorizationServerMetadata(issuer), METADATA_MAX_AGE);
  const protectedResource = served(managementApiMetadata(issuer), METADATA_MAX_AGE);
  const endpoints = new Map<string, HttpHandler>([
    ['/oauth/token', token(false)],
    [MIA.path, token(true)],
    [INTROSPECTION_PATH, inspection(INTROSPECTION_PATH, 'introspection')],
    [REVOCATION_PATH, inspection(REVOCATION_PATH, 'revocation')],
    ['/tokeninfo', tokenInfo(options.inspectToken, logger)],
    ['/oauth/authorize', refuseAuthorization],
    ['/.well-known/jwks.json', served(jwks(keyRing), JWKS_MAX_AGE)],
    ['/.well-known/oauth-protected-resource/api', protectedResource],
  ]);
  for (const name of ['oauth-authorization-server', 'openid-configuration']) {
    endpoints.set(`/.well-known/${name}`, metadata);
    endpoints.set(`/.well-known/${name}${inserted}`, metadata);
  }
  endpoints.set(`/.well-known/oauth-protected-resource${inserted}/api`, protectedResource);

  const statusList = statusListEndpoints(statusLists);
  return (ctx, next) => {
    // A final slash is forgiven, as every client library joins paths in its own way.
    const path = ctx.path.length > 1 && ctx.path.endsWith('/') ? ctx.path.slice(0, -1) : ctx.path;
    const endpoint = endpoints.get(path) ?? statusList(path) ?? (isOurs(path) ? refuseUnknown : undefined);
    return endpoint === undefined ? next() : Promise.resolve(endpoint(ctx));
  };
}

function isOurs(path: string): boolean {
  return path === '/oauth' || path.startsWith('/oauth/');
}

/** A client that has the wrong address reads OAuth errors and nothing else. */
function refuseUnknown(ctx: HttpContext): void {
  ctx.set('Cache-Control', 'no-store');
  sendOAuthError(
    ctx,
    new OAuthError(404, 'invalid_request', 'there is no such endpoint: the metadata names those there are'),
  );
}

/** The metadata must name an authorization endpoint; it knows no response type. */
function refuseAuthorization(ctx: HttpContext): void {
  ctx.set('Cache-Control', 'no-store');
  sendOAuthError(
    ctx,
    new OAuthError(400, 'unsupported_response_type', 'this server issues tokens at its token endpoint only'),
  );
}
