import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { DomainError } from '../../src/domain/domain-error.ts';
import { assertRule, mismatches } from '../../src/domain/federation/claim-rule.ts';
import { compilePreset, type Preset, type PresetMembers } from '../../src/domain/federation/presets.ts';

/** Tokens as the platforms document them, without the claims that every token has. */
const GITHUB = {
  repository: 'acme/shop',
  repository_owner: 'acme',
  repository_owner_id: '4711',
  repository_id: '74',
  repository_visibility: 'private',
  workflow: 'deploy',
  actor: 'octocat',
  event_name: 'push',
  ref_type: 'branch',
  ref: 'refs/heads/main',
  environment: 'production',
  runner_environment: 'github-hosted',
};
/** GitHub wrote subjects in one form until July 2026, and in another one since. */
const GITHUB_SUBJECTS = ['repo:acme/shop:environment:production', 'repo:acme@4711/shop@74:environment:production'];
const GITLAB = {
  namespace_id: '72',
  namespace_path: 'acme',
  project_id: '20',
  project_path: 'acme/shop',
  pipeline_source: 'push',
  ref: 'main',
  ref_type: 'branch',
  ref_path: 'refs/heads/main',
  ref_protected: 'true',
  environment: 'production',
  sub: 'project_path:acme/shop:ref_type:branch:ref:main',
};
const KUBERNETES = {
  sub: 'system:serviceaccount:shop:api',
  'kubernetes.io': {
    namespace: 'shop',
    node: { name: 'one', uid: 'n' },
    pod: { name: 'api-1', uid: 'p' },
    serviceaccount: { name: 'api', uid: 's' },
  },
};
const GOOGLE = { azp: '104029292853099978293', email: 'ci@acme.iam.gserviceaccount.com', sub: '104029292853099978293' };
const AZURE = { tid: '4f', oid: 'b1', azp: 'app', sub: 'b1' };
const AWS = {
  sub: 'arn:aws:iam::123456789012:role/Deployer',
  'https://sts.amazonaws.com/': {
    aws_account: '123456789012',
    principal_id: 'arn:aws:iam::123456789012:role/Deployer',
    source_region: 'eu-central-1',
    org_id: 'o-abc1234567',
  },
};
const TERRAFORM = {
  sub: 'organization:acme:project:Shop:workspace:prod:run_phase:apply',
  terraform_organization_id: 'org-1',
  terraform_organization_name: 'acme',
  terraform_project_id: 'prj-1',
  terraform_workspace_id: 'ws-1',
  terraform_run_phase: 'apply',
};
const CIRCLECI = {
  sub: 'org/8a/project/9b/user/1',
  'oidc.circleci.com/org-id': '8a',
  'oidc.circleci.com/project-id': '9b',
  'oidc.circleci.com/vcs-ref': 'refs/heads/main',
  'oidc.circleci.com/context-ids': ['c1'],
};
const BITBUCKET = {
  sub: '{r}:{s}',
  workspaceUuid: '{w}',
  repositoryUuid: '{r}',
  deploymentEnvironmentUuid: '{e}',
  branchName: 'main',
  stepUuid: '{s}',
};
const BUILDKITE = {
  sub: 'organization:acme:pipeline:shop:ref:refs/heads/main:commit:b5ff:step:',
  organization_slug: 'acme',
  organization_id: 'o1',
  pipeline_slug: 'shop',
  pipeline_id: 'p1',
  build_branch: 'main',
  build_tag: null,
};

const CLUSTER = 'https://oidc.eks.example/id/1';

