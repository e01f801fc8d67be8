import type { NoteRefusal } from '../domain/activity/refusal.ts';
import type { NoteUse } from '../domain/credentials/use-store.ts';
import type { Readiness } from '../http/health.ts';
import type { GuessLimits } from '../oauth/refusals/guess-limiter.ts';
import type { StatusLists } from '../oauth/status-lists.ts';
import type { Surroundings } from '../start/surroundings.ts';

/** The parts that work beside the requests, and that requests take part in. */
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
    /** Milliseconds, only ever forwards. */
    readonly now: () => number;
  };
}

/** The surroundings of the faces; tests set other limits of failed attempts than the usual ones. */
export type FaceSurroundings = Surroundings & Partial<Pick<GuessedSurroundings, 'guessing'>>;
