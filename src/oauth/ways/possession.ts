import { MIA } from '../../domain/assertions/assertion-rules.ts';
import {
  type DpopProof,
  type DpopVerifier,
  type RefusedProof,
  USED_PROOF,
} from '../../domain/possession/dpop-proof.ts';
import { type Attempt, notePossession, notePossessionUse } from '../attempt.ts';
import { OAuthError } from '../refusals/oauth-error.ts';

/** The tools for proofs of possession at the token endpoint. */
export interface PossessionTools {
  readonly dpop: DpopVerifier;
  readonly issuer: string;
}

/** Verifies the proof of possession of a request once, if it has one. A proof that is refused is refused later. */
export async function verifyPossession(
  attempt: Attempt,
  { dpop, issuer }: PossessionTools,
): Promise<DpopProof | undefined> {
  const { alias, request, possession } = attempt;
  if (request.dpop.length === 0) return undefined;
  const path = alias ? MIA.path : '/oauth/token';
  const found =
    possession?.found ??
    (await dpop.verify(request.dpop, { method: 'POST', urls: [`${issuer}${path}`], accessToken: undefined }));
  notePossession(attempt, found);
  return 'refused' in found ? undefined : found;
}

/**
 * Asserts that the proof of possession of a request, if there is one, is good and new. The client has been authenticated
 * before: nobody else uses up proofs, or learns what is wrong with one.
 *
 * @throws OAuthError `invalid_dpop_proof`, `use_dpop_nonce`
 */
export async function provePossession(attempt: Attempt, tools: PossessionTools): Promise<void> {
  const { dpop } = tools;
  const proof = await verifyPossession(attempt, tools);
  const { possession } = attempt;
  if (possession !== undefined && 'refused' in possession.found) throw refusedProof(possession.found, dpop);
  if (proof === undefined) return;
  const unused = possession?.unused ?? (await dpop.consume(proof));
  notePossessionUse(attempt, unused);
  if (!unused) throw refusedProof(USED_PROOF, dpop);
}

/** The proof by which a client has shown that it holds a key. */
export function goodProof({ possession }: Attempt): DpopProof | undefined {
  return possession !== undefined && 'jkt' in possession.found && possession.unused === true
    ? possession.found
    : undefined;
}

/** The thumbprint of the key that a client has proved to hold. */
export function provedKey(attempt: Attempt): string | undefined {
  return goodProof(attempt)?.jkt;
}

function refusedProof({ refused, message }: RefusedProof, dpop: DpopVerifier): OAuthError {
  const nonce = dpop.nonceFor(refused);
  return new OAuthError(400, refused, message, { ...(nonce !== undefined && { headers: { 'DPoP-Nonce': nonce } }) });
}
