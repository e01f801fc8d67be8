import { SLUG_LENGTH, SLUG_PATTERN } from './slug.ts';

declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

export type ClientId = Branded<'ClientId'>;
export type CompanyId = Branded<'CompanyId'>;
export type CredentialId = Branded<'CredentialId'>;
export type GrantId = Branded<'GrantId'>;
export type AuditEventId = Branded<'AuditEventId'>;
/** The id of a resource server; the two built-in resource servers have fixed ids. */
export type ResourceServerId = 'management' | 'default' | Branded<'ResourceServerId'>;
export type TrustedIssuerId = Branded<'TrustedIssuerId'>;
/** The id of a group. Callers choose it; it is unique in its company. */
export type GroupId = Branded<'GroupId'>;
/** The id of a role. Callers choose it; it is unique in its company, or among the roles of root. */
export type RoleId = Branded<'RoleId'>;
/** The key of a role, unique among the roles of root and all companies. The key of a built-in role is its id. */
export type RoleKey = Branded<'RoleKey'>;
/** The name of something that an account may do at a resource server; a token carries it as one OAuth scope-token. */
export type Permission = Branded<'Permission'>;
/** A path in a company, such as `shop/prod`: a permission that is held at a place is held at every place below. */
export type Place = Branded<'Place'>;

/** Generates the random part of an id: at least 128 random bits, in characters of `[A-Za-z0-9]`. */
export type RandomId = () => string;

export const CLIENT_ID_PATTERN = '^[A-Za-z0-9_-]{1,64}$';
const CLIENT_ID = new RegExp(CLIENT_ID_PATTERN);

/** Whether a string from outside can be a client id. Other strings must not reach a query. */
export function isClientId(value: string): value is ClientId {
  return CLIENT_ID.test(value);
}

const COMPANY_ID = new RegExp(SLUG_PATTERN);

/** Whether a string from outside can be the id of a company: a DNS label. */
export function isCompanyId(value: string): value is CompanyId {
  return value.length <= SLUG_LENGTH && COMPANY_ID.test(value);
}

export function newClientId(random: RandomId): ClientId {
  return prefixed<ClientId>('sa', random);
}

export function newCredentialId(random: RandomId): CredentialId {
  return prefixed<CredentialId>('cred', random);
}

export function newGrantId(random: RandomId): GrantId {
  return prefixed<GrantId>('grant', random);
}

export function newResourceServerId(random: RandomId): ResourceServerId {
  return prefixed<Exclude<ResourceServerId, 'management' | 'default'>>('rs', random);
}

export function newTrustedIssuerId(random: RandomId): TrustedIssuerId {
  return prefixed<TrustedIssuerId>('iss', random);
}

export function newRoleKey(random: RandomId): RoleKey {
  return prefixed<RoleKey>('role', random);
}

const AUDIT_EVENT_ID = /^evt_[A-Za-z0-9]{1,64}$/;

/** Whether a string from outside can be the id of an audit event. */
export function isAuditEventId(value: string): value is AuditEventId {
  return AUDIT_EVENT_ID.test(value);
}

export function newAuditEventId(random: RandomId): AuditEventId {
  return prefixed<AuditEventId>('evt', random);
}

// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the one place where these brands are put on
function prefixed<Id extends string>(prefix: string, random: RandomId): Id {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see above
  return `${prefix}_${random()}` as Id;
}
