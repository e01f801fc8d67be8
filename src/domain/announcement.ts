import type { ClientId, CompanyId } from './ids.ts';

/**
 * An announcement tells every node to read something anew: one account, all remembered accounts or those of one
 * company, the status lists, or the signing keys. A release that does not know `company` reads all accounts anew, which
 * is correct, too.
 */
export type Announcement =
  | { readonly kind: 'account'; readonly clientId: ClientId }
  | { readonly kind: 'everyone'; readonly company?: CompanyId }
  | { readonly kind: 'statuses' }
  | { readonly kind: 'keys' };

/**
 * The announcement of a change of something that many accounts share, such as a role or a company.
 *
 * @param company the company whose accounts are read anew; undefined: all accounts
 */
export function everyoneIn(company: CompanyId | undefined): readonly Announcement[] {
  return [{ kind: 'everyone', ...(company !== undefined && { company }) }];
}

/** The announcement that the status lists have changed. */
export const STATUSES: readonly Announcement[] = [{ kind: 'statuses' }];
