import type { ClientId, CompanyId } from './ids.ts';

/**
 * The things that other nodes must look at anew after a write: one account, every account that they remember or all of a
 * company's, the status lists, or the signing keys. A release that does not know `company` looks at every account, which
 * is right as well.
 */
export type Change =
  | { readonly kind: 'account'; readonly clientId: ClientId }
  | { readonly kind: 'everyone'; readonly company?: CompanyId }
  | { readonly kind: 'statuses' }
  | { readonly kind: 'keys' };

/**
 * Of what many share.
 *
 * @param company whose it is; undefined: root's, which everybody sees
 */
export function everyoneIn(company: CompanyId | undefined): readonly Change[] {
  return [{ kind: 'everyone', ...(company !== undefined && { company }) }];
}

/** What live tokens are worth. */
export const STATUSES: readonly Change[] = [{ kind: 'statuses' }];
