import type { KoaContextWithOIDC } from 'oidc-provider';
import type { AuthenticationFailure } from '../domain/activity/refusal.ts';
import type { PresentedCertificate } from '../domain/certificates/client-certificate.ts';
import type { RememberedCredential } from '../domain/credentials/credential.ts';
import type { DpopProof, RefusedProof } from '../domain/possession/dpop-proof.ts';
import type { ClientId } from '../domain/ids.ts';
import type { RememberedAccount } from '../domain/service-accounts/remembered-account.ts';
import type { Exchanged, RefusedExchange } from '../domain/tokens/find-exchanged.ts';
import type { Presented } from './library/presented.ts';
import type { Admission } from './refusals/guess-limiter.ts';
import type { Proof } from './ways/proofs.ts';

/**
 * A request at an endpoint where clients authenticate, read once and whole. Parameters without a value are absent
 * (RFC 6749 §3.2).
 */
export interface ClientRequest {
  /** The proof by which the request says which client it comes from. */
  readonly proof: Proof;
  /**
   * The API key, or the access token of this server, that is exchanged for a token (RFC 8693); the client may
   * authenticate in another way beside it.
   */
  readonly subjectToken: string | undefined;
  readonly grantType: string | undefined;
  /** The value of `client_id` in the body. */
  readonly clientId: string | undefined;
  readonly scope: string | undefined;
  /** The value of `resource`, or of its synonym `audience`. */
  readonly resource: string | undefined;
  /** The token that introspection and revocation are about. */
  readonly token: string | undefined;
  /** The values of the header `DPoP` (RFC 9449 §4.1). */
  readonly dpop: readonly string[];
}

/** A proof that the client holds a key. */
export interface Possession {
  readonly found: DpopProof | RefusedProof;
  /** Whether the proof was new; undefined: it has not been consumed. */
  readonly unused: boolean | undefined;
}

/**
 * One attempt of a client to get a token, or to ask about one, on its way through the endpoint. Only the functions of
 * this file change an attempt.
 */
export interface Attempt {
  readonly request: ClientRequest;
  /** Whether the attempt came to the path of Mia's clients, where more assertions are accepted. */
  readonly alias: boolean;
  /** The address that the request came from. */
  readonly source: string;
  /** Finds the certificate that the client has presented. */
  readonly certificate: () => PresentedCertificate;
  readonly requestId: string;
  /** How far the guess limiter lets the attempt go; undefined before the client id has been read. */
  readonly admission: Admission | undefined;
  /** The client id that the request names, when it has the form of one. */
  readonly named: ClientId | undefined;
  /** The account that the request names, when there is one, whether or not it is enabled. */
  readonly clientId: ClientId | undefined;
  /** The account, when there is one and it may get tokens. */
  readonly snapshot: RememberedAccount | undefined;
  /** The credential that authenticated the client, or with which its assertion claims to be signed. */
  readonly credential: RememberedCredential | undefined;
  /** The API key or the token that is exchanged, when it works, and its account. */
  readonly exchanged: Exchanged | undefined;
  /** The credential by which a client authenticated beside the exchange. */
  readonly beside: RememberedCredential | undefined;
  /** The credential that fits the request, but does not work. */
  readonly ended: RememberedCredential | undefined;
  /** The token that the request asks about, when it is one of ours. */
  readonly presented: Presented | undefined;
  /** The proof of possession, when it has been looked at. */
  readonly possession: Possession | undefined;
  /** Whether the client holds the private key although its assertion was refused. */
  readonly proved: boolean;
  /** Why authentication failed. */
  readonly reason: AuthenticationFailure | undefined;
  /** More about the reason, for the owners of the account only. */
  readonly detail: string | undefined;
  /** The error with which the library, or one of our hooks, refused to tell about a token. */
  readonly failure: unknown;
}

type Open = { -readonly [Member in keyof Attempt]: Attempt[Member] };

const attempts = new WeakMap<object, Open>();

