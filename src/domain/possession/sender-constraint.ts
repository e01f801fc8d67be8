/**
 * The proofs of possession that tokens may need: none, a proof by a key of the client (RFC 9449), or a certificate of the
 * client (RFC 8705 §3).
 */
export const SENDER_CONSTRAINTS = ['none', 'dpop', 'mtls'] as const;
export type SenderConstraint = (typeof SENDER_CONSTRAINTS)[number];

/** The proofs that a token may need. `any`: one of the others, as a profile asks. */
export const CONSTRAINTS = ['dpop', 'mtls', 'any'] as const;
export type Constraint = (typeof CONSTRAINTS)[number];

/** The proofs that a token needs, because its account, its resource server or the profile asks for them. */
export function constraintsOf(
  ...parties: readonly { readonly senderConstraint: SenderConstraint | 'any' }[]
): readonly Constraint[] {
  const asked = parties.flatMap(({ senderConstraint: one }) => (one === 'none' ? [] : [one]));
  return asked.length === 0 ? NONE : [...new Set(asked)];
}

/** Most tokens need no proof: they share one list. */
const NONE: readonly Constraint[] = [];
