/** The permissions of the management API. Their names begin with `writ.`; no other resource server has such names. */
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

/** The permissions with which a root account can put everything right: it can grant every other one, and revoke it. */
export const ROOT_MEANS = [
  'writ.permissions.grant',
  'writ.serviceaccounts.manage',
] as const satisfies ManagementPermission[];

/** The prefix of permission names that only the management API may have. */
export const MANAGEMENT_PREFIX = 'writ.';

/** The permissions that only root accounts may hold: they reach beyond a company. */
export const ROOT_ONLY: ReadonlySet<string> = new Set<ManagementPermission>([
  'writ.companies.manage',
  'writ.permissions.grant',
  'writ.signingkeys.manage',
  'writ.tokens.introspect',
]);
