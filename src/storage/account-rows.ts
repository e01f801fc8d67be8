import type { CredentialType } from '../domain/credentials/credential.ts';
import type { SenderConstraint } from '../domain/possession/sender-constraint.ts';
import type { ClientId, CompanyId, GroupId, ResourceServerId } from '../domain/ids.ts';
import { holdingsOf } from '../domain/permissions/rules/holdings.ts';
import type { Grant } from '../domain/permissions/grant.ts';
import { audiencesById, type BuiltInIdentifiers } from '../domain/resource-servers/resource-server.ts';
import { rolesByKey } from '../domain/roles/role.ts';
import {
  type AccountSnapshot,
  type AccountSummary,
  FIRST_AUDIENCE,
  type Metadata,
  type ServiceAccount,
} from '../domain/service-accounts/service-account.ts';
import type { State } from '../domain/state.ts';
import { credentialFromJson, type CredentialJson } from './credential-rows.ts';
import { grantFromJson, type GrantJson, grantsFromLines } from './grants-table.ts';
import { audienceFromJson, type AudienceJson } from './audience-rows.ts';
import { roleFromJson, type RoleJson } from './roles-table.ts';

export interface ServiceAccountRow {
  client_id: ClientId;
  company_id: CompanyId | null;
  slug: string;
  name: string;
  description: string | null;
  state: State;
  audience: ResourceServerId | null;
  token_ttl: number | null;
  sender_constraint: SenderConstraint;
  metadata: Metadata;
  created_at: Date;
  created_by: ClientId | null;
  updated_at: Date;
  revision: number;
}

export type SnapshotRow = ServiceAccountRow & {
  last_used_at: Date | null;
  company_state: State | null;
  credentials: CredentialJson[];
  rights: {
    /** The grants of the account and of its groups. */
    grants: GrantJson[];
    groups: GroupId[];
    roles: RoleJson[];
    audiences: AudienceJson[];
  };
};

/** SQL for the grants and groups of the account in scope, with the roles and resource servers that they refer to. */
export const RIGHTS_AS_JSON =
  'rights_of_account(service_accounts.client_id, service_accounts.company_id, service_accounts.audience)';

/** A row of a list of accounts. It is no snapshot: to write and read a snapshot's JSON costs several times as much. */
export type SummaryRow = ServiceAccountRow & {
  last_used_at: Date | null;
  credential_count: number;
  next_expiry_at: Date | null;
  credential_types: CredentialType[];
  grant_lines: string | null;
  group_ids: GroupId[];
};

/** SQL for the last time at which a credential of the account in scope was used. */
export const LAST_USED_AT = `
  select max(used_at) from last_uses where last_uses.client_id = service_accounts.client_id`;

/** SQL for the ids of the groups of the account in scope. */
export const GROUP_IDS = `
  select array(select group_id from group_members where group_members.client_id = service_accounts.client_id
    and group_members.company_id = service_accounts.company_id order by group_id)`;

export function rowOf(account: ServiceAccount): Record<keyof ServiceAccountRow, unknown> {
  return {
    client_id: account.clientId,
    company_id: account.company ?? null,
    slug: account.slug,
    name: account.name,
    description: account.description ?? null,
    state: account.state,
    audience: account.audience ?? null,
    token_ttl: account.tokenTtl ?? null,
    sender_constraint: account.senderConstraint,
    metadata: account.metadata,
    created_at: account.createdAt,
    created_by: account.createdBy ?? null,
    updated_at: account.updatedAt,
    revision: account.revision,
  };
}

function accountFromRow(row: ServiceAccountRow): ServiceAccount {
  return {
    clientId: row.client_id,
    company: row.company_id ?? undefined,
    slug: row.slug,
    name: row.name,
    description: row.description ?? undefined,
    state: row.state,
    audience: row.audience ?? undefined,
    tokenTtl: row.token_ttl ?? undefined,
    senderConstraint: row.sender_constraint,
    metadata: row.metadata,
    createdAt: row.created_at,
    createdBy: row.created_by ?? undefined,
    updatedAt: row.updated_at,
    revision: row.revision,
  };
}

export function snapshotFromRow({ rights, ...row }: SnapshotRow, builtIn: BuiltInIdentifiers): AccountSnapshot {
  const account = accountFromRow(row);
  const bySubject = Map.groupBy(rights.grants, (grant) => grant.group_id);
  const grantsOf = (groupId: GroupId | null): Grant[] => (bySubject.get(groupId) ?? []).map(grantFromJson);
  const held = {
    grants: grantsOf(null),
    groups: rights.groups.map((groupId) => ({ groupId, grants: grantsOf(groupId) })),
    roles: rolesByKey(rights.roles.map(roleFromJson)),
  };
  return {
    account,
    enabled: account.state === 'enabled' && row.company_state !== 'disabled',
    lastUsedAt: row.last_used_at ?? undefined,
    credentials: row.credentials.map((credential) => credentialFromJson(credential, builtIn)),
    ...held,
    holdings: holdingsOf(held, account.company),
    audiences: audiencesById(rights.audiences.map((audience) => audienceFromJson(audience, builtIn))),
  };
}

export function summaryFromRow(row: SummaryRow, identifierOf: (id: string) => string): AccountSummary {
  return {
    account: accountFromRow(row),
    ...grantsFromLines(row.grant_lines, identifierOf),
    groups: row.group_ids,
    audience: identifierOf(row.audience ?? FIRST_AUDIENCE),
    lastUsedAt: row.last_used_at ?? undefined,
    credentialCount: row.credential_count,
    nextExpiryAt: row.next_expiry_at ?? undefined,
    credentialTypes: row.credential_types,
  };
}
