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

/** The meaning of each permission, for the pages and the OpenAPI document. */
export const MEANINGS: Readonly<Record<ManagementPermission, string>> = {
  'writ.activity.view': 'read the uses of credentials, and the refusals with their reasons',
  'writ.audit.view': 'read who changed what',
  'writ.companies.manage': 'create, change and delete companies',
  'writ.companies.view': 'see the company',
  'writ.credentials.manage': 'add, change, rotate and delete credentials',
  'writ.permissions.grant': 'grant permissions that the caller does not hold',
  'writ.resourceservers.manage': 'create, change and delete resource servers, and grant those of the own company',
  'writ.roles.bind':
    'give roles to accounts, and make and change groups, at the place where the caller holds this permission',
  'writ.roles.manage': 'create, change and delete roles',
  'writ.serviceaccounts.impersonate': 'get a token as another account',
  'writ.serviceaccounts.manage': 'register, change and delete accounts, and grant permissions',
  'writ.serviceaccounts.view': 'read accounts, credentials, roles, groups and resource servers',
  'writ.signingkeys.manage': 'rotate the signing keys',
  'writ.tokens.introspect': 'introspect the tokens of everyone',
  'writ.trustedissuers.manage': 'say which issuers of identity tokens are trusted',
};

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
