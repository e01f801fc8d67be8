import type { FindSubjectOwner } from '../../domain/federation/find-subject-owner.ts';
import {
  isExternalIssuer,
  parseExternalToken,
  type VerifyExternal,
} from '../../domain/federation/verify-external-token.ts';
import { type ClientId, isClientId } from '../../domain/ids.ts';
import type { RememberedAccount } from '../../domain/service-accounts/remembered-account.ts';
import { type Attempt, noteAccount, noteCredential, noteFailure, noteNamed, noteProof } from '../attempt.ts';
import type { GuessLimiter } from '../refusals/guess-limiter.ts';
import { invalidClient, invalidRequest, OAuthError } from '../refusals/oauth-error.ts';
import type { RememberedAccounts } from './find-account.ts';
import { ASSERTION_TYPE } from './key-way.ts';
import type { ExternalForm, FederatedProof } from './proofs.ts';
import type { Sent, Way } from './way.ts';

/** The grant type by which a client brings a token of another issuer (RFC 7523 §2.1). */
export const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer';

/** The type of an external token that is exchanged (RFC 8693 §3). */
export const JWT_TYPE = 'urn:ietf:params:oauth:token-type:jwt';

/**
 * The way of a client whose identity another issuer has confirmed. The external token comes as a client assertion
 * (RFC 7523 §2.2), as the subject token of an exchange (RFC 8693), or as an assertion of the JWT bearer grant.
 */
export const federatedWay: Way<FederatedProof, { federation: FederationTools }> = {
  methodsOf: ({ external }) => (external ? ['federated'] : []),

  read({ parameters, named }) {
    const { client_assertion: compact = '', client_assertion_type: type } = parameters;
    if (type !== ASSERTION_TYPE) throw invalidRequest(`client_assertion_type must be ${ASSERTION_TYPE}`);
    return readExternal(compact, named, 'assertion');
  },

  recognizer: ({ federation }) => ({
    recognize: (attempt, proof) => recognizeExternal(attempt, proof, federation),
  }),
};

/** Whether an assertion is of another issuer: clients that sign for themselves put their id into `iss`. */
export function isExternal(compact: string | undefined): boolean {
  if (compact === undefined) return false;
  const [, payload = ''] = compact.split('.', 2);
  try {
    const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString());
    return typeof claims === 'object' && claims !== null && 'iss' in claims && isExternalIssuer(claims.iss);
  } catch {
    return false;
  }
}

/**
 * Reads the external token of a grant that carries one: of an exchange, or of the JWT bearer grant.
 *
 * @returns undefined when the request is of another grant
 * @throws OAuthError 400
 */
export function readExternalGrant({ parameters, named }: Sent): FederatedProof | undefined {
  if (parameters['grant_type'] === JWT_BEARER) {
    const { assertion } = parameters;
    if (assertion === undefined) throw invalidRequest('assertion is missing');
    return readExternal(assertion, named, 'bearer');
  }
  if (parameters['subject_token_type'] !== JWT_TYPE) return undefined;
  const { subject_token: token } = parameters;
  if (token === undefined) throw invalidRequest('subject_token is missing');
  return readExternal(token, named ?? parameters['audience'], 'exchange');
}

/** Whether `audience` names the account of an exchange, as Octopus' clients write it, and no resource server. */
export function audienceIsAccount({ parameters, named }: Sent, proof: { readonly way: string }): boolean {
  return proof.way === 'federated' && parameters['subject_token_type'] === JWT_TYPE && named === undefined;
}

/** @throws OAuthError when the token is none, or no account is named */
function readExternal(compact: string, named: string | undefined, form: ExternalForm): FederatedProof {
  const token = parseExternalToken(compact);
  if ('malformed' in token) throw refusedAs(form, 'external_malformed', { named, detail: token.malformed });
  if (named === undefined && form !== 'bearer') throw invalidRequest('client_id must name the account');
  return { way: 'federated', method: 'federated', form, token, named };
}

/** The tools for recognizing an external token. */
export interface FederationTools {
  readonly accounts: RememberedAccounts;
  readonly guesses: Pick<GuessLimiter, 'admit'>;
  readonly verifyExternal: VerifyExternal;
  readonly findSubjectOwner: FindSubjectOwner;
}

/** @throws OAuthError the same error for everything that is not the bearer's own token */
async function recognizeExternal(
  attempt: Attempt,
  { token, named, form }: FederatedProof,
  { accounts, guesses, verifyExternal, findSubjectOwner }: FederationTools,
): Promise<void> {
  const admission = guesses.admit(attempt.source, named ?? '');
  const clientId = named === undefined ? await findSubjectOwner(token, admission.mayAsk) : asClientId(named);
  noteNamed(attempt, clientId, admission);
  const found = clientId && (await findAccount(clientId, accounts, admission.mayAsk));
  if (found === undefined) noteFailure(attempt, 'account_unknown');
  else noteAccount(attempt, found);
  const outcome = await verifyExternal(attempt.snapshot, token, named === undefined);
  if ('credential' in outcome) {
    noteCredential(attempt, outcome.credential);
    return;
  }
  const { refused, detail, ended, told } = outcome;
  noteFailure(attempt, refused, { detail, ...(ended && { ended }) });
  // The bearer of a token that its issuer has signed for the account does not guess.
  if (told !== undefined) noteProof(attempt, refused);
  throw refusedAs(form, attempt.reason ?? refused, { detail, told });
}

function asClientId(named: string): ClientId | undefined {
  return isClientId(named) ? named : undefined;
}

function findAccount(
  clientId: ClientId,
  accounts: RememberedAccounts,
  mayAsk: boolean,
): Promise<RememberedAccount | undefined> | RememberedAccount | undefined {
  return mayAsk || accounts.remembers(clientId) ? accounts.find(clientId) : undefined;
}

/**
 * The refusal of an external token, in the words of the form in which it came.
 *
 * @param more `told`: the text for the bearer of a token that its issuer has signed
 */
function refusedAs(
  form: ExternalForm,
  reason: string,
  { named, detail, told }: { named?: string | undefined; detail?: string | undefined; told?: string | undefined },
): OAuthError {
  if (form === 'assertion') return invalidClient(reason, { named, detail, explanation: told });
  const [code, text] =
    form === 'exchange'
      ? (['invalid_request', 'subject_token is not valid'] as const)
      : (['invalid_grant', 'assertion is not valid'] as const);
  return new OAuthError(400, code, told ?? text, { reason, detail, named });
}
