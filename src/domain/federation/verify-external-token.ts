import { createHash } from 'node:crypto';
import type { JWK } from 'jose';
import { rememberedUntil } from '../assertions/consume-assertion.ts';
import type { IsSignedWith } from '../signatures/is-signed-with.ts';
import { parseJws, type Malformed } from '../assertions/parse-jws.ts';
import { quoted } from '../assertions/quoted.ts';
import type { ReplayStore } from '../assertions/replay-store.ts';
import type { AuthenticationFailure } from '../activity/refusal.ts';
import type { Clock } from '../clock.ts';
import type { FederatedCredential } from '../credentials/kinds/federated-kind.ts';
import { whyRefused } from '../credentials/why-refused.ts';
import { identifierKey } from '../resource-servers/resource-server.ts';
import type { RememberedAccount } from '../service-accounts/remembered-account.ts';
import { exactSubject } from './assert-own-subjects.ts';
import { checkExternalToken, type ExternalRules, type ExternalToken } from './check-external-token.ts';
import { type Mismatch, mismatches } from './claim-rule.ts';
import { type IssuerKeySource, IssuerKeysError } from './issuer-key-source.ts';
import { GREATEST_TOKEN_AGE, ISSUER_ALGS, type IssuerAlg, type IssuerTrust } from './trusted-issuer.ts';

/** The outcome for an account and an external token: the credential whose rule the token fits, or why none does. */
export type ExternalOutcome =
  | { readonly credential: FederatedCredential }
  | {
      readonly refused: AuthenticationFailure;
      /** More about the reason, for the owners of the account only. */
      readonly detail: string | undefined;
      /** The text for the bearer; undefined: only that authentication failed. */
      readonly told: string | undefined;
      /** The credential that fits and does not work. */
      readonly ended?: FederatedCredential;
    };

/**
 * Checks whether an external token stands for an account.
 *
 * @param snapshot undefined: there is no such account, and the same work is done
 * @param exactly whether only rules that name the subject of the token with its exact value count
 * @throws DomainError `unavailable` when nobody can say whether the token was used before
 */
export type VerifyExternal = (
  snapshot: RememberedAccount | undefined,
  token: ExternalToken,
  exactly?: boolean,
) => Promise<ExternalOutcome>;

export interface ExternalTools {
  readonly keys: IssuerKeySource;
  readonly replays: Pick<ReplayStore, 'consume'>;
  /** The issuer of this server: an accepted audience where nobody says otherwise. */
  readonly issuer: string;
  /** Seconds. */
  readonly clockTolerance: number;
  readonly clock: Clock;
  /** Keys that verify nothing: an account without the rule costs the same work as one with it. */
  readonly decoys: Readonly<Record<IssuerAlg, JWK>>;
  readonly isSignedWith: IsSignedWith;
}

/** Reads an external token. @returns the token, or the reason why the text is none */
export function parseExternalToken(compact: string): ExternalToken | Malformed {
  const jws = parseJws(compact, ISSUER_ALGS);
  if ('malformed' in jws) return jws;
  const { iss } = jws.claims;
  return isExternalIssuer(iss)
    ? { ...jws, issuer: iss }
    : { malformed: `iss is ${quoted(iss)}, expected an https URL` };
}

/** Whether an `iss` is that of another issuer: a client id, which clients put there, is no URL. */
export function isExternalIssuer(iss: unknown): iss is string {
  return typeof iss === 'string' && iss.startsWith('https://');
}

/** Verifies the signature of an external token. @returns why it is not verified; undefined: it is */
export async function wrongSignature(
  trust: IssuerTrust | undefined,
  token: ExternalToken,
  { keys, decoys, isSignedWith }: Pick<ExternalTools, 'keys' | 'decoys' | 'isSignedWith'>,
): Promise<Refused | undefined> {
  if (trust === undefined || !trust.algorithms.includes(token.alg)) {
    await isSignedWith(decoys[token.alg], token);
    return refused(
      'external_issuer',
      trust && `alg is ${token.alg}, the trusted issuer uses ${trust.algorithms.join(', ')}`,
    );
  }
  try {
    const found = await keys.keysFor(trust, token.kid);
    for (const key of found) if (await isSignedWith(key, token)) return undefined;
    if (found.length > 0) return refused('external_signature');
    await isSignedWith(decoys[token.alg], token);
    return refused('external_key_unknown', `kid is ${quoted(token.kid)}, the issuer has no such key`);
  } catch (error) {
    if (!(error instanceof IssuerKeysError)) throw error;
    return refused('external_keys', error.message);
  }
}

