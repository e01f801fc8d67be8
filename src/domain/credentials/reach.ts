import type { Holdings } from '../permissions/rules/holdings.ts';
import { inCommon } from '../permissions/scope-token.ts';
import type { Credential } from './credential.ts';

/**
 * The part of what an account holds that one of its credentials reaches: the permissions that it was restricted to, and for
 * an API key those of its one API.
 */
export function reachOf(holdings: Holdings, credential: Credential): Holdings {
  const { permissions } = credential;
  const reached = permissions === undefined ? holdings : narrowed(holdings, permissions);
  if (credential.type !== 'api_key') return reached;
  const { resourceServerId } = credential.audience;
  return new Map([...reached].filter(([id]) => id === resourceServerId));
}

/** Whether a credential reaches all that its account holds. */
export function reachesEverything({ type, permissions }: Credential): boolean {
  return permissions === undefined && type !== 'api_key';
}

/** @param subset scope-tokens: all that may be asked for */
export function narrowed(holdings: Holdings, subset: readonly string[]): Holdings {
  const wanted = new Set(subset);
  return new Map([...holdings].map(([id, held]) => [id, new Set([...inCommon(held, wanted)].toSorted())]));
}
