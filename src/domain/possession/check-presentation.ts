import type { PresentedCertificate } from '../certificates/client-certificate.ts';
import { type Confirmation, tokenTypeOf } from './confirmation.ts';
import { type DpopProof, type DpopVerifier, type ProvenRequest, type RefusedProof, USED_PROOF } from './dpop-proof.ts';

/** An access token as a caller presents it at a resource of this server (RFC 9449 §7). */
export interface Presentation {
  readonly scheme: 'Bearer' | 'DPoP';
  /** The values of the header `DPoP`. */
  readonly proofs: readonly string[];
  readonly request: ProvenRequest;
  /** Finds the certificate that the caller has presented (RFC 8705 §3). */
  readonly certificate: () => PresentedCertificate;
}

/** Why a token is not taken in the way in which it is presented. */
export interface PresentationFault {
  readonly error: 'invalid_token' | RefusedProof['refused'];
  /** For the log; a closed list. */
  readonly reason:
    | 'token_bound'
    | 'token_unbound'
    | 'proof_missing'
    | 'proof_invalid'
    | 'proof_nonce'
    | 'proof_key'
    | 'certificate_missing'
    | 'certificate_other';
  readonly message: string;
}

/**
 * Checks that a bound token comes with its certificate, and with a proof by its key, and that a token that is bound to no
 * key comes as a bearer token. The proof is consumed.
 *
 * @param confirmation the keys to which the token is bound; undefined: to none
 * @returns the fault, or the proof; undefined: the token comes as a bearer token
 * @throws DomainError `unavailable`
 */
export async function checkPresentation(
  confirmation: Confirmation | undefined,
  presentation: Presentation,
  dpop: DpopVerifier,
): Promise<PresentationFault | DpopProof | undefined> {
  return (
    wrongCertificate(confirmation?.['x5t#S256'], presentation) ??
    (tokenTypeOf(confirmation) === 'Bearer'
      ? wrongForBearer(presentation)
      : await checkProof(confirmation?.jkt, presentation, dpop))
  );
}

function wrongCertificate(
  thumbprint: string | undefined,
  { certificate }: Presentation,
): PresentationFault | undefined {
  if (thumbprint === undefined) return undefined;
  const presented = certificate();
  if (presented === undefined) {
    return fault('invalid_token', 'certificate_missing', 'is bound to a certificate: present it with the token');
  }
  if ('unreadable' in presented) {
    return fault('invalid_token', 'certificate_missing', `is bound to a certificate, and ${presented.unreadable}`);
  }
  if (presented.thumbprint === thumbprint) return undefined;
  return fault('invalid_token', 'certificate_other', 'is bound to another certificate than the one that is presented');
}

function wrongForBearer({ scheme, proofs }: Presentation): PresentationFault | undefined {
  if (scheme === 'DPoP') return fault('invalid_token', 'token_unbound', 'is bound to no key: send it as Bearer');
  if (proofs.length === 0) return undefined;
  return fault('invalid_token', 'token_unbound', 'is bound to no key: send no DPoP proof with it');
}

async function checkProof(
  jkt: string | undefined,
  { scheme, proofs, request }: Presentation,
  dpop: DpopVerifier,
): Promise<PresentationFault | DpopProof> {
  if (scheme === 'Bearer') {
    return fault('invalid_token', 'token_bound', 'is bound to a key: send it as DPoP, with a proof by that key');
  }
  if (proofs.length === 0) return fault('invalid_dpop_proof', 'proof_missing', 'is bound to a key: send a DPoP proof');
  const proof = await dpop.verify(proofs, request);
  if ('refused' in proof) return refusedProof(proof);
  if (proof.jkt !== jkt) {
    return fault('invalid_dpop_proof', 'proof_key', 'is bound to another key than that of the DPoP proof');
  }
  return (await dpop.consume(proof)) ? proof : refusedProof(USED_PROOF);
}

function fault(
  error: PresentationFault['error'],
  reason: PresentationFault['reason'],
  said: string,
): PresentationFault {
  return { error, reason, message: `The access token ${said}` };
}

function refusedProof({ refused, message }: RefusedProof): PresentationFault {
  return { error: refused, reason: refused === 'use_dpop_nonce' ? 'proof_nonce' : 'proof_invalid', message };
}
