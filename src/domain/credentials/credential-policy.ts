/** How old credentials may get. */
export interface CredentialPolicy {
  /** Seconds for which what is kept as a hash may work; 0: there may be none; undefined: as long as it likes. */
  readonly secretMaxAge: number | undefined;
  /** The same for public keys. */
  readonly keyMaxAge: number | undefined;
}

export const NO_POLICY: CredentialPolicy = { secretMaxAge: undefined, keyMaxAge: undefined };

/**
 * What holds for the accounts of a company, or for root accounts: the stricter of its own policy and the server's.
 *
 * @param owner the company; undefined: of root accounts
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
