import type { ClientId } from './ids.ts';

/** What other nodes must look at anew after a write: one account, or every account that they remember. */
export type Change = { readonly kind: 'account'; readonly clientId: ClientId } | { readonly kind: 'everyone' };

/** Of what many share. */
export const EVERYONE: readonly Change[] = [{ kind: 'everyone' }];
