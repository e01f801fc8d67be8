import type { NoteUse } from '../domain/credentials/use-store.ts';
import type { AssertionTools } from './client-assertion.ts';
import { exchangeRefused } from './client-request.ts';
import type { GuessLimiter } from './guess-limiter.ts';
import type { Issuance } from './issuance.ts';
import { refusalOf } from './refusal-of.ts';

/** What it takes to see an attempt to its end. */
export interface ConclusionTools {
  readonly assertionTools: AssertionTools;
  readonly guesses: GuessLimiter;
  readonly noteUse: NoteUse;
}

/**
 * Sees an attempt to its end once the library has answered: who failed to authenticate is counted, who succeeded is
 * noted.
 *
 * @throws OAuthError when it was refused, by the library or one of our hooks
 */
export async function conclude(issuance: Issuance, tools: ConclusionTools): Promise<void> {
  const { guesses, noteUse, assertionTools } = tools;
  const { attempt, failure } = issuance;
  if (failure !== undefined) {
    const refusal = await refusalOf(issuance, assertionTools);
    // Whoever is told what is wrong has proved to hold the key, and does not guess.
    const isGuess = attempt !== undefined && refusal.status === 401 && issuance.proved !== true;
    const limited = isGuess ? guesses.failed(attempt, issuance.requestId) : undefined;
    const exchanging = issuance.request.apiKey !== undefined && refusal.status === 401;
    throw limited ?? (exchanging ? exchangeRefused(refusal.reason) : refusal);
  }
  if (attempt !== undefined) guesses.succeeded(attempt);
  const { snapshot, credential, beside, source } = issuance;
  if (snapshot === undefined) return;
  for (const used of [credential, beside]) if (used) noteUse(snapshot.account.clientId, used.credentialId, source);
}
