import { oddityOf } from '../../domain/credentials/client-secret.ts';
import { type ClientId, isClientId } from '../../domain/ids.ts';
import type { RememberedAccount } from '../../domain/service-accounts/remembered-account.ts';
import { type Attempt, noteAccount, noteFailure, noteNamed } from '../attempt.ts';
import type { GuessLimiter } from '../refusals/guess-limiter.ts';

/** The accounts that this node remembers, and the accounts in the database. */
export interface RememberedAccounts {
  find(clientId: ClientId): Promise<RememberedAccount | undefined> | RememberedAccount | undefined;
  /** Whether `find` would answer without asking the database. */
  remembers(clientId: ClientId): boolean;
}

/**
 * Finds the account that an attempt names, and notes in the attempt what it found.
 *
 * @param clientId as the request names it
 * @param isMistyped whether the proof can belong to no account, so that the database need not be asked
 */
export type AccountFinder = (
  attempt: Attempt,
  clientId: string,
  isMistyped: () => boolean,
) => Promise<RememberedAccount | undefined> | RememberedAccount | undefined;

/** Goes on with what was found: at once, if it is there. Most accounts are remembered, and need not be waited for. */
export function whenFound<Found, Result>(
  found: Promise<Found> | Found,
  use: (found: Found) => Result,
): Promise<Result> | Result {
  return found instanceof Promise ? found.then(use) : use(found);
}

/** @param guesses after too many failures, the database is asked only for clients that authenticated before */
export function createAccountFinder(accounts: RememberedAccounts, guesses: GuessLimiter): AccountFinder {
  function note(attempt: Attempt, found: RememberedAccount | undefined): RememberedAccount | undefined {
    if (found === undefined) noteFailure(attempt, 'account_unknown');
    else noteAccount(attempt, found);
    return attempt.snapshot;
  }

  return (attempt, clientId, isMistyped) => {
    const admission = guesses.admit(attempt.source, clientId);
    const named = isClientId(clientId) ? clientId : trimmedId(clientId);
    noteNamed(attempt, named, admission);
    if (!isClientId(clientId)) {
      if (named === undefined) noteFailure(attempt, 'account_unknown');
      else noteFailure(attempt, 'secret_mistyped', { detail: `the client id ${oddityOf(clientId)}` });
      return undefined;
    }
    if (!accounts.remembers(clientId)) {
      // The library does the same work for every limited attempt, whatever the proof is.
      if (!admission.mayAsk) return undefined;
      if (isMistyped()) {
        noteFailure(attempt, 'secret_mistyped', { clientId });
        return undefined;
      }
    }
    return whenFound(accounts.find(clientId), (found) => note(attempt, found));
  };
}

/** The client id inside a text that has blanks or a line break beside it. */
function trimmedId(clientId: string): ClientId | undefined {
  const trimmed = clientId.trim();
  return isClientId(trimmed) ? trimmed : undefined;
}
