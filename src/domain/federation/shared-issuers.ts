/** Issuers from which everybody can get tokens, and the claims that name one tenant for ever. */
const SHARED: readonly { readonly issuer: RegExp; readonly tenant: readonly [string, ...string[]] }[] = [
  // An enterprise may have an address of its own below GitHub's; every repository of it gets tokens there.
  {
    issuer: /^https:\/\/token\.actions\.githubusercontent\.com(?:\/|$)/,
    tenant: ['repository_owner_id', 'repository_id', 'enterprise_id'],
  },
  { issuer: /^https:\/\/gitlab\.com\/?$/, tenant: ['namespace_id', 'project_id'] },
  {
    issuer: /^https:\/\/app\.terraform\.io\/?$/,
    tenant: ['terraform_organization_id', 'terraform_project_id', 'terraform_workspace_id'],
  },
  { issuer: /^https:\/\/api\.bitbucket\.org\//, tenant: ['workspaceUuid', 'repositoryUuid'] },
  {
    issuer: /^https:\/\/oidc\.circleci\.com(?:\/|$)/,
    tenant: ['oidc.circleci.com/org-id', 'oidc.circleci.com/project-id'],
  },
  { issuer: /^https:\/\/agent\.buildkite\.com\/?$/, tenant: ['organization_id', 'pipeline_id'] },
  { issuer: /^https:\/\/accounts\.google\.com\/?$/, tenant: ['azp'] },
  { issuer: /^https:\/\/(?:login\.microsoftonline\.com|sts\.windows\.net)\//, tenant: ['oid', 'azp', 'appid'] },
];

/**
 * The claims of which a rule for an issuer must have one, with its exact value; undefined: the issuer belongs to
 * somebody.
 */
export function whatSharedIssuerNeeds(issuer: string): readonly string[] | undefined {
  return SHARED.find((shared) => shared.issuer.test(issuer))?.tenant;
}
