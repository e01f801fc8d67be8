import type { ClientId } from './ids.ts';

/** What other nodes must look at anew after a write: one account, every account that they remember, or the status lists. */
export type Change =
  | { readonly kind: 'account'; readonly clientId: ClientId }
  | { readonly kind: 'everyone' }
  | { readonly kind: 'statuses' };

/** Of what many share. */
export const EVERYONE: readonly Change[] = [{ kind: 'everyone' }];

/** What live tokens are worth. */
export const STATUSES: readonly Change[] = [{ kind: 'statuses' }];
