import type { PublicKeyCredential } from '../credentials/kinds/public-key-kind.ts';
import type { CompanyId, CredentialId } from '../ids.ts';
import { type Caller, originOf } from '../service-accounts/caller.ts';
import type { AccountSnapshot } from '../service-accounts/service-account.ts';
import type { ServiceAccounts } from '../service-accounts/service-accounts.ts';
import type { Storage } from '../storage.ts';
import { type AssertionSettings, MIA, rulesFor } from './assertion-rules.ts';
import { ASSERTION_CHECKS, audienceOf, measureAssertion } from './check-assertion.ts';
import { findKey } from './fitting-key.ts';
import type { IsSignedWith } from '../signatures/is-signed-with.ts';
import { type Assertion, parseAssertion } from './parse-assertion.ts';
import { quoted } from './quoted.ts';
import { REPLAYED, useOfAssertion } from './consume-assertion.ts';

/** The checks of an assertion, in the order in which a token request makes them. */
export const DIAGNOSIS_CHECKS = [
  'form',
  'account',
  'state',
  'key',
  'credential',
  'signature',
  ...ASSERTION_CHECKS,
  'replay',
] as const;
type DiagnosisCheck = (typeof DIAGNOSIS_CHECKS)[number];

/** `skipped`: the check could not be made, because another check failed. */
export const OUTCOMES = ['passed', 'failed', 'skipped'] as const;

/** The outcome of one check of an assertion. */
interface CheckOutcome {
  readonly check: DiagnosisCheck;
  readonly outcome: (typeof OUTCOMES)[number];
  /** Why the check failed and by how much, or the condition under which it passed. */
  readonly message: string | undefined;
}

/** The outcomes of all checks of one assertion. */
interface Diagnosis {
  /** Whether the assertion would have authenticated the account. */
  readonly accepted: boolean;
  /** The key with which the assertion claims to be signed. */
  readonly credentialId: CredentialId | undefined;
  readonly checks: readonly CheckOutcome[];
}

/**
 * Makes every check of an assertion for the owners of an account, even after a check has failed. If the account itself
 * has signed the assertion, the diagnosis consumes it, and the audit records that.
 *
 * @param id the id or the slug of the account
 * @throws DomainError `not_found`, `unavailable`
 */
export type DiagnoseAssertion = (
  caller: Caller,
  company: CompanyId | undefined,
  id: string,
  compact: string,
) => Promise<Diagnosis>;

/** The outcomes of the checks that could be made. */
type Findings = Partial<Record<DiagnosisCheck, Omit<CheckOutcome, 'check'>>>;

export function createDiagnoseAssertion(tools: {
  readonly serviceAccounts: Pick<ServiceAccounts, 'get'>;
  readonly storage: Pick<Storage, 'replays' | 'write'>;
  readonly settings: AssertionSettings;
  readonly isSignedWith: IsSignedWith;
}): DiagnoseAssertion {
  const { serviceAccounts, storage, settings, isSignedWith } = tools;

  /** Records a diagnosis before its assertion is consumed: no assertion is consumed without a record. */
  async function record(
    caller: Caller,
    { account }: AccountSnapshot,
    key: PublicKeyCredential,
    jti: string,
  ): Promise<void> {
    const { clientId, company } = account;
    const details = { jti, credentialId: key.credentialId };
    const audit = [{ action: 'assertion.diagnosed', target: clientId, company, details, announces: [] }] as const;
    await storage.write(originOf(caller), () => Promise.resolve({ result: undefined, audit }));
  }

  async function examine(
    caller: Caller,
    snapshot: AccountSnapshot,
    assertion: Assertion,
  ): Promise<{ findings: Findings; credentialId: CredentialId | undefined }> {
    const { account, enabled } = snapshot;
    const found = findKey(snapshot, assertion, settings.clock());
    const key = 'key' in found ? found.key : undefined;
    const own = assertion.clientId === account.clientId;
    const signed = key && (await isSignedWith(key.publicKey, assertion));
    const alias = audienceOf(assertion) === MIA.audience;
    const rules = rulesFor(key, alias, settings);
    const claims: Findings = {};
    for (const { check, message } of measureAssertion(assertion, rules)) claims[check] = judged(message);
    if (alias) claims.audience = { outcome: 'passed', message: `it is accepted at ${MIA.path} only` };
    // A key of this account must not consume an assertion that names another account.
    const use = own && signed === true ? useOfAssertion(assertion, rules) : undefined;
    if (key !== undefined && use !== undefined) await record(caller, snapshot, key, use.jti);
    const unused = use && (await storage.replays.consume(use.owner, use.jti, use.expiresAt));
    return {
      credentialId: key?.credentialId,
      findings: {
        form: judged(undefined),
        account: judged(own ? undefined : `sub is ${quoted(assertion.clientId)}, this account is ${account.clientId}`),
        state: judged(enabled ? undefined : 'the account or its company is disabled'),
        key: judged('missing' in found ? found.missing : undefined),
        ...('key' in found && { credential: judged(found.unusable && WORDS[found.unusable]) }),
        ...(signed !== undefined && { signature: judged(signed ? undefined : 'it does not verify with this key') }),
        ...claims,
        ...(unused !== undefined && { replay: judged(unused ? undefined : REPLAYED.message) }),
      },
    };
  }

  return async (caller, company, id, compact) => {
    const snapshot = await serviceAccounts.get(company, id);
    const parsed = parseAssertion(compact);
    const { findings, credentialId }: { findings: Findings; credentialId: CredentialId | undefined } =
      'malformed' in parsed
        ? { findings: { form: judged(parsed.malformed) }, credentialId: undefined }
        : await examine(caller, snapshot, parsed);
    const checks = DIAGNOSIS_CHECKS.map((check) => ({ check, ...(findings[check] ?? SKIPPED) }));
    return { accepted: checks.every(({ outcome }) => outcome === 'passed'), credentialId, checks };
  };
}

const WORDS = {
  credential_disabled: 'this key is disabled',
  credential_expired: 'this key has expired',
} as const;

const SKIPPED = { outcome: 'skipped', message: undefined } as const;

/** @param wrong why the check failed; undefined: it passed */
function judged(wrong: string | undefined): Omit<CheckOutcome, 'check'> {
  return { outcome: wrong === undefined ? 'passed' : 'failed', message: wrong };
}
