/** What may be done at the management API. Every name begins with `writ.`, and no other resource server's does. */
export const MANAGEMENT_PERMISSIONS = [
  'writ.activity.view',
  'writ.audit.view',
  'writ.companies.manage',
  'writ.companies.view',
  'writ.credentials.manage',
  'writ.permissions.grant',
  'writ.resourceservers.manage',
  'writ.roles.bind',
  'writ.roles.manage',
  'writ.serviceaccounts.impersonate',
  'writ.serviceaccounts.manage',
  'writ.serviceaccounts.view',
  'writ.signingkeys.manage',
  'writ.tokens.introspect',
  'writ.trustedissuers.manage',
] as const;

export type ManagementPermission = (typeof MANAGEMENT_PERMISSIONS)[number];

/** The permissions with which a root account can put everything right: it can grant any other, and revoke it. */
export const ROOT_MEANS = [
  'writ.permissions.grant',
  'writ.serviceaccounts.manage',
] as const satisfies ManagementPermission[];

/** Names that only the management API may own. */
export const MANAGEMENT_PREFIX = 'writ.';

/** What only root accounts may do: it reaches beyond any company. */
export const ROOT_ONLY: ReadonlySet<string> = new Set<ManagementPermission>([
  'writ.companies.manage',
  'writ.permissions.grant',
  'writ.signingkeys.manage',
  'writ.tokens.introspect',
]);
