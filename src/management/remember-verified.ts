import { LRUCache } from 'lru-cache';
import type { Clock } from '../domain/clock.ts';
import type { KeyRing } from '../domain/signing-keys/key-ring.ts';
import type { JudgeAccessToken, VerifiedToken } from '../domain/tokens/verify-access-token.ts';

/** The most remembered tokens: the tokens of this many callers at a time are verified only once. */
const MOST = 1000;

/**
 * Verifies each token once: a caller sends the same token for minutes, and verifying a signature costs as much as a
 * small query. A token is remembered until it expires or the signing keys change. The rights of its account are never
 * remembered here.
 */
export function rememberVerified(judge: JudgeAccessToken, keyRing: () => KeyRing, clock: Clock): JudgeAccessToken {
  const verified = new LRUCache<string, { readonly token: VerifiedToken; readonly by: KeyRing }>({ max: MOST });
  return async (compact) => {
    const by = keyRing();
    const known = verified.get(compact);
    if (known !== undefined && known.by === by && clock() < known.token.expiresAt) return known.token;
    const token = await judge(compact);
    if (token === undefined || 'unfit' in token) verified.delete(compact);
    else verified.set(compact, { token, by });
    return token;
  };
}
