import type { NoteUse } from '../../domain/credentials/use-store.ts';
import type { Attempt } from '../attempt.ts';
import type { Library } from '../library/create-library.ts';
import type { GuessLimiter } from '../refusals/guess-limiter.ts';
import { refusalOf } from '../refusals/refusal-of.ts';
import { exchangeRefused } from '../ways/api-key-way.ts';

/** The tools for ending an attempt. */
export interface ConclusionTools {
  readonly library: Library;
  readonly guesses: GuessLimiter;
  readonly noteUse: NoteUse;
}

/**
 * Ends an attempt after the library has answered: counts a client that failed to authenticate, and notes the use of the
 * credentials of a client that succeeded.
 *
 * @throws OAuthError when the library, or one of our hooks, refused the attempt
 */
export async function conclude(attempt: Attempt, { library, guesses, noteUse }: ConclusionTools): Promise<void> {
  const { admission, failure, requestId } = attempt;
  if (failure !== undefined) {
    const refusal = await refusalOf(attempt, library.ways);
    // A client that holds the key does not guess: its failure is not counted, and it is told what is wrong.
    const isGuess = admission !== undefined && refusal.status === 401 && !attempt.proved;
    const limited = isGuess ? guesses.failed(admission, requestId) : undefined;
    const inExchange = attempt.request.subjectToken !== undefined && refusal.status === 401;
    throw limited ?? (inExchange ? exchangeRefused(refusal.reason) : refusal);
  }
  if (admission !== undefined) guesses.succeeded(admission);
  const { snapshot, credential, beside, source } = attempt;
  if (snapshot === undefined) return;
  for (const used of [credential, beside]) if (used) noteUse(snapshot.account.clientId, used.credentialId, source);
}
