import { assertMayHave } from '../credentials/may-have-credential.ts';
import { DomainError } from '../domain-error.ts';
import type { CompanyId } from '../ids.ts';
import { tokenTypeOf, unmet } from '../possession/confirmation.ts';
import { type Caller, originOf } from '../service-accounts/caller.ts';
import { noSuchAccount } from '../service-accounts/service-accounts.ts';
import type { Storage } from '../storage.ts';
import type { MintToken } from './mint-token.ts';
import { type PlanRequest, planToken, type TokenPlan, type TokenSettings } from './plan-token.ts';

/** The longest lifetime of a token that an account gets as another one, in seconds. */
export const IMPERSONATION_MAX_TTL = 900;

/** A request for a token as another account. */
export interface ImpersonationRequest extends PlanRequest {
  /** Why the caller needs the token; the audit keeps it. */
  readonly reason: string;
  /** The longest wanted lifetime of the token, in seconds. */
  readonly expiresIn: number;
}

/** A token that an account got as another one. */
export interface Impersonation extends Pick<TokenPlan, 'scope' | 'expiresIn'> {
  readonly accessToken: string;
  /** The token is bound to the keys of the caller's token (RFC 9449 §5, RFC 8705 §3). */
  readonly tokenType: 'Bearer' | 'DPoP';
}

/**
 * Mints a token of another account for the caller. The token names both accounts, ends with the credential of the
 * caller, and its existence is in the audit before the caller gets it.
 *
 * @param id the id or the slug of the other account
 * @throws DomainError `not_found`; `invalid_value` when the account would get no such token; `forbidden` when the
 *   account is disabled, is the caller's own or may do more than the caller may grant, or when the caller itself is
 *   impersonated
 */
export type Impersonate = (
  caller: Caller,
  company: CompanyId | undefined,
  id: string,
  request: ImpersonationRequest,
) => Promise<Impersonation>;

export function createImpersonate({
  storage,
  tokens,
  mintToken,
}: {
  readonly storage: Pick<Storage, 'write'>;
  readonly tokens: TokenSettings;
  readonly mintToken: MintToken;
}): Impersonate {
  return (caller, company, id, { reason, expiresIn: most, ...request }) =>
    storage.write(originOf(caller), async (stores) => {
      // The chain of actors would grow, and the last one in it would answer for all.
      if (caller.impersonatedBy !== undefined)
        throw refused('An account that is impersonated impersonates no other one');
      const snapshot = (await stores.serviceAccounts.lock(company, id)) ?? noSuchAccount();
      const { clientId } = snapshot.account;
      if (clientId === caller.clientId) throw refused('An account gets its own tokens at the token endpoint');
      if (!snapshot.enabled) throw refused('The account or its company is disabled: it gets no tokens');
      await assertMayHave(stores, caller, snapshot, undefined);
      const plan = planToken(snapshot, request, tokens);
      if ('refused' in plan) throw unfit(plan.refused === 'invalid_scope' ? '/scope' : '/resource', plan.description);
      const { confirmation } = caller;
      const missing = unmet(plan.constraints, confirmation);
      if (missing !== undefined) {
        throw refused(
          `A token of the account must be bound to ${missing === 'mtls' ? 'a certificate: make the call with a token that is bound to one (mutual TLS)' : 'a key: make the call with a token that is bound to one (DPoP)'}`,
        );
      }
      const expiresIn = Math.min(plan.expiresIn, most, IMPERSONATION_MAX_TTL);
      const { scope, server } = plan;
      const { accessToken, jti } = await mintToken({
        snapshot,
        plan: { ...plan, expiresIn },
        actor: caller.clientId,
        status: caller.status,
        confirmation,
      });
      const details = { reason, audience: server.identifier, scope, expiresIn, jti };
      return {
        result: { accessToken, tokenType: tokenTypeOf(confirmation), scope, expiresIn },
        audit: [{ action: 'service_account.impersonated', target: clientId, company, details, announces: [] }],
      };
    });
}

function refused(message: string): DomainError {
  return new DomainError('forbidden', message);
}

function unfit(pointer: string, message: string): DomainError {
  return new DomainError('invalid_value', 'The account gets no such token', { fields: [{ pointer, message }] });
}
