import type { Clock } from '../../domain/clock.ts';
import { isMistyped, oddityOf } from '../../domain/credentials/client-secret.ts';
import { findSecret, type SameHash } from '../../domain/credentials/find-secret.ts';
import type { RememberedOf } from '../../domain/credentials/credential.ts';
import type { SecretHasher } from '../../domain/credentials/secret-hasher.ts';
import { whyRefused } from '../../domain/credentials/why-refused.ts';
import type { Profile } from '../../domain/profile.ts';
import { isRoot } from '../../domain/service-accounts/is-root.ts';
import type { RememberedAccount } from '../../domain/service-accounts/remembered-account.ts';
import { type Attempt, noteCredential, noteFailure } from '../attempt.ts';
import { invalidRequest } from '../refusals/oauth-error.ts';
import { type BasicCredentials, parseBasic } from './basic-credentials.ts';
import { type AccountFinder, whenFound } from './find-account.ts';
import { notAuthenticated } from './not-authenticated.ts';
import type { SecretProof } from './proofs.ts';
import type { Sent, Way } from './way.ts';

/** The tools for checking a secret. */
export interface SecretTools {
  readonly hashSecret: SecretHasher;
  readonly sameHash: SameHash;
  readonly clock: Clock;
  readonly profile: Profile;
  /** The secret that is compared when the account does not exist, or has none. */
  readonly decoySecret: RememberedOf<'client_secret'>;
}

export const secretWay: Way<SecretProof, { findAccount: AccountFinder; secrets: SecretTools }> = {
  methodsOf: ({ authorization, parameters }) => [
    ...(authorization === undefined
      ? []
      : [/^basic /i.test(authorization) ? 'client_secret_basic' : 'an Authorization header of another scheme']),
    ...(parameters['client_secret'] === undefined ? [] : ['client_secret_post']),
  ],

  read({ authorization, parameters, named }) {
    if (authorization !== undefined) {
      return { way: 'secret', method: 'client_secret_basic', ...readBasic(authorization, named) };
    }
    const clientSecret = parameters['client_secret'];
    if (named === undefined || clientSecret === undefined)
      throw invalidRequest('client_secret must come with client_id');
    return { way: 'secret', method: 'client_secret_post', clientId: named, clientSecret };
  },

  readTwice(sent) {
    const same = sameInBoth(sent);
    return same && { way: 'secret', method: 'client_secret_post', ...same };
  },

  recognizer: ({ findAccount, secrets }) => ({
    recognize: (attempt, { clientId, clientSecret }) =>
      whenFound(
        findAccount(attempt, clientId, () => isMistyped(clientSecret)),
        (snapshot) => compareSecret(attempt, clientSecret, snapshot, secrets),
      ),
  }),
};

/**
 * Hashes the secret of a request, and compares the hash with every secret of the account, in constant time.
 *
 * @throws OAuthError 401
 */
function compareSecret(
  attempt: Attempt,
  presented: string,
  snapshot: RememberedAccount | undefined,
  { hashSecret, sameHash, decoySecret, clock, profile }: SecretTools,
): void {
  const secrets = snapshot?.credentials.filter((credential) => credential.type === 'client_secret') ?? [];
  const found = findSecret(secrets.length > 0 ? secrets : [decoySecret], hashSecret(presented), sameHash);
  if (snapshot !== undefined && found !== undefined && found !== decoySecret) {
    const reason =
      whyRefused(found, snapshot, clock()) ?? (takesSecrets(snapshot, profile) ? undefined : 'method_refused');
    if (reason === undefined) {
      noteCredential(attempt, found);
      return;
    }
    noteFailure(attempt, reason, { ended: found });
  } else {
    const oddity = oddityOf(presented);
    noteFailure(attempt, isMistyped(presented) ? 'secret_mistyped' : 'secret_wrong', {
      detail: oddity && `the secret ${oddity}`,
    });
  }
  throw notAuthenticated(attempt);
}

/** Whether a profile takes secrets of an account: FAPI 2.0 takes them of nobody, and root may have nothing else. */
function takesSecrets(snapshot: RememberedAccount, profile: Profile): boolean {
  return profile === 'standard' || isRoot(snapshot);
}

/**
 * The credentials that stand in the header and in the body alike. Clients that send them twice often write them into
 * the header without form encoding, so both readings of the header count.
 */
function sameInBoth({ authorization = '', parameters, named }: Sent): BasicCredentials | undefined {
  const clientSecret = parameters['client_secret'];
  const basic = parseBasic(authorization);
  if (basic === undefined || clientSecret === undefined) return undefined;
  return [basic.decoded, basic.encoded].find(
    (one) => one?.clientSecret === clientSecret && (named ?? one.clientId) === one.clientId,
  );
}

/** @throws OAuthError 400 */
function readBasic(authorization: string, named: string | undefined): BasicCredentials {
  const basic = parseBasic(authorization);
  if (basic === undefined) throw invalidRequest('invalid authorization header value format');
  const { decoded } = basic;
  if (decoded === undefined) {
    throw invalidRequest('client_id and client_secret in the authorization header are not properly encoded');
  }
  if (decoded.clientId === '' || decoded.clientSecret === '') {
    throw invalidRequest('client_id and client_secret must be provided in the authorization header', decoded.clientId);
  }
  if (named !== undefined && named !== decoded.clientId) throw invalidRequest('client_id mismatch', decoded.clientId);
  return decoded;
}
