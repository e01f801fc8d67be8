import type { GuessLimiter } from '../refusals/guess-limiter.ts';
import { invalidClient, invalidRequest, OAuthError } from '../refusals/oauth-error.ts';
import { apiKeyWay } from './api-key-way.ts';
import { type CertificateTools, certificateWay } from './certificate-way.ts';
import { federatedWay, type FederationTools } from './federated-way.ts';
import type { AccountFinder } from './find-account.ts';
import { type AssertionTools, keyWay } from './key-way.ts';
import type { PossessionTools } from './possession.ts';
import { type Proof, type ProofOf, WAY_NAMES, type WayName } from './proofs.ts';
import { type SecretTools, secretWay } from './secret-way.ts';
import type { RecognizeClient, Recognizer, Sent, Way } from './way.ts';

/** The tools of all ways, by what they are for. */
export interface WayTools {
  readonly findAccount: AccountFinder;
  readonly secrets: SecretTools;
  readonly assertions: AssertionTools;
  readonly certificates: CertificateTools;
  readonly federation: FederationTools;
  readonly possession: PossessionTools;
}

/** Every way in which a client proves who it is. */
const WAYS: Readonly<Record<WayName, Way<Proof, WayTools>>> = {
  secret: secretWay,
  key: keyWay,
  certificate: certificateWay,
  federated: federatedWay,
  api_key: apiKeyWay,
} satisfies { [Name in WayName]: Way<ProofOf[Name], WayTools> };

/** Mutual TLS is named only where certificates can arrive: see `metadata.ts`. */
type ClientAuthMethod = Exclude<Proof['method'], 'api_key' | 'federated' | 'tls_client_auth'>;

const METHODS: Readonly<Record<ClientAuthMethod, true>> = {
  client_secret_basic: true,
  private_key_jwt: true,
  client_secret_post: true,
};

/** The authentication methods of clients (RFC 7591 §2), in the order in which the metadata names them. */
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the keys of a record are of its type
export const CLIENT_AUTH_METHODS = Object.keys(METHODS) as readonly ClientAuthMethod[];

/** The names of the authentication methods that a request uses. */
export function methodsOf(sent: Sent): string[] {
  return WAY_NAMES.flatMap((name) => WAYS[name].methodsOf(sent));
}

/**
 * Reads how a client authenticates. A request must use just one method (RFC 6749 §2.3).
 *
 * @param twice whether the same credentials may stand in the header and in the body
 * @throws OAuthError 400 when the request uses several methods, or one in another form; 401 when it uses none
 */
export function readProof(sent: Sent, twice: boolean): Proof {
  const used: string[] = [];
  const ways: WayName[] = [];
  for (const name of WAY_NAMES) {
    const methods = WAYS[name].methodsOf(sent);
    used.push(...methods);
    if (methods.length > 0) ways.push(name);
  }
  const [name, ...others] = ways;
  if (name === undefined) throw invalidClient('no_client_authentication', { named: sent.named });
  if (used.length === 1) return WAYS[name].read(sent);
  const same = twice && others.length === 0 ? WAYS[name].readTwice?.(sent) : undefined;
  if (same !== undefined) return same;
  throw invalidRequest(
    `exactly one client authentication method must be used, and this request uses ${used.join(' and ')}${twice ? ', not with the same credentials' : ''}`,
  );
}

/** Creates the recognition of clients by every way. It counts the failures of clients that may have guessed. */
export function createClientRecognizer(tools: WayTools, guesses: GuessLimiter): RecognizeClient {
  const recognizers: Readonly<Record<WayName, Recognizer<Proof>>> = {
    secret: WAYS.secret.recognizer(tools),
    key: WAYS.key.recognizer(tools),
    certificate: WAYS.certificate.recognizer(tools),
    federated: WAYS.federated.recognizer(tools),
    api_key: WAYS.api_key.recognizer(tools),
  };
  return async (attempt) => {
    const { proof } = attempt.request;
    try {
      await recognizers[proof.way].recognize(attempt, proof);
    } catch (error) {
      const { admission, requestId, reason, proved } = attempt;
      // A client that holds the key does not guess: its failure is not counted, and it is told what is wrong.
      const isGuess = error instanceof OAuthError && admission !== undefined && reason !== undefined && !proved;
      throw (isGuess ? guesses.failed(admission, requestId) : undefined) ?? error;
    }
    if (attempt.admission !== undefined) guesses.succeeded(attempt.admission);
  };
}