export function createExternalVerifier(tools: ExternalTools): VerifyExternal {
  const { clock } = tools;

  return async (snapshot, token, exactly = false) => {
    const rules = (snapshot?.credentials ?? [])
      .filter(isRuleFor(token.issuer))
      .filter((rule) => !exactly || exactSubject(rule) === token.claims['sub']);
    const now = clock();
    const working = rules.filter((rule) => snapshot && whyRefused(rule, snapshot, now) === undefined);
    // All rules for one issuer have one trusted issuer: that of the account's company, or else that of root.
    const trust = rules[0]?.trust;
    const unsigned = await wrongSignature(trust, token, tools);
    if (unsigned !== undefined)
      return snapshot === undefined || rules.length > 0 ? unsigned : refused('external_issuer');
    if (snapshot === undefined || trust === undefined) return refused('external_issuer');

    const once = trust.replay === 'once';
    const outcomes = working.map((rule) => ({
      rule,
      failed: checkExternalToken(token, externalRules(rule, trust, snapshot, tools)),
      wrong: mismatches(rule, token.claims),
    }));
    const fitting = outcomes.find(({ failed, wrong }) => failed === undefined && wrong.length === 0);
    if (fitting === undefined) return whyNone(outcomes, rules, snapshot, token, now);
    if (once && !(await consume(token, trust, tools))) {
      const told = "the token has been used already: this issuer's tokens are good for one request";
      return refused('external_replay', told, told);
    }
    return { credential: fitting.rule };
  };
}

interface Tried {
  readonly rule: FederatedCredential;
  readonly failed: ReturnType<typeof checkExternalToken>;
  readonly wrong: readonly Mismatch[];
}

/** A token that stands for nobody. */
type Refused = Exclude<ExternalOutcome, { credential: FederatedCredential }>;

function refused(reason: AuthenticationFailure, detail?: string, told?: string): Refused {
  return { refused: reason, detail, told };
}

/** Says why no rule fits a token whose signature is good: by the rule that comes nearest. */
function whyNone(
  tried: readonly Tried[],
  all: readonly FederatedCredential[],
  snapshot: RememberedAccount,
  token: ExternalToken,
  now: Date,
): Refused {
  // Time and audience may be told: the bearer can read its own token. The claims of a rule may not.
  const nearest = tried.find(({ wrong }) => wrong.length === 0) ?? tried.find(({ failed }) => failed !== undefined);
  if (nearest?.failed !== undefined) {
    return refused(`external_${nearest.failed.check}`, nearest.failed.message, nearest.failed.message);
  }
  const ended = all.find(
    (rule) => whyRefused(rule, snapshot, now) !== undefined && mismatches(rule, token.claims).length === 0,
  );
  if (ended !== undefined) {
    const reason = whyRefused(ended, snapshot, now);
    if (reason !== undefined) return { ...refused(reason), ended };
  }
  const [first] = tried.toSorted((one, other) => one.wrong.length - other.wrong.length);
  return refused('external_claims', first && first.wrong.map(said).join('; '));
}

function said({ claim, expected, came }: Mismatch): string {
  return `${claim} is ${quoted(came)}, expected ${quoted(expected)}`;
}

function isRuleFor(
  issuer: string,
): (credential: RememberedAccount['credentials'][number]) => credential is FederatedCredential {
  return (credential): credential is FederatedCredential =>
    credential.type === 'federated' && credential.issuer === issuer;
}

/** The rules for the times and the audience of a token that is to fit a rule. */
export function externalRules(
  rule: FederatedCredential,
  trust: IssuerTrust,
  snapshot: Pick<RememberedAccount, 'account'>,
  { issuer, clockTolerance, clock }: Pick<ExternalTools, 'issuer' | 'clockTolerance' | 'clock'>,
): ExternalRules {
  return {
    audiences: audiencesOf(rule, trust, issuer, snapshot),
    maxTokenAge: trust.maxTokenAge,
    once: trust.replay === 'once',
    tolerance: clockTolerance,
    now: Math.floor(clock().getTime() / 1000),
  };
}

/** The accepted values of `aud`: the rule's, or the trusted issuer's, or this server and the account. */
function audiencesOf(
  { externalAudience }: FederatedCredential,
  { audience }: IssuerTrust,
  issuer: string,
  { account }: Pick<RememberedAccount, 'account'>,
): ReadonlySet<string> {
  const named = externalAudience ?? audience;
  if (named !== undefined) return new Set([named]);
  // An issuer without a path means the same with a final slash (RFC 3986 §6.2.3).
  const slash = `${issuer}/`;
  return new Set([issuer, ...(identifierKey(slash) === issuer ? [slash] : []), account.clientId]);
}

/** Consumes a token of an issuer whose tokens are good for one request. @returns whether it was unused */
function consume(
  { claims: { jti, exp, iat } }: ExternalToken,
  { company, issuer }: IssuerTrust,
  { replays, clockTolerance }: ExternalTools,
): Promise<boolean> {
  // One token stands for one request at the whole server, whichever account it is sent for. A company that trusts keys
  // of its own cannot use up the tokens that others accept.
  const owner = `iss:${sha256(company === undefined ? issuer : JSON.stringify([company, issuer]))}`;
  // From the earlier of both times on, the token is refused anyway: its issuer may have chosen an end far away.
  const until = Math.min(Number(exp), Number(iat) + GREATEST_TOKEN_AGE + 1) + clockTolerance;
  return replays.consume(owner, sha256(String(jti)), rememberedUntil(until));
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}
