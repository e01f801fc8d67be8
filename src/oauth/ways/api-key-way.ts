import type { AccountSnapshot } from '../../domain/service-accounts/service-account.ts';
import { type Exchanged, type FindExchanged, isSubjectToken } from '../../domain/tokens/find-exchanged.ts';
import { type Attempt, noteExchange, noteSubject } from '../attempt.ts';
import type { GuessLimiter } from '../refusals/guess-limiter.ts';
import { OAuthError } from '../refusals/oauth-error.ts';
import { recognizedClients } from './library-client.ts';
import type { ApiKeyProof } from './proofs.ts';
import type { Parameters, Way } from './way.ts';

/** The grant type of token exchange, and the type of the token that it takes and gives (RFC 8693 §2.1, §3). */
export const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
const ACCESS_TOKEN_TYPE = 'urn:ietf:params:oauth:token-type:access_token';

/** The further members in the answer to an exchange (RFC 8693 §2.2.1). */
export const EXCHANGE_ANSWER = { issued_token_type: ACCESS_TOKEN_TYPE } as const;

/** The way of a request that exchanges an API key, or a token of this server, and authenticates in no other way. */
export const apiKeyWay: Way<ApiKeyProof, object> = {
  // This way has no method of its own: the endpoint recognizes an exchange by its grant type.
  methodsOf: () => [],
  read: () => ({ way: 'api_key', method: 'api_key' }),
  handedOver: ({ exchanged }) => ({ client_id: accountOf(exchanged).account.clientId }),
  install(provider) {
    const clientOf = recognizedClients(provider);
    return { findClient: ({ exchanged }) => clientOf(accountOf(exchanged)), explain: () => undefined };
  },
};

function accountOf(exchanged: Exchanged | undefined): AccountSnapshot {
  if (exchanged === undefined) throw new Error('the exchanged token does not work');
  return exchanged.snapshot;
}

/**
 * Reads the API key, or the token of this server, that is to be exchanged (RFC 8693 §2.1).
 *
 * @returns undefined when the text has the form of neither: it is refused like a key that does not work
 * @throws OAuthError 400 when the request asks for another exchange than one for an access token
 */
export function readSubjectToken(parameters: Parameters): string | undefined {
  const {
    subject_token: subjectToken,
    subject_token_type: type,
    requested_token_type: requested = ACCESS_TOKEN_TYPE,
  } = parameters;
  if (subjectToken === undefined || type !== ACCESS_TOKEN_TYPE || requested !== ACCESS_TOKEN_TYPE) {
    throw new OAuthError(400, 'invalid_request', `token exchange takes a subject_token of type ${ACCESS_TOKEN_TYPE}`);
  }
  return isSubjectToken(subjectToken) ? subjectToken : undefined;
}

/** The tools for an exchange. */
export interface ExchangeTools {
  readonly findExchanged: FindExchanged;
  readonly guesses: GuessLimiter;
}

/**
 * Finds the account of what is to be exchanged, before the library is asked.
 *
 * @throws OAuthError the same error for everything that does not work
 */
export async function recognizeSubject(
  attempt: Attempt,
  subjectToken: string,
  { findExchanged, guesses }: ExchangeTools,
): Promise<void> {
  // The request names no client: a failure counts for its source address.
  const admission = guesses.admit(attempt.source, '');
  const refused = (reason: string): OAuthError =>
    guesses.failed(admission, attempt.requestId) ?? exchangeRefused(reason);
  const found = await findExchanged(subjectToken, admission.mayAsk);
  noteSubject(attempt, found);
  if ('refused' in found) throw refused(found.refused);
  const { clientId } = found.snapshot.account;
  if ((attempt.request.clientId ?? clientId) !== clientId) throw refused('client_id_other');
  // If the client authenticates beside the exchange, the library checks that first.
  if (attempt.request.proof.way === 'api_key') noteExchange(attempt, found);
}

/**
 * Makes the credential of an exchange that of an attempt, after the client has been authenticated.
 *
 * @throws OAuthError when the client that authenticated beside the exchange is another account
 */
export function exchangeSubject(attempt: Attempt): void {
  const { exchanged, snapshot, credential } = attempt;
  if (exchanged === undefined || exchanged.credential === credential) return;
  if (exchanged.snapshot.account.clientId !== snapshot?.account.clientId) throw exchangeRefused('client_other');
  noteExchange(attempt, exchanged);
}

/** The same answer to every failed exchange: like the 401 for client authentication, it does not say what failed. */
export function exchangeRefused(reason: string): OAuthError {
  return new OAuthError(400, 'invalid_request', 'subject_token is not valid', { reason, detail: reason });
}
