import Provider, { type ClientMetadata, type Configuration, errors } from 'oidc-provider';
import { type AssertionRules, type AssertionSettings, rulesFor } from '../../domain/assertions/assertion-rules.ts';
import { checkAssertion } from '../../domain/assertions/check-assertion.ts';
import { findKey } from '../../domain/assertions/fitting-key.ts';
import { isSignedWith } from '../../domain/assertions/is-signed-with.ts';
import { type Assertion, parseAssertion } from '../../domain/assertions/parse-assertion.ts';
import type { ReplayStore } from '../../domain/assertions/replay-store.ts';
import { rememberedUntil, REPLAYED, consumeAssertion } from '../../domain/assertions/consume-assertion.ts';
import type { Credential } from '../../domain/credentials/credential.ts';
import type { PublicKeyCredential } from '../../domain/credentials/kinds/public-key-kind.ts';
import { isClientId } from '../../domain/ids.ts';
import type { AccountSnapshot } from '../../domain/service-accounts/service-account.ts';
import {
  type Attempt,
  attemptOf,
  noteCredential,
  noteFailure,
  notePossessionUse,
  noteProof,
  noteRules,
} from '../attempt.ts';
import { invalidClient, invalidRequest } from '../refusals/oauth-error.ts';
import { type DecoyKeys, withDecoyKey } from './decoy.ts';
import { type AccountFinder, whenFound } from './find-account.ts';
import { buildClient, builtOnce } from './library-client.ts';
import { type PossessionTools, verifyPossession } from './possession.ts';
import type { AssertionProof } from './proofs.ts';
import type { Client, Way } from './way.ts';

/** The tools for checking an assertion. */
export interface AssertionTools extends AssertionSettings {
  readonly replays: ReplayStore;
  readonly decoyKeys: DecoyKeys;
}

/** The type of a client assertion (RFC 7523 §2.2). */
export const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

const BY_KEY: Omit<ClientMetadata, 'client_id'> = { token_endpoint_auth_method: 'private_key_jwt' };

/** The tools of the way. */
interface KeyWayTools {
  readonly findAccount: AccountFinder;
  readonly assertions: AssertionTools;
  readonly possession: PossessionTools;
}

export const keyWay: Way<AssertionProof, KeyWayTools> = {
  methodsOf: ({ parameters, external }) =>
    parameters['client_assertion'] === undefined || external ? [] : ['private_key_jwt'],

  read({ parameters, named }) {
    const { client_assertion: compact = '', client_assertion_type: type } = parameters;
    if (type !== ASSERTION_TYPE) throw invalidRequest(`client_assertion_type must be ${ASSERTION_TYPE}`);
    const assertion = parseAssertion(compact);
    if ('malformed' in assertion) throw invalidClient('assertion_malformed', { named, detail: assertion.malformed });
    return { way: 'key', method: 'private_key_jwt', assertion };
  },

  handedOver: (_attempt, { assertion }) => ({
    client_assertion_type: ASSERTION_TYPE,
    client_assertion: assertion.compact,
  }),

  install(provider, { findAccount, assertions: tools, possession }) {
    const { clock, decoyKeys } = tools;
    const clients = new WeakMap<PublicKeyCredential, Client>();
    const nobody = buildClient(provider, { client_id: 'nobody', ...BY_KEY, jwks: { keys: [] } });
    useOwnChecks(provider, tools, possession);

    /** A client with the single key that can have signed the assertion, or with a key that nobody can sign for. */
    function clientOf(attempt: Attempt, { assertion }: AssertionProof, snapshot?: AccountSnapshot): Client {
      const found = findKey(snapshot, assertion, clock());
      if ('missing' in found) {
        noteFailure(attempt, 'assertion_key_unknown', { detail: snapshot && found.missing });
        return withDecoyKey(nobody, assertion.clientId, decoyKeys);
      }
      const { key, unusable } = found;
      if (unusable !== undefined) {
        noteFailure(attempt, unusable, { ended: key });
        return withDecoyKey(nobody, assertion.clientId, decoyKeys);
      }
      noteCredential(attempt, key);
      const jwks = { keys: [{ ...key.publicKey, kid: key.kid }] };
      return builtOnce(clients, key, () => buildClient(provider, { client_id: assertion.clientId, ...BY_KEY, jwks }));
    }

    return {
      findClient(attempt, proof, clientId) {
        return whenFound(
          findAccount(attempt, clientId, () => false),
          (snapshot) => clientOf(attempt, proof, snapshot),
        );
      },
      explain: (attempt, { assertion }) => explainRefusal(attempt, assertion, tools),
    };
  },
};

