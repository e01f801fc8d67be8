/** What may be done at the management API. Every name begins with `writ.`, and no other resource server's does. */
export const MANAGEMENT_PERMISSIONS = [
  'writ.permissions.grant',
  'writ.serviceaccounts.manage',
  'writ.serviceaccounts.view',
] as const;

export type ManagementPermission = (typeof MANAGEMENT_PERMISSIONS)[number];

/** Names that only the management API may own. */
export const MANAGEMENT_PREFIX = 'writ.';
