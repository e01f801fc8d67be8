/** The proofs of possession that tokens may need: none, or a proof by the key of a client (RFC 9449). */
export const SENDER_CONSTRAINTS = ['none', 'dpop'] as const;
export type SenderConstraint = (typeof SENDER_CONSTRAINTS)[number];

/** Whether a token needs a DPoP proof, because its account or its resource server asks for one. */
export function needsDpop(...parties: readonly { readonly senderConstraint: SenderConstraint }[]): boolean {
  return parties.some(({ senderConstraint }) => senderConstraint === 'dpop');
}
