/** The maximum ages of credentials. */
export interface CredentialPolicy {
  /**
   * Seconds for which client secrets and API keys may work; 0: they are not allowed; undefined: there is no maximum.
   */
  readonly secretMaxAge: number | undefined;
  /** The same for public keys. */
  readonly keyMaxAge: number | undefined;
}

export const NO_POLICY: CredentialPolicy = { secretMaxAge: undefined, keyMaxAge: undefined };

/**
 * The policy for the accounts of a company: each maximum age is the lower one of the company's and the server's. For
 * root accounts it is the server's policy.
 *
 * @param owner the company; undefined: the policy for root accounts
 */
export function policyFor(
  owner: { readonly policy: CredentialPolicy } | undefined,
  server: CredentialPolicy,
): CredentialPolicy {
  if (owner === undefined) return server;
  const { policy } = owner;
  return {
    secretMaxAge: least(policy.secretMaxAge, server.secretMaxAge),
    keyMaxAge: least(policy.keyMaxAge, server.keyMaxAge),
  };
}

function least(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? (one ?? other) : Math.min(one, other);
}