const cases: readonly {
  readonly preset: Preset;
  readonly members: PresetMembers;
  readonly issuer?: string;
  readonly expected: string;
  readonly fits: readonly object[];
  readonly strangers: readonly object[];
}[] = [
  {
    preset: 'github-actions',
    members: { repository: 'acme/shop', repositoryOwnerId: '4711', environment: 'production' },
    expected: 'https://token.actions.githubusercontent.com',
    fits: GITHUB_SUBJECTS.map((sub) => ({ ...GITHUB, sub })),
    strangers: [
      { ...GITHUB, repository_owner_id: '4712' },
      { ...GITHUB, repository: 'acme/shop-2' },
      { ...GITHUB, environment: undefined },
    ],
  },
  {
    preset: 'github-actions',
    members: { repository: 'acme/shop', repositoryOwnerId: '4711', branch: 'main' },
    expected: 'https://token.actions.githubusercontent.com',
    fits: [GITHUB],
    strangers: [
      { ...GITHUB, ref: 'refs/heads/mai' },
      { ...GITHUB, ref: 'refs/tags/main', ref_type: 'tag' },
      { ...GITHUB, ref: 'refs/pull/1/merge', event_name: 'pull_request' },
    ],
  },
  {
    preset: 'github-actions',
    members: { repository: 'acme/shop', repositoryOwnerId: '4711', tag: 'v1' },
    issuer: 'https://token.actions.githubusercontent.com/acme-inc',
    expected: 'https://token.actions.githubusercontent.com/acme-inc',
    fits: [{ ...GITHUB, ref: 'refs/tags/v1' }],
    strangers: [GITHUB],
  },
  {
    preset: 'github-actions',
    members: { repository: 'acme/shop', repositoryOwnerId: '4711', pullRequest: true },
    expected: 'https://token.actions.githubusercontent.com',
    fits: [{ ...GITHUB, event_name: 'pull_request' }],
    strangers: [GITHUB],
  },
  {
    preset: 'gitlab',
    members: { project: 'acme/shop', namespaceId: '72', branch: 'main' },
    expected: 'https://gitlab.com',
    fits: [GITLAB],
    strangers: [
      { ...GITLAB, namespace_id: '73' },
      { ...GITLAB, ref_path: 'refs/tags/main', ref_type: 'tag' },
    ],
  },
  {
    preset: 'kubernetes',
    members: { namespace: 'shop', serviceAccount: 'api' },
    issuer: CLUSTER,
    expected: CLUSTER,
    fits: [KUBERNETES],
    strangers: [
      { ...KUBERNETES, 'kubernetes.io': { ...KUBERNETES['kubernetes.io'], namespace: 'other' } },
      {
        ...KUBERNETES,
        'kubernetes.io': { ...KUBERNETES['kubernetes.io'], serviceaccount: { name: 'other', uid: 's' } },
      },
    ],
  },
  {
    preset: 'google',
    members: { serviceAccountId: '104029292853099978293' },
    expected: 'https://accounts.google.com',
    fits: [GOOGLE],
    strangers: [{ ...GOOGLE, azp: '1' }],
  },
  {
    preset: 'azure',
    members: { tenantId: '4f', objectId: 'b1' },
    expected: 'https://login.microsoftonline.com/4f/v2.0',
    fits: [AZURE],
    strangers: [
      { ...AZURE, oid: 'b2' },
      { ...AZURE, tid: '5f' },
    ],
  },
  {
    preset: 'aws',
    members: { awsAccount: '123456789012', principal: 'arn:aws:iam::123456789012:role/Deployer' },
    issuer: 'https://abc1.tokens.sts.global.api.aws',
    expected: 'https://abc1.tokens.sts.global.api.aws',
    fits: [AWS, { ...AWS, sub: 'a person on whose behalf the role acts' }],
    strangers: [
      { ...AWS, 'https://sts.amazonaws.com/': { ...AWS['https://sts.amazonaws.com/'], aws_account: '1' } },
      {
        ...AWS,
        'https://sts.amazonaws.com/': { ...AWS['https://sts.amazonaws.com/'], principal_id: 'arn:aws:iam::1' },
      },
    ],
  },
  {
    preset: 'terraform-cloud',
    members: { organizationId: 'org-1', workspaceId: 'ws-1', runPhase: 'apply' },
    expected: 'https://app.terraform.io',
    fits: [TERRAFORM],
    strangers: [
      { ...TERRAFORM, terraform_organization_id: 'org-2' },
      { ...TERRAFORM, terraform_workspace_id: 'ws-2' },
      { ...TERRAFORM, terraform_run_phase: 'plan' },
    ],
  },
  {
    preset: 'circleci',
    members: { organizationId: '8a', projectId: '9b', branch: 'main' },
    expected: 'https://oidc.circleci.com/org/8a',
    fits: [CIRCLECI],
    strangers: [
      { ...CIRCLECI, 'oidc.circleci.com/org-id': '8b' },
      { ...CIRCLECI, 'oidc.circleci.com/project-id': '9c' },
      { ...CIRCLECI, 'oidc.circleci.com/vcs-ref': 'refs/tags/main' },
    ],
  },
  {
    preset: 'bitbucket',
    members: { workspaceUuid: '{w}', repositoryUuid: '{r}', branch: 'main' },
    issuer: 'https://api.bitbucket.org/2.0/workspaces/acme/pipelines-config/identity/oidc',
    expected: 'https://api.bitbucket.org/2.0/workspaces/acme/pipelines-config/identity/oidc',
    fits: [BITBUCKET],
    strangers: [
      { ...BITBUCKET, workspaceUuid: '{v}' },
      { ...BITBUCKET, repositoryUuid: '{q}' },
      { ...BITBUCKET, branchName: 'other' },
    ],
  },
  {
    preset: 'bitbucket',
    members: { workspaceUuid: '{w}', repositoryUuid: '{r}', environmentUuid: '{e}' },
    issuer: 'https://api.bitbucket.org/2.0/workspaces/acme/pipelines-config/identity/oidc',
    expected: 'https://api.bitbucket.org/2.0/workspaces/acme/pipelines-config/identity/oidc',
    fits: [BITBUCKET],
    strangers: [{ ...BITBUCKET, deploymentEnvironmentUuid: '{f}' }],
  },
  {
    preset: 'buildkite',
    members: { organizationId: 'o1', pipelineId: 'p1', branch: 'main' },
    expected: 'https://agent.buildkite.com',
    fits: [BUILDKITE],
    strangers: [
      { ...BUILDKITE, organization_id: 'o2' },
      { ...BUILDKITE, pipeline_id: undefined },
      { ...BUILDKITE, build_branch: 'other' },
    ],
  },
  {
    preset: 'buildkite',
    members: { organizationId: 'o1', pipelineId: 'p1', tag: 'v1' },
    expected: 'https://agent.buildkite.com',
    fits: [{ ...BUILDKITE, build_tag: 'v1' }],
    strangers: [BUILDKITE],
  },
];

