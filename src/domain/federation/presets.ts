import { DomainError } from '../domain-error.ts';
import type { ClaimValue } from './claim-rule.ts';

/** The platforms whose tokens a preset describes. */
export const PRESETS = [
  'github-actions',
  'gitlab',
  'kubernetes',
  'google',
  'azure',
  'aws',
  'terraform-cloud',
  'circleci',
  'bitbucket',
  'buildkite',
] as const;
export type Preset = (typeof PRESETS)[number];

/** The members of a preset. Each platform takes some of them. */
export interface PresetMembers {
  readonly repository?: string | undefined;
  readonly repositoryOwnerId?: string | undefined;
  readonly environment?: string | undefined;
  readonly branch?: string | undefined;
  readonly tag?: string | undefined;
  readonly pullRequest?: true | undefined;
  readonly project?: string | undefined;
  readonly namespaceId?: string | undefined;
  readonly namespace?: string | undefined;
  readonly serviceAccount?: string | undefined;
  readonly serviceAccountId?: string | undefined;
  readonly tenantId?: string | undefined;
  readonly objectId?: string | undefined;
  readonly awsAccount?: string | undefined;
  readonly principal?: string | undefined;
  readonly organizationId?: string | undefined;
  readonly workspaceId?: string | undefined;
  readonly runPhase?: string | undefined;
  readonly projectId?: string | undefined;
  readonly workspaceUuid?: string | undefined;
  readonly repositoryUuid?: string | undefined;
  readonly environmentUuid?: string | undefined;
  readonly pipelineId?: string | undefined;
}

export type PresetMember = keyof PresetMembers;

/** How one platform writes what a preset says. */
interface Platform {
  /**
   * The `iss` of its tokens, unless the request names another: the same for all, or with a needed member in it.
   * Undefined: the request must name it.
   */
  readonly issuer: string | ((members: PresetMembers) => string) | undefined;
  /** The members that must be there: they name one tenant for ever. */
  readonly needs: readonly PresetMember[];
  /** The members of which there may be one: each says when the job runs. */
  readonly oneOf: readonly PresetMember[];
  /** The claim of each member, and its value where the member only says that it is so. */
  readonly claims: Readonly<Partial<Record<PresetMember, (value: string) => readonly [string, ClaimValue]>>>;
}

const claim =
  (name: string) =>
  (value: string): readonly [string, ClaimValue] => [name, value];
const ref =
  (name: string, prefix: string) =>
  (value: string): readonly [string, ClaimValue] => [name, `${prefix}${value}`];

