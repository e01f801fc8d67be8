import { DomainError } from '../../domain-error.ts';
import { assertRule, type ClaimRule } from '../../federation/claim-rule.ts';
import type { IssuerTrust } from '../../federation/trusted-issuer.ts';
import type { CredentialBase } from '../credential-base.ts';
import { assertNew } from './assert-new.ts';
import { type CredentialKind, type OtherCredentials, type StoredCredential } from './kind.ts';
import { shortened } from './shortened.ts';

/** A rule about the tokens of a trusted issuer: a token that fits the rule stands for the account. No secret is stored. */
export interface FederatedCredential extends CredentialBase, ClaimRule {
  readonly type: 'federated';
  /** The only `aud` that a token may have; undefined: the audience of the trusted issuer. */
  readonly externalAudience: string | undefined;
  /** The trusted issuer as it is now; undefined: nobody trusts the issuer, or it is disabled. */
  readonly trust: IssuerTrust | undefined;
}

/** A federated credential that is asked for. */
export interface WantedFederated extends ClaimRule, Pick<FederatedCredential, 'type' | 'externalAudience'> {}

/** A federated credential that is asked for, with its trusted issuer. */
export interface BoundFederated extends WantedFederated, Pick<FederatedCredential, 'trust'> {}

export const federatedKind: CredentialKind<FederatedCredential, WantedFederated, BoundFederated> = {
  noun: 'federated credential',
  most: 20,
  // There is nothing that could leak and that an age would limit.
  maxAge: undefined,
  // Another server decides who gets the tokens, and may be away.
  letsRootIn: false,
  authMethod: undefined,
  secretAlias: undefined,
  takes: { issuer: 'required', subject: 'optional', claims: 'optional', match: 'optional', audience: 'optional' },
  changes: [],

  wanted: ({ issuer = '', subject, claims = {}, match = 'exact', audience }) => ({
    type: 'federated',
    issuer,
    subject,
    claims,
    match,
    externalAudience: audience,
  }),
  async bind(wanted, company, { trustedIssuers }, at) {
    assertRule(wanted, at);
    const trust = await trustedIssuers.trusted(company, wanted.issuer);
    if (trust === undefined) {
      throw new DomainError('invalid_value', 'The issuer is not trusted here', {
        fields: [{ pointer: `${at}/issuer`, message: 'is no trusted issuer: create one first' }],
      });
    }
    return { ...wanted, trust };
  },
  issue(wanted, base, _tools, others) {
    assertNewRule(wanted, others);
    const { issuer, subject, claims, match, externalAudience, trust } = wanted;
    const rule = { issuer, subject, claims, match, externalAudience, trust };
    return Promise.resolve({ secret: undefined, credential: { ...base, ...rule, type: 'federated' } });
  },
  successor() {
    throw new DomainError('invalid_value', 'A federated credential has nothing to rotate');
  },
  keepReferences: () => Promise.resolve(true),
  change: (before) => before,
  widens: () => false,
  endsByItself: () => undefined,
  onlyAt: () => undefined,
  answered: ({ issuer, subject, claims, match, externalAudience }) => ({
    hint: hintOf({ subject, claims }),
    issuer,
    subject: subject ?? null,
    claims: { ...claims },
    match,
    audience: externalAudience ?? null,
  }),
  audited: (credential) => ({ ...dataOf(credential) }),
  stored: (credential) => ({ data: dataOf(credential) }),
  restored(base, { data, trust }) {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the rows of this kind have the data that `stored` writes
    const { issuer, subject, claims, match, audience } = data as FederatedData;
    return { ...base, type: 'federated', issuer, subject, claims, match, externalAudience: audience, trust };
  },
};

/** The members of a federated credential that are stored as JSON. */
interface FederatedData extends ClaimRule {
  readonly audience: string | undefined;
}

function dataOf({ issuer, subject, claims, match, externalAudience: audience }: FederatedCredential): FederatedData {
  return { issuer, subject, claims, match, audience };
}

/** The words by which people tell one rule from another. */
function hintOf({ subject, claims }: Pick<ClaimRule, 'subject' | 'claims'>): string {
  return shortened(
    subject ??
      Object.entries(claims)
        .map(([claim, value]) => `${claim}=${value}`)
        .join(' '),
  );
}

/** @throws DomainError `already_exists` when the account has the same rule */
function assertNewRule(wanted: WantedFederated, others: OtherCredentials): void {
  const { existing, issued, at } = others;
  const same = [...existing, ...issued].filter(isFederated).find((one) => keyOf(one) === keyOf(wanted));
  assertNew(same?.credentialId, others, 'The account has this rule already', `${at}/claims`);
}

function isFederated(credential: StoredCredential): credential is FederatedCredential {
  return credential.type === 'federated';
}

/** A text that two rules share only if they let in the same tokens. */
function keyOf({ issuer, subject, claims, match, externalAudience }: Omit<WantedFederated, 'type'>): string {
  const sorted = Object.entries(claims).toSorted(([one], [other]) => (one < other ? -1 : 1));
  return JSON.stringify([issuer, subject, sorted, match, externalAudience]);
}