/** Begins an attempt. {@link attemptOf} finds it by the context of the request. */
export function beginAttempt(
  ctx: object,
  begun: Pick<Attempt, 'request' | 'alias' | 'source' | 'certificate' | 'requestId'>,
): Attempt {
  const attempt: Open = {
    ...begun,
    admission: undefined,
    named: undefined,
    clientId: undefined,
    snapshot: undefined,
    credential: undefined,
    exchanged: undefined,
    beside: undefined,
    ended: undefined,
    presented: undefined,
    possession: undefined,
    proved: false,
    reason: undefined,
    detail: undefined,
    failure: undefined,
  };
  attempts.set(ctx, attempt);
  return attempt;
}

/** The attempt that a context of the library belongs to: every request has passed through our outer layer. */
export function attemptOf(ctx: KoaContextWithOIDC | undefined): Attempt {
  const attempt = ctx && attempts.get(ctx);
  if (attempt === undefined) throw new Error('a request reached the library without passing the outer layer');
  return attempt;
}

/** Notes the client id that the request names, and how far the guess limiter lets the attempt go. */
export function noteNamed(attempt: Open, named: ClientId | undefined, admission: Admission): void {
  attempt.named = named;
  attempt.admission = admission;
}

/** Notes the account that the request names. From here on a disabled account is treated like no account. */
export function noteAccount(attempt: Open, snapshot: RememberedAccount): void {
  attempt.clientId = snapshot.account.clientId;
  if (snapshot.enabled) attempt.snapshot = snapshot;
  else noteFailure(attempt, 'account_disabled');
}

/** Notes the credential that fits the request. */
export function noteCredential(attempt: Open, credential: RememberedCredential): void {
  attempt.credential = credential;
}

/**
 * Notes why authentication fails; the first reason counts.
 *
 * @param more `detail`: a sentence for the owners of the account; `ended`: the credential that fits and does not work;
 *   `clientId`: the account that the request names, when nobody looked for it
 */
export function noteFailure(
  attempt: Open,
  reason: AuthenticationFailure,
  { detail, ended, clientId }: { detail?: string | undefined; ended?: RememberedCredential; clientId?: ClientId } = {},
): void {
  attempt.reason ??= reason;
  attempt.detail ??= detail;
  attempt.ended ??= ended;
  attempt.clientId = clientId ?? attempt.clientId;
}

/** Notes that a client holds the private key, and the check that its assertion failed. */
export function noteProof(attempt: Open, reason: AuthenticationFailure): void {
  attempt.proved = true;
  attempt.reason = reason;
}

/** Notes what is to be exchanged, and its account. A credential that does not work is noted as `ended`. */
export function noteSubject(attempt: Open, found: Exchanged | RefusedExchange): void {
  attempt.clientId = attempt.named = found.snapshot?.account.clientId;
  if ('refused' in found) attempt.ended = found.credential;
  else attempt.exchanged = found;
}

/** Makes the exchanged credential that of the attempt, even if the client authenticated beside it. */
export function noteExchange(attempt: Open, { credential, snapshot }: Exchanged): void {
  attempt.beside = attempt.credential === credential ? undefined : attempt.credential;
  attempt.credential = credential;
  attempt.snapshot = snapshot;
}

/** Notes a proof of possession, or why it is refused. */
export function notePossession(attempt: Open, found: Possession['found']): void {
  attempt.possession ??= { found, unused: undefined };
}

/** Notes whether the proof of possession was new. It has been consumed then. */
export function notePossessionUse(attempt: Open, unused: boolean): void {
  if (attempt.possession !== undefined) attempt.possession = { ...attempt.possession, unused };
}

/** Notes the token that the request asks about. */
export function notePresented(attempt: Open, presented: Presented | undefined): void {
  attempt.presented = presented;
}

/** Notes the error that ends the attempt. */
export function noteError(attempt: Open, error: unknown): void {
  attempt.failure = error;
}