describe('a preset', () => {
  for (const { preset, members, issuer, expected, fits, strangers } of cases) {
    test(`D-06 D-07 ${preset} with ${Object.keys(members).join(', ')} lets in its workload and nobody else`, () => {
      const { claims, ...compiled } = compilePreset(preset, members, issuer, '');
      assert.equal(compiled.issuer, expected);
      assert.equal(Object.keys(claims).includes('sub'), false);
      const rule = { issuer: compiled.issuer, subject: undefined, claims, match: 'exact' } as const;
      assertRule(rule, '');
      for (const token of fits) assert.deepEqual(mismatches(rule, { ...token }), []);
      for (const token of strangers) assert.notEqual(mismatches(rule, { ...token }).length, 0, JSON.stringify(token));
    });
  }

  for (const [name, preset, members, pointers] of [
    ['lacks what names its tenant', 'github-actions', { repository: 'acme/shop' }, ['/repositoryOwnerId']],
    ['lacks everything', 'gitlab', {}, ['/project', '/namespaceId']],
    ['has no issuer', 'kubernetes', { namespace: 'a', serviceAccount: 'b' }, ['/issuer']],
    ['has no tenant', 'azure', { objectId: 'b' }, ['/tenantId']],
    ['has no account', 'aws', { principal: 'arn' }, ['/awsAccount', '/issuer']],
    ['has a member of another platform', 'google', { serviceAccountId: '1', branch: 'main' }, ['/branch']],
    [
      'says twice when the job runs',
      'github-actions',
      { repository: 'a/b', repositoryOwnerId: '1', branch: 'main', environment: 'prod' },
      ['/branch'],
    ],
  ] as [string, Preset, PresetMembers, string[]][]) {
    test(`is refused with a pointer when it ${name}`, () => {
      assert.throws(
        () => compilePreset(preset, members, undefined, ''),
        (error: unknown) => {
          assert.ok(error instanceof DomainError);
          assert.deepEqual(
            error.fields.map(({ pointer }) => pointer),
            pointers,
          );
          return error.code === 'invalid_value';
        },
      );
    });
  }
});