/**
 * The seams at which an assertion is checked beyond its signature: the accepted audiences, none of which comes from the
 * request (oidc-provider.md, N-1), and the consumption of its `jti`, which is atomic (N-3 and N-4).
 */
function useOwnChecks(provider: Provider, tools: AssertionTools, possession: PossessionTools): void {
  provider.OIDCContext.prototype.clientJwtAuthExpectedAudience = () => {
    const attempt = attemptOf(Provider.ctx);
    const rules = rulesOf(attempt, tools);
    noteRules(attempt, rules);
    return new Set(rules.audiences.keys());
  };
  provider.ReplayDetection.unique = async (clientId, jti, expiresAt) => {
    if (!isClientId(clientId)) return false;
    const attempt = attemptOf(Provider.ctx);
    const assertion = { owner: clientId, jti, expiresAt: rememberedUntil(expiresAt) };
    const proof = await verifyPossession(attempt, possession);
    if (proof === undefined) return tools.replays.consume(assertion.owner, assertion.jti, assertion.expiresAt);
    // One statement for both: a second one would cost each client that has both another wait for the disk.
    const [unused = false, newProof = false] = await tools.replays.consumeAll([assertion, possession.dpop.use(proof)]);
    if (unused) notePossessionUse(attempt, newProof);
    return unused;
  };
}

/** The seam at which the library makes further checks after the signature (oidc-provider.md, N-2, N-5 and N-19). */
export const assertJwtClientAuthClaimsAndHeader: NonNullable<Configuration['assertJwtClientAuthClaimsAndHeader']> = (
  ctx,
) => {
  const { request, rules, credential } = attemptOf(ctx);
  if (request.proof.way !== 'key' || rules === undefined) throw new Error('the request has no assertion');
  // Nobody can sign for a decoy key. Even if somebody could, the decoy is the key of no account.
  if (credential === undefined) throw new errors.InvalidClientAuth('decoy');
  const failed = checkAssertion(request.proof.assertion, rules);
  if (failed !== undefined) throw new errors.InvalidClientAuth(failed.check);
  return Promise.resolve();
};

/**
 * Finds out why an assertion was refused. The signature is verified once more; if it is good, the assertion is consumed
 * and checked again. A client without the key learns nothing, and costs the same work.
 *
 * @returns the text that the client may be told
 */
async function explainRefusal(
  attempt: Attempt,
  assertion: Assertion,
  tools: AssertionTools,
): Promise<string | undefined> {
  if (!(await isSignedWell(attempt.credential, assertion, tools.decoyKeys))) {
    noteFailure(attempt, 'assertion_signature');
    return undefined;
  }
  const rules = rulesOf(attempt, tools);
  const unused = await consumeAssertion(assertion, rules, tools.replays);
  const failed = checkAssertion(assertion, rules) ?? (unused ? EDGE : REPLAYED);
  noteProof(attempt, `assertion_${failed.check}`);
  return failed.message;
}

/** The failure of an assertion that the library has refused, but that passes the second check a moment later. */
const EDGE = { check: 'time', message: 'exp or nbf is at the very edge of what is accepted' } as const;

/** Whether an assertion is signed with the key of a credential; without a credential the same work is done. */
async function isSignedWell(
  credential: Credential | undefined,
  assertion: Assertion,
  decoyKeys: DecoyKeys,
): Promise<boolean> {
  const key = keyOf(credential)?.publicKey;
  const verified = await isSignedWith(key ?? decoyKeys[assertion.alg], assertion);
  return verified && key !== undefined;
}

function rulesOf({ credential, alias }: Attempt, tools: AssertionTools): AssertionRules {
  return rulesFor(keyOf(credential), alias, tools);
}

function keyOf(credential: Credential | undefined): PublicKeyCredential | undefined {
  return credential?.type === 'public_key' ? credential : undefined;
}
