import type { Constraint } from './sender-constraint.ts';

/** The keys that the bearer of a token must hold: the members of its claim `cnf` (RFC 7800 §3.1). */
export interface Confirmation {
  /** The thumbprint of the key of the DPoP proofs (RFC 9449 §6.1). */
  readonly jkt?: string;
  /** The thumbprint of the client certificate (RFC 8705 §3.1). */
  readonly 'x5t#S256'?: string;
}

/** The members of `cnf` by which each constraint is met: one of them is enough. */
const MEMBERS: Readonly<Record<Constraint, readonly (keyof Confirmation)[]>> = {
  dpop: ['jkt'],
  mtls: ['x5t#S256'],
  any: ['jkt', 'x5t#S256'],
};

/** The first constraint that a token with these keys does not meet; undefined: it meets all. */
export function unmet(
  constraints: readonly Constraint[],
  confirmation: Confirmation | undefined,
): Constraint | undefined {
  return constraints.find((constraint) => MEMBERS[constraint].every((member) => confirmation?.[member] === undefined));
}

/** How a client sends a token with these keys (RFC 6750 §2.1, RFC 9449 §7.1). */
export function tokenTypeOf(confirmation: Confirmation | undefined): 'Bearer' | 'DPoP' {
  return confirmation?.jkt === undefined ? 'Bearer' : 'DPoP';
}

/**
 * Reads the claim `cnf` of an access token of this server.
 *
 * @returns undefined: the token is bound to no key
 * @throws Error when the claim names a key in a way that this server does not know
 */
export function readConfirmation(cnf: unknown): Confirmation | undefined {
  if (cnf === undefined) return undefined;
  const members: readonly string[] = MEMBERS.any;
  const entries = typeof cnf === 'object' && cnf !== null ? Object.entries(cnf) : [];
  const isKnown = entries.length > 0 && entries.every(([name, value]) => members.includes(name) && isText(value));
  if (!isKnown) throw new Error('an access token of this server is bound to a key that this server cannot check');
  return Object.fromEntries(entries);
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value !== '';
}
