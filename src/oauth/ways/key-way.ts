import { type AssertionSettings, rulesFor } from '../../domain/assertions/assertion-rules.ts';
import { checkAssertion, type FailedCheck } from '../../domain/assertions/check-assertion.ts';
import { REPLAYED, useOfAssertion } from '../../domain/assertions/consume-assertion.ts';
import { findKey } from '../../domain/assertions/fitting-key.ts';
import { type Assertion, parseAssertion } from '../../domain/assertions/parse-assertion.ts';
import type { ReplayStore, Use } from '../../domain/assertions/replay-store.ts';
import type { IsSignedWith } from '../../domain/signatures/is-signed-with.ts';
import type { PublicKeyCredential } from '../../domain/credentials/kinds/public-key-kind.ts';
import type { RememberedAccount } from '../../domain/service-accounts/remembered-account.ts';
import { type Attempt, noteCredential, noteFailure, notePossessionUse, noteProof } from '../attempt.ts';
import { invalidClient, invalidRequest, type OAuthError } from '../refusals/oauth-error.ts';
import type { DecoyKeys } from './decoy.ts';
import type { AccountFinder } from './find-account.ts';
import { notAuthenticated } from './not-authenticated.ts';
import { type PossessionTools, verifyPossession } from './possession.ts';
import type { AssertionProof } from './proofs.ts';
import type { Way } from './way.ts';

/** The tools for checking an assertion. */
export interface AssertionTools extends AssertionSettings {
  readonly replays: ReplayStore;
  readonly decoyKeys: DecoyKeys;
  readonly isSignedWith: IsSignedWith;
}

/** The type of a client assertion (RFC 7523 §2.2). */
export const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

/** The tools of the way. */
interface KeyWayTools {
  readonly findAccount: AccountFinder;
  readonly assertions: AssertionTools;
  readonly possession: PossessionTools;
}

/** The way of a client that has signed an assertion with its private key (RFC 7523 §2.2). */
export const keyWay: Way<AssertionProof, KeyWayTools> = {
  methodsOf: ({ parameters, external }) =>
    parameters['client_assertion'] === undefined || external ? [] : ['private_key_jwt'],

  read({ parameters, named }) {
    const { client_assertion: compact = '', client_assertion_type: type } = parameters;
    if (type !== ASSERTION_TYPE) throw invalidRequest(`client_assertion_type must be ${ASSERTION_TYPE}`);
    const assertion = parseAssertion(compact);
    if ('malformed' in assertion) throw invalidClient('assertion_malformed', { named, detail: assertion.malformed });
    if (named !== undefined && named !== assertion.clientId) throw invalidRequest('client_id mismatch', named);
    return { way: 'key', method: 'private_key_jwt', assertion };
  },

  recognizer: (tools) => ({
    async recognize(attempt, { assertion }) {
      const found = tools.findAccount(attempt, assertion.clientId, () => false);
      await verifyAssertion(attempt, assertion, found instanceof Promise ? await found : found, tools);
    },
  }),
};

/**
 * Verifies the signature of an assertion with the single key that can have made it, and then checks the claims. The
 * accepted audiences never come from the request (oidc-provider.md, N-1). An assertion with a good signature is consumed
 * even if it is refused (oidc-provider.md, N-2).
 *
 * @throws OAuthError 401; a client without the key learns nothing, and costs the same work
 */
async function verifyAssertion(
  attempt: Attempt,
  assertion: Assertion,
  snapshot: RememberedAccount | undefined,
  { assertions: tools, possession }: KeyWayTools,
): Promise<void> {
  const key = usableKey(attempt, assertion, snapshot, tools);
  const signed = await tools.isSignedWith(key?.publicKey ?? tools.decoyKeys[assertion.alg], assertion);
  // Nobody can sign for a decoy key. Even if somebody could, the decoy is the key of no account.
  if (!signed || key === undefined) {
    noteFailure(attempt, 'assertion_signature');
    throw notAuthenticated(attempt);
  }
  const rules = rulesFor(key, attempt.alias, tools);
  const failed = checkAssertion(assertion, rules);
  const use = useOfAssertion(assertion, rules);
  if (failed !== undefined) {
    if (use !== undefined) await tools.replays.consume(use.owner, use.jti, use.expiresAt);
    throw refuseHolder(attempt, failed);
  }
  if (use === undefined || !(await consume(attempt, use, tools, possession))) throw refuseHolder(attempt, REPLAYED);
}

/** Finds the single key that can have signed an assertion, and works. Otherwise it notes why there is none. */
function usableKey(
  attempt: Attempt,
  assertion: Assertion,
  snapshot: RememberedAccount | undefined,
  { clock }: AssertionTools,
): PublicKeyCredential | undefined {
  const found = findKey(snapshot, assertion, clock());
  if ('missing' in found) {
    noteFailure(attempt, 'assertion_key_unknown', { detail: snapshot && found.missing });
    return undefined;
  }
  const { key, unusable } = found;
  if (unusable !== undefined) {
    noteFailure(attempt, unusable, { ended: key });
    return undefined;
  }
  noteCredential(attempt, key);
  return key;
}

/** Consumes an assertion, and the proof of possession beside it. @returns whether the assertion was unused */
async function consume(
  attempt: Attempt,
  assertion: Use,
  { replays }: AssertionTools,
  possession: PossessionTools,
): Promise<boolean> {
  const proof = await verifyPossession(attempt, possession);
  if (proof === undefined) return replays.consume(assertion.owner, assertion.jti, assertion.expiresAt);
  // One statement for both: a second one would cost each client that has both another wait for the disk.
  const [unused = false, newProof = false] = await replays.consumeAll([assertion, possession.dpop.use(proof)]);
  if (unused) notePossessionUse(attempt, newProof);
  return unused;
}

/** The refusal of a client that holds the key: it is told what is wrong with its assertion. */
function refuseHolder(attempt: Attempt, { check, message }: FailedCheck | typeof REPLAYED): OAuthError {
  noteProof(attempt, `assertion_${check}`);
  return notAuthenticated(attempt, message);
}
