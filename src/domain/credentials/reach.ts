import type { Holdings } from '../permissions/rules/holdings.ts';
import { inCommon } from '../permissions/scope-token.ts';
import type { RememberedCredential } from './credential.ts';
import { kindOf } from './kinds/kinds.ts';

/**
 * The part of an account's holdings that one of its credentials reaches: the permissions that the credential may ask
 * for, at every resource server or at the only one for which the credential works.
 */
export function reachOf(holdings: Holdings, credential: RememberedCredential): Holdings {
  const { permissions } = credential;
  const reached = permissions === undefined ? holdings : narrowed(holdings, permissions);
  const only = kindOf(credential).onlyAt(credential);
  return only === undefined ? reached : new Map([...reached].filter(([id]) => id === only.resourceServerId));
}

/** Whether a credential reaches everything that its account holds. */
export function reachesEverything(credential: RememberedCredential): boolean {
  return credential.permissions === undefined && kindOf(credential).onlyAt(credential) === undefined;
}

/** Narrows holdings to the scope-tokens that a credential may ask for. */
export function narrowed(holdings: Holdings, subset: readonly string[]): Holdings {
  const wanted = new Set(subset);
  return new Map([...holdings].map(([id, held]) => [id, new Set([...inCommon(held, wanted)].toSorted())]));
}
