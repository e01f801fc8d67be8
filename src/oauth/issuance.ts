import type { KoaContextWithOIDC } from 'oidc-provider';
import type { AuthenticationFailure } from '../domain/activity/refusal.ts';
import type { AssertionRules } from '../domain/assertions/assertion-rules.ts';
import type { Credential } from '../domain/credentials/credential.ts';
import type { ClientId } from '../domain/ids.ts';
import type { Audience } from '../domain/resource-servers/resource-server.ts';
import type { AccountSnapshot } from '../domain/service-accounts/service-account.ts';
import type { LiveApiKey } from '../domain/tokens/find-api-key.ts';
import type { Presented } from './presented.ts';
import type { ClientRequest } from './client-request.ts';
import type { Attempt } from './guess-limiter.ts';

/** One attempt of a client to get a token, or to ask about one, on its way through the library and our hooks in it. */
export interface Issuance {
  readonly request: ClientRequest;
  /** Whether it came to the path of Mia's clients, with what only they may do. */
  readonly alias: boolean;
  /** What the request names, where it has the form of an id. */
  named?: ClientId | undefined;
  /** The address that it comes from. */
  readonly source: string;
  readonly requestId: string;
  /** As it was let through, once the client id has been read. */
  attempt?: Attempt;
  /** The account that the request names, once found, for the log. */
  clientId?: ClientId | undefined;
  /** The account, once found, when it may get tokens at all. */
  snapshot?: AccountSnapshot;
  /** The credential that authenticated it, or that its assertion claims to be signed with. */
  credential?: Credential;
  /** The API key that is exchanged, once it has been found to work, and whose it is. */
  exchanged?: LiveApiKey;
  /** The credential by which a client authenticated that exchanges an API key. */
  beside?: Credential | undefined;
  /** The credential that fits, and does not work any more. */
  ended?: Credential | undefined;
  /** The token that is asked about, once it has been found to be ours. */
  presented?: Presented | undefined;
  /** What the token is for, once decided. */
  audience?: Audience;
  /** What its assertion is measured by. */
  rules?: AssertionRules;
  /** Whether it holds the key although it was not authenticated. */
  proved?: boolean;
  /** Why authentication failed. */
  reason?: AuthenticationFailure | undefined;
  /** What is to be known of that by who looks after the account, and is not for the caller. */
  detail?: string;
  /** What the library, or a hook of ours, refused it with. */
  failure?: unknown;
}

const issuances = new WeakMap<object, Issuance>();

export function beginIssuance(ctx: object, issuance: Issuance): Issuance {
  issuances.set(ctx, issuance);
  return issuance;
}

/** The attempt that a context of the library belongs to; every one of them has passed through our outer layer. */
export function issuanceOf(ctx: KoaContextWithOIDC | undefined): Issuance {
  const issuance = ctx && issuances.get(ctx);
  if (issuance === undefined) throw new Error('a token request reached the library without passing the outer layer');
  return issuance;
}
