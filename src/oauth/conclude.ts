import type { NoteUse } from '../domain/credentials/use-store.ts';
import type { AssertionTools } from './client-assertion.ts';
import type { GuessLimiter } from './guess-limiter.ts';
import type { Issuance } from './issuance.ts';
import { refusalOf } from './refusal.ts';

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
    throw (isGuess ? guesses.failed(attempt, issuance.requestId) : undefined) ?? refusal;
  }
  if (attempt !== undefined) guesses.succeeded(attempt);
  const { snapshot, credential, source } = issuance;
  if (snapshot && credential) noteUse(snapshot.account.clientId, credential.credentialId, source);
}
