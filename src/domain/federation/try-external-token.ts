import { quoted } from '../assertions/quoted.ts';
import { whyRefused } from '../credentials/why-refused.ts';
import { DomainError } from '../domain-error.ts';
import type { CompanyId } from '../ids.ts';
import type { ServiceAccounts } from '../service-accounts/service-accounts.ts';
import { EXTERNAL_CHECKS, measureExternalToken } from './check-external-token.ts';
import { type Mismatch, wantedClaims } from './claim-rule.ts';
import { type ExternalTools, externalRules, parseExternalToken, wrongSignature } from './verify-external-token.ts';

/** The checks of a trial by name, in their order. */
export const TRIAL_CHECKS = [
  'form',
  'issuer',
  'trusted',
  'credential',
  'signature',
  ...EXTERNAL_CHECKS,
  'claims',
] as const;
type TrialCheck = (typeof TRIAL_CHECKS)[number];

/** One check; undefined as `passed`: it was not possible. */
export interface TrialOutcome {
  readonly check: TrialCheck;
  readonly passed: boolean | undefined;
  readonly message: string | undefined;
}

/** The outcome of a trial: all checks, and what each claim of the rule expects. */
export interface Trial {
  readonly accepted: boolean;
  readonly checks: readonly TrialOutcome[];
  readonly claims: readonly (Mismatch & { readonly fits: boolean })[];
}

/**
 * Tries an external token against one federated credential, and says of every check whether it passed. The token is not
 * consumed. The claims are compared whether or not the signature is good: the caller may read the rule.
 *
 * @throws DomainError `not_found`; `invalid_value` when the credential is none for external tokens
 */
export type TryExternalToken = (
  company: CompanyId | undefined,
  account: string,
  credentialId: string,
  compact: string,
) => Promise<Trial>;

export function createTryExternalToken(
  tools: Omit<ExternalTools, 'replays'> & { readonly serviceAccounts: Pick<ServiceAccounts, 'get'> },
): TryExternalToken {
  return async (company, account, credentialId, compact) => {
    const snapshot = await tools.serviceAccounts.get(company, account);
    const rule = snapshot.credentials.find((one) => one.credentialId === credentialId);
    if (rule === undefined) throw new DomainError('not_found', 'There is no such credential');
    if (rule.type !== 'federated') {
      throw new DomainError('invalid_value', 'The credential takes no tokens of other issuers: it is not federated');
    }
    const token = parseExternalToken(compact);
    const claims = 'malformed' in token ? [] : wantedClaims(rule, token.claims);
    const found = new Map<TrialCheck, string | undefined>();
    if ('malformed' in token) found.set('form', token.malformed);
    else {
      const { trust } = rule;
      const own = token.issuer === rule.issuer;
      found.set('form', undefined);
      found.set('issuer', own ? undefined : `iss is ${quoted(token.issuer)}, expected ${quoted(rule.issuer)}`);
      found.set(
        'trusted',
        trust === undefined ? 'nobody trusts the issuer, or the trusted issuer is disabled' : undefined,
      );
      found.set('credential', snapshot.enabled ? whyRefused(rule, snapshot, tools.clock()) : 'account_disabled');
      if (own && trust !== undefined) {
        const unsigned = await wrongSignature(trust, token, tools);
        found.set('signature', unsigned && (unsigned.detail ?? 'it does not verify with the key of the issuer'));
        for (const { check, message } of measureExternalToken(token, externalRules(rule, trust, snapshot, tools))) {
          found.set(check, message);
        }
      }
      const wrong = claims.filter(({ fits }) => !fits).length;
      found.set('claims', wrong === 0 ? undefined : `${wrong} of them are others, see claims`);
    }
    const checks = TRIAL_CHECKS.map((check) => ({
      check,
      passed: found.has(check) ? found.get(check) === undefined : undefined,
      message: found.get(check),
    }));
    return { accepted: checks.every(({ passed }) => passed === true), checks, claims };
  };
}
