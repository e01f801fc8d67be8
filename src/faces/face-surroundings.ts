import type { NoteRefusal } from '../domain/activity/refusal.ts';
import type { NoteUse } from '../domain/credentials/use-store.ts';
import type { Readiness } from '../http/health.ts';
import type { GuessLimits } from '../oauth/refusals/guess-limiter.ts';
import type { StatusLists } from '../oauth/status-lists.ts';
import type { Surroundings } from '../start/surroundings.ts';

/** The parts that work beside the requests, as far as requests use them. */
export interface Running {
  readonly noteUse: NoteUse;
  readonly noteRefusal: NoteRefusal;
  readonly statusLists: StatusLists;
  readonly readiness: () => Readiness;
}

/** The surroundings of the faces, with the limits of failed attempts to authenticate. */
export interface GuessedSurroundings extends Surroundings {
  readonly guessing: {
    readonly limits: GuessLimits;
    /** Milliseconds of a clock that never goes back. */
    readonly now: () => number;
  };
}

/** The surroundings of the faces; tests may set their own limits of failed attempts. */
export type FaceSurroundings = Surroundings & Partial<Pick<GuessedSurroundings, 'guessing'>>;
