import type { Credential } from '../credentials/credential.ts';
import type { ClientId } from '../ids.ts';
import type { Grant } from '../permissions/grant.ts';
import type { Holdings } from '../permissions/holdings.ts';
import type { ResourceServerId } from '../permissions/resource-server.ts';

/** A machine that may get tokens. */
export interface ServiceAccount {
  readonly clientId: ClientId;
  /** A DNS label, unique among the root accounts. */
  readonly slug: string;
  readonly name: string;
  /** The audience of its tokens when a request names none. */
  readonly audience: ResourceServerId;
  readonly createdAt: Date;
  /** The account that registered it; undefined for the first one, which the server made. */
  readonly createdBy: ClientId | undefined;
  readonly updatedAt: Date;
}

/** An account with everything that decides about its tokens. */
export interface AccountSnapshot {
  readonly account: ServiceAccount;
  readonly credentials: readonly Credential[];
  readonly grants: readonly Grant[];
  /** What the grants come to. */
  readonly holdings: Holdings;
}

/**
 * Free text of 1 to 128 characters that a terminal and a page show as it is: no control characters, no line or
 * paragraph separators, no lone surrogates, and none that turn the direction of the text around.
 */
export const NAME_PATTERN =
  '^(?=.*\\S)[^\\u0000-\\u001F\\u007F-\\u009F\\u2028\\u2029\\u202A-\\u202E\\u2066-\\u2069\\uD800-\\uDFFF]{1,128}$';
