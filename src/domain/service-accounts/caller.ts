import type { Origin } from '../audit/audit-event.ts';
import type { ClientId, CompanyId, CredentialId, GroupId } from '../ids.ts';
import type { Holdings } from '../permissions/rules/holdings.ts';
import type { Confirmation } from '../possession/confirmation.ts';
import type { RoleGrant } from '../permissions/grant.ts';
import type { StatusEntry } from '../status/status-entry.ts';

/** The account that makes a management call. */
export interface Caller {
  readonly clientId: ClientId;
  /** The account that makes the call as this account; undefined: the account itself makes it. */
  readonly impersonatedBy: ClientId | undefined;
  /** The company of the account; the caller has no rights outside the company. Undefined: a root account. */
  readonly company: CompanyId | undefined;
  readonly requestId: string;
  /** The address that the call came from. */
  readonly source: string;
  /** The credential that got the access token of the call: a credential of the account that impersonates, if any. */
  readonly credentialId: CredentialId;
  /** The status entry of that credential. */
  readonly status: StatusEntry;
  /** The keys that the caller has proved to hold; undefined: its token is bound to none. */
  readonly confirmation: Confirmation | undefined;
  /** The management permissions that the token has and the account still holds, some at places. */
  readonly permissions: ReadonlySet<string>;
  /**
   * Everything that the account holds at each resource server, within the reach of the credential. While another account
   * impersonates it: only the management permissions of the token.
   */
  readonly holdings: Holdings;
  /** The roles of the account and its groups; empty if the caller has only a part of the permissions. */
  readonly roles: readonly RoleGrant[];
  readonly groups: readonly GroupId[];
}

/** The origin of the caller's changes, for the audit. */
export function originOf(caller: Caller): Origin {
  const { clientId, impersonatedBy, credentialId, requestId, source } = caller;
  const actor =
    impersonatedBy === undefined
      ? ({ type: 'service_account', clientId, credentialId } as const)
      : ({ type: 'service_account', clientId: impersonatedBy, credentialId, impersonates: clientId } as const);
  return { actor, requestId, source };
}
