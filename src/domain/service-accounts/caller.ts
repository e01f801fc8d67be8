import type { Origin } from '../audit/audit-event.ts';
import type { ClientId, CompanyId, CredentialId, GroupId } from '../ids.ts';
import type { Holdings } from '../permissions/rules/holdings.ts';
import type { RoleGrant } from '../permissions/grant.ts';

/** The account that makes a management call. */
export interface Caller {
  readonly clientId: ClientId;
  /** The company that it belongs to, and beyond which its authority never reaches; undefined: a root account. */
  readonly company: CompanyId | undefined;
  readonly requestId: string;
  /** The address that the call came from. */
  readonly source: string;
  /** What got its token. */
  readonly credentialId: CredentialId;
  /** Management permissions, some at places, that stand in its token and that the account still holds. */
  readonly permissions: ReadonlySet<string>;
  /** Everything that the account holds now, at every resource server, as far as what got its token reaches. */
  readonly holdings: Holdings;
  /** The roles that it has, its own and its groups'; none where what got its token reaches only a part. */
  readonly roles: readonly RoleGrant[];
  readonly groups: readonly GroupId[];
}

/** How what this caller does is recorded. */
export function originOf(caller: Caller): Origin {
  const { clientId, credentialId, requestId, source } = caller;
  return { actor: { type: 'service_account', clientId, credentialId }, requestId, source };
}
