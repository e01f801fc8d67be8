import type { ClientAuthorities } from '../domain/certificates/client-authorities.ts';
import type { DpopVerifier } from '../domain/possession/dpop-proof.ts';
import type { ExternalTools } from '../domain/federation/verify-external-token.ts';
import type { NoteRefusal } from '../domain/activity/refusal.ts';
import type { KeyTimes } from '../foreign-keys/create-issuer-keys.ts';
import type { FetchLimits } from '../foreign-keys/fetch-json.ts';
import type { NoteUse } from '../domain/credentials/use-store.ts';
import type { Readiness } from '../http/health.ts';
import type { GuessLimits } from '../oauth/refusals/guess-limiter.ts';
import type { StatusLists } from '../oauth/status-lists.ts';
import type { Surroundings } from '../start/surroundings.ts';
import type { TlsFiles } from '../start/tls-files.ts';

/** The parts that work beside the requests, as far as requests use them. */
export interface Running {
  readonly noteUse: NoteUse;
  readonly noteRefusal: NoteRefusal;
  readonly statusLists: StatusLists;
  readonly readiness: () => Readiness;
  readonly tlsFiles: Pick<TlsFiles, 'authorities'>;
}

/** The tools that both faces use. */
export interface SharedTools {
  readonly external: Omit<ExternalTools, 'replays'>;
  readonly dpop: DpopVerifier;
  readonly authorities: ClientAuthorities;
}

/** The surroundings of the faces, with the limits of failed attempts to authenticate. */
export interface GuessedSurroundings extends Surroundings {
  readonly guessing: {
    readonly limits: GuessLimits;
    /** Milliseconds of a clock that never goes back. */
    readonly now: () => number;
  };
  /** How the keys of trusted issuers are fetched, and how long they are kept. */
  readonly issuers: { readonly fetch: FetchLimits; readonly times: KeyTimes };
}

/** The surroundings of the faces; tests may set their own limits, and trust issuers of their own. */
export type FaceSurroundings = Surroundings & Partial<Pick<GuessedSurroundings, 'guessing' | 'issuers'>>;