// No preset uses `sub`: platforms have changed how they write it, and it is often set by the job itself.
const PLATFORMS: Readonly<Record<Preset, Platform>> = {
  'github-actions': {
    issuer: 'https://token.actions.githubusercontent.com',
    needs: ['repository', 'repositoryOwnerId'],
    oneOf: ['environment', 'branch', 'tag', 'pullRequest'],
    claims: {
      repository: claim('repository'),
      repositoryOwnerId: claim('repository_owner_id'),
      environment: claim('environment'),
      branch: ref('ref', 'refs/heads/'),
      tag: ref('ref', 'refs/tags/'),
      pullRequest: () => ['event_name', 'pull_request'],
    },
  },
  gitlab: {
    issuer: 'https://gitlab.com',
    needs: ['project', 'namespaceId'],
    oneOf: ['environment', 'branch', 'tag'],
    claims: {
      project: claim('project_path'),
      namespaceId: claim('namespace_id'),
      environment: claim('environment'),
      branch: ref('ref_path', 'refs/heads/'),
      tag: ref('ref_path', 'refs/tags/'),
    },
  },
  kubernetes: {
    issuer: undefined,
    needs: ['namespace', 'serviceAccount'],
    oneOf: [],
    claims: {
      namespace: claim('/kubernetes.io/namespace'),
      serviceAccount: claim('/kubernetes.io/serviceaccount/name'),
    },
  },
  google: {
    issuer: 'https://accounts.google.com',
    needs: ['serviceAccountId'],
    oneOf: [],
    claims: { serviceAccountId: claim('azp') },
  },
  azure: {
    issuer: ({ tenantId }) => `https://login.microsoftonline.com/${tenantId}/v2.0`,
    needs: ['tenantId', 'objectId'],
    oneOf: [],
    claims: { tenantId: claim('tid'), objectId: claim('oid') },
  },
  aws: {
    issuer: undefined,
    needs: ['awsAccount', 'principal'],
    oneOf: [],
    claims: {
      awsAccount: claim('/https:~1~1sts.amazonaws.com~1/aws_account'),
      principal: claim('/https:~1~1sts.amazonaws.com~1/principal_id'),
    },
  },
  'terraform-cloud': {
    issuer: 'https://app.terraform.io',
    needs: ['organizationId', 'workspaceId'],
    oneOf: ['runPhase'],
    claims: {
      organizationId: claim('terraform_organization_id'),
      workspaceId: claim('terraform_workspace_id'),
      runPhase: claim('terraform_run_phase'),
    },
  },
  circleci: {
    issuer: ({ organizationId }) => `https://oidc.circleci.com/org/${organizationId}`,
    needs: ['organizationId', 'projectId'],
    oneOf: ['branch', 'tag'],
    claims: {
      organizationId: claim('oidc.circleci.com/org-id'),
      projectId: claim('oidc.circleci.com/project-id'),
      branch: ref('oidc.circleci.com/vcs-ref', 'refs/heads/'),
      tag: ref('oidc.circleci.com/vcs-ref', 'refs/tags/'),
    },
  },
  bitbucket: {
    issuer: undefined,
    needs: ['workspaceUuid', 'repositoryUuid'],
    oneOf: ['environmentUuid', 'branch'],
    claims: {
      workspaceUuid: claim('workspaceUuid'),
      repositoryUuid: claim('repositoryUuid'),
      environmentUuid: claim('deploymentEnvironmentUuid'),
      branch: claim('branchName'),
    },
  },
  buildkite: {
    issuer: 'https://agent.buildkite.com',
    needs: ['organizationId', 'pipelineId'],
    oneOf: ['branch', 'tag'],
    claims: {
      organizationId: claim('organization_id'),
      pipelineId: claim('pipeline_id'),
      branch: claim('build_branch'),
      tag: claim('build_tag'),
    },
  },
};

/**
 * Writes a preset as a rule.
 *
 * @param issuer the `iss` that the request names, for a server of one's own
 * @param at the position of the credential in the body of the request, as a JSON pointer
 * @throws DomainError `invalid_value` with a pointer for each member that is missing, or that the platform has not
 */
export function compilePreset(
  preset: Preset,
  members: PresetMembers,
  issuer: string | undefined,
  at: string,
): { readonly issuer: string; readonly claims: Record<string, ClaimValue> } {
  const platform = PLATFORMS[preset];
  const given = Object.entries(members).flatMap(([name, value]: [string, string | true | undefined]) =>
    value === undefined ? [] : [[name, value] as const],
  );
  const names: ReadonlySet<string> = new Set(given.map(([name]) => name));
  const writing: ReadonlyMap<string, (value: string) => readonly [string, ClaimValue]> = new Map(
    Object.entries(platform.claims),
  );
  const found = issuer ?? (typeof platform.issuer === 'function' ? platform.issuer(members) : platform.issuer);
  const chosen = platform.oneOf.filter((name) => names.has(name));
  const fields = [
    ...given.flatMap(([name]) =>
      writing.has(name) ? [] : [{ pointer: `${at}/${name}`, message: `does not go with the preset ${preset}` }],
    ),
    ...platform.needs.flatMap((name) =>
      names.has(name) ? [] : [{ pointer: `${at}/${name}`, message: `is required for the preset ${preset}` }],
    ),
    ...chosen.slice(1).map((name) => ({ pointer: `${at}/${name}`, message: `excludes ${chosen[0]}` })),
    ...(found === undefined ? [{ pointer: `${at}/issuer`, message: `is required for the preset ${preset}` }] : []),
  ];
  if (fields.length > 0 || found === undefined) {
    throw new DomainError('invalid_value', 'The preset is not complete', { fields });
  }
  const claims = given.flatMap(([name, value]) => {
    const write = writing.get(name);
    return write === undefined ? [] : [write(String(value))];
  });
  return { issuer: found, claims: Object.fromEntries(claims) };
}
