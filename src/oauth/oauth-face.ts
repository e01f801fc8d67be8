import type Provider from 'oidc-provider';
import type { KeyRing } from '../domain/signing-keys/key-ring.ts';
import type { HttpContext, HttpMiddleware } from '../http/context.ts';
import { publicDocument } from '../http/public-document.ts';
import type { Logger } from '../logger.ts';
import { jwks } from './jwks.ts';
import { authorizationServerMetadata, managementApiMetadata } from './metadata.ts';
import { OAuthError, sendOAuthError } from './oauth-error.ts';
import { tokenEndpoint } from './token-endpoint.ts';

/** Seconds for which a verifier may keep the JWKS; a new key waits as long before it signs. */
const JWKS_MAX_AGE = 300;
const METADATA_MAX_AGE = 3600;

/** The OAuth endpoints, and the documents that describe them. */
export function oauthFace({
  issuer,
  keyRing,
  provider,
  logger,
}: {
  issuer: string;
  keyRing: KeyRing;
  provider: Provider;
  logger: Logger;
}): HttpMiddleware {
  const inserted = new URL(issuer).pathname.replace(/\/$/, '');
  const metadata = publicDocument(authorizationServerMetadata(issuer), METADATA_MAX_AGE);
  const token = tokenEndpoint(provider, logger);
  const endpoints = new Map<string, (ctx: HttpContext) => void | Promise<void>>([
    ['/oauth/token', token],
    ['/oauth/authorize', refuseAuthorization],
    ['/.well-known/jwks.json', publicDocument(jwks(keyRing), JWKS_MAX_AGE)],
    ['/.well-known/oauth-protected-resource/api', publicDocument(managementApiMetadata(issuer), METADATA_MAX_AGE)],
  ]);
  for (const name of ['oauth-authorization-server', 'openid-configuration']) {
    endpoints.set(`/.well-known/${name}`, metadata);
    endpoints.set(`/.well-known/${name}${inserted}`, metadata);
  }
  endpoints.set(
    `/.well-known/oauth-protected-resource${inserted}/api`,
    publicDocument(managementApiMetadata(issuer), METADATA_MAX_AGE),
  );

  return (ctx, next) => {
    const endpoint = endpoints.get(ctx.path);
    return endpoint === undefined ? next() : Promise.resolve(endpoint(ctx));
  };
}

/** The metadata must name an authorization endpoint; it knows no response type. */
function refuseAuthorization(ctx: HttpContext): void {
  ctx.set('Cache-Control', 'no-store');
  sendOAuthError(
    ctx,
    new OAuthError(400, 'unsupported_response_type', 'this server issues tokens at its token endpoint only'),
  );
}
