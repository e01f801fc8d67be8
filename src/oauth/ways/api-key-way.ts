import { type Exchanged, type FindExchanged, isSubjectToken } from '../../domain/tokens/find-exchanged.ts';
import { type Attempt, noteExchange, noteSubject } from '../attempt.ts';
import type { GuessLimiter } from '../refusals/guess-limiter.ts';
import { OAuthError } from '../refusals/oauth-error.ts';
import type { ApiKeyProof } from './proofs.ts';
import type { Parameters, RecognizeClient, Way } from './way.ts';

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
  // The subject of the exchange, which says who the client is, has been recognized before.
  recognizer: () => ({ recognize() {} }),
};

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
 * Creates the recognition of clients for all requests, also for exchanges. The subject of an exchange comes first, and
 * then the client that authenticates beside it.
 */
export function createExchangeRecognizer(recognizeClient: RecognizeClient, tools: ExchangeTools): RecognizeClient {
  return async (attempt) => {
    const { subjectToken } = attempt.request;
    if (subjectToken === undefined) return recognizeClient(attempt);
    const subject = await recognizeSubject(attempt, subjectToken, tools);
    await recognizeClient(attempt).catch((error: unknown) => {
      throw error instanceof OAuthError && error.status === 401 ? exchangeRefused(error.reason) : error;
    });
    // The client that authenticated beside the exchange must be the account of the subject.
    const { snapshot } = attempt;
    if (snapshot !== undefined && snapshot.account.clientId !== subject.snapshot.account.clientId) {
      throw exchangeRefused('client_other');
    }
    noteExchange(attempt, subject);
  };
}

/**
 * Finds the account of what is to be exchanged.
 *
 * @throws OAuthError the same error for everything that does not work
 */
async function recognizeSubject(
  attempt: Attempt,
  subjectToken: string,
  { findExchanged, guesses }: ExchangeTools,
): Promise<Exchanged> {
  // The request names no client: a failure counts for its source address.
  const admission = guesses.admit(attempt.source, '');
  const refused = (reason: string): OAuthError =>
    guesses.failed(admission, attempt.requestId) ?? exchangeRefused(reason);
  const found = await findExchanged(subjectToken, admission.mayAsk);
  noteSubject(attempt, found);
  if ('refused' in found) throw refused(found.refused);
  const { clientId } = found.snapshot.account;
  if ((attempt.request.clientId ?? clientId) !== clientId) throw refused('client_id_other');
  return found;
}

/** The same answer to every failed exchange: like the 401 for client authentication, it does not say what failed. */
export function exchangeRefused(reason: string): OAuthError {
  return new OAuthError(400, 'invalid_request', 'subject_token is not valid', { reason, detail: reason });
}
