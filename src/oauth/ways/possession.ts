import { MIA } from '../../domain/assertions/assertion-rules.ts';
import {
  type DpopProof,
  type DpopVerifier,
  type RefusedProof,
  USED_PROOF,
} from '../../domain/possession/dpop-proof.ts';
import { wrongTime } from '../../domain/certificates/client-certificate.ts';
import { type Confirmation, unmet } from '../../domain/possession/confirmation.ts';
import type { Constraint } from '../../domain/possession/sender-constraint.ts';
import type { VerifiedToken } from '../../domain/tokens/verify-access-token.ts';
import type { TokenPlan } from '../../domain/tokens/plan-token.ts';
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

/**
 * Decides to which keys a token is bound: to the key of a proof, if there is one, and to the certificate, if the account,
 * the resource server or the exchanged token asks for it. Most clients that present a certificate do so because a proxy
 * asks for one.
 *
 * @param exchanged the token that is exchanged: the new token is bound to the same keys
 * @throws OAuthError `invalid_grant` when a proof or the certificate is missing (RFC 9449 §5, RFC 8705 §3)
 */
export function confirmed(
  attempt: Attempt,
  { constraints, server }: TokenPlan,
  exchanged: Pick<VerifiedToken, 'confirmation'> | undefined,
  now: Date,
): Confirmation | undefined {
  const jkt = goodProof(attempt)?.jkt;
  const bound = exchanged?.confirmation;
  // The thief of a token that is bound to nothing would bind it to a key of the thief.
  if (exchanged !== undefined && bound === undefined && constraints.length > 0) {
    throw unbound('the exchanged token is bound to no key');
  }
  const asks =
    constraints.includes('mtls') ||
    (constraints.includes('any') && jkt === undefined) ||
    bound?.['x5t#S256'] !== undefined;
  const thumbprint = asks ? goodThumbprint(attempt, now) : undefined;
  const confirmation =
    jkt === undefined && thumbprint === undefined
      ? undefined
      : { ...(jkt !== undefined && { jkt }), ...(thumbprint !== undefined && { 'x5t#S256': thumbprint }) };
  const missing = unmet(constraints, confirmation);
  if (missing !== undefined) {
    const whose = server.senderConstraint === missing ? `for ${server.identifier}` : 'of this account';
    throw unbound(`a token ${whose} must be bound to ${BOUND_TO[missing]}`);
  }
  if (bound?.jkt !== undefined && bound.jkt !== jkt) {
    throw unbound('the exchanged token is bound to a key: send a DPoP proof by that key');
  }
  if (bound?.['x5t#S256'] !== undefined && bound['x5t#S256'] !== thumbprint) {
    throw unbound('the exchanged token is bound to a certificate: present it');
  }
  return confirmation;
}

const BOUND_TO: Readonly<Record<Constraint, string>> = {
  dpop: 'a key: send a DPoP proof',
  mtls: 'a certificate: present one in the handshake of TLS',
  any: 'a key: send a DPoP proof, or present a certificate in the handshake of TLS',
};

/** @returns undefined: there is no certificate @throws OAuthError when the certificate cannot be read, or is not valid now */
function goodThumbprint({ certificate }: Attempt, now: Date): string | undefined {
  const presented = certificate();
  if (presented === undefined) return undefined;
  if ('unreadable' in presented) throw new OAuthError(400, 'invalid_request', presented.unreadable);
  const wrong = wrongTime(presented, now);
  if (wrong !== undefined) throw unbound(wrong);
  return presented.thumbprint;
}

function unbound(message: string): OAuthError {
  return new OAuthError(400, 'invalid_grant', message);
}

function refusedProof({ refused, message }: RefusedProof, dpop: DpopVerifier): OAuthError {
  const nonce = dpop.nonceFor(refused);
  return new OAuthError(400, refused, message, { ...(nonce !== undefined && { headers: { 'DPoP-Nonce': nonce } }) });
}
