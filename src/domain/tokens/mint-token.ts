import type { ClientId } from '../ids.ts';
import type { Confirmation } from '../possession/confirmation.ts';
import type { RememberedAccount } from '../service-accounts/remembered-account.ts';
import type { StatusEntry } from '../status/status-entry.ts';
import type { TokenPlan } from './plan-token.ts';

/** An access token that is to be made. */
export interface WantedToken {
  /** The account of the token. */
  readonly snapshot: RememberedAccount;
  readonly plan: TokenPlan;
  /** The account that acts as the account of the token (`act`, RFC 8693 §4.1); undefined: nobody does. */
  readonly actor: ClientId | undefined;
  /** The keys to which the token is bound; undefined: to none. */
  readonly confirmation: Confirmation | undefined;
  /** The status entry with which the token ends early. */
  readonly status: StatusEntry;
}

/** A minted access token (RFC 9068). */
export interface MintedToken {
  /** The token in compact form. */
  readonly accessToken: string;
  readonly jti: string;
}

/** Mints an access token. It checks nothing: the caller has decided that the token may exist. */
export type MintToken = (wanted: WantedToken) => Promise<MintedToken>;
