import { type RememberedCredential, rememberedCredential } from '../credentials/credential.ts';
import type { Holdings } from '../permissions/rules/holdings.ts';
import type { Audiences } from '../resource-servers/resource-server.ts';
import type { AccountSnapshot, ServiceAccount } from './service-account.ts';

/** An account with everything that decides about its tokens, and nothing else: a node remembers very many. */
export interface RememberedAccount extends Pick<AccountSnapshot, 'enabled' | 'holdings' | 'audiences'> {
  readonly account: Pick<ServiceAccount, 'clientId' | 'company' | 'audience' | 'tokenTtl' | 'senderConstraint'>;
  readonly credentials: readonly RememberedCredential[];
}

/** Values of accounts that were met before, by a text that says all of the value. */
export interface Met<Value> {
  get(key: string): Value | undefined;
  set(key: string, value: Value): unknown;
}

/**
 * Creates the function that makes a remembered account of a snapshot. Accounts with the same rights share the objects that
 * say so.
 */
export function createRemembering(met: {
  readonly holdings: Met<Holdings>;
  readonly audiences: Met<Audiences>;
}): (snapshot: AccountSnapshot) => RememberedAccount {
  return ({ account, enabled, credentials, holdings, audiences }) => {
    const { clientId, company, audience, tokenTtl, senderConstraint } = account;
    return {
      account: { clientId, company, audience, tokenTtl, senderConstraint },
      enabled,
      credentials: credentials.map(rememberedCredential),
      holdings: same(met.holdings, JSON.stringify([...holdings].map(([id, held]) => [id, ...held])), holdings),
      audiences: same(met.audiences, JSON.stringify([...audiences.values()]), audiences),
    };
  };
}

/** The equal value that was met before, or else this one. */
function same<Value>(met: Met<Value>, key: string, value: Value): Value {
  const known = met.get(key);
  if (known === undefined) met.set(key, value);
  return known ?? value;
}

/** Bytes of an account without its lists, and of one credential. */
const BASE = 800;
const PER_CREDENTIAL = 400;
/** Bytes of one held scope-token, beside its text. */
const PER_TOKEN = 60;

/** Estimates the bytes that an account takes in memory. Rights that accounts share count for each of them. */
export function rememberedSize({ credentials, holdings }: RememberedAccount): number {
  let size = BASE + credentials.length * PER_CREDENTIAL;
  for (const held of holdings.values()) for (const token of held) size += PER_TOKEN + token.length;
  return size;
}
