import type { GuessEvent, SharedGuesses } from '../oauth/refusals/guess-limiter.ts';
import type { Peers } from '../workers/peers.ts';

/** Lets the limiters of all workers count as one. @param face the face whose limiter it is */
export function sharedGuesses({ tell, hear }: Peers, face: 'token' | 'management'): SharedGuesses {
  const subject = `guesses.${face}`;
  return {
    tell: (event) => tell(subject, event),
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- all workers run the same program
    hear: (told) => hear(subject, (said) => told(said as GuessEvent)),
  };
}
