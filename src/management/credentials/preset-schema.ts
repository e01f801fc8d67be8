import type { JSONSchema } from 'json-schema-to-ts';
import { type PresetMember, PRESETS } from '../../domain/federation/presets.ts';

/** The member of a preset: a text that a claim must have. */
function presetText(platforms: string): {
  readonly type: 'string';
  readonly minLength: 1;
  readonly maxLength: 512;
  readonly description: string;
} {
  return { type: 'string', minLength: 1, maxLength: 512, description: `For the preset ${platforms}` };
}

/** The members of a preset, in place of the claims of a federated credential. */
const MEMBERS = {
  repository: presetText('github-actions: owner/name'),
  repositoryOwnerId: presetText('github-actions: the number of the owner, which never changes'),
  environment: presetText('github-actions and gitlab'),
  branch: presetText('github-actions, gitlab, circleci, bitbucket and buildkite'),
  tag: presetText('github-actions, gitlab, circleci and buildkite'),
  pullRequest: { type: 'boolean', const: true, description: 'For the preset github-actions: jobs of pull requests' },
  project: presetText('gitlab: group/name'),
  namespaceId: presetText('gitlab: the number of the group, which never changes'),
  namespace: presetText('kubernetes'),
  serviceAccount: presetText('kubernetes: the name of the service account'),
  serviceAccountId: presetText('google: the number of the service account'),
  tenantId: presetText('azure'),
  objectId: presetText('azure: the object of the managed identity or the application'),
  awsAccount: presetText('aws: the number of the account'),
  principal: presetText('aws: the ARN of the role or the user'),
  organizationId: presetText('terraform-cloud, circleci and buildkite: the id of the organization'),
  workspaceId: presetText('terraform-cloud'),
  runPhase: presetText('terraform-cloud: plan or apply'),
  projectId: presetText('circleci'),
  workspaceUuid: presetText('bitbucket: with its braces'),
  repositoryUuid: presetText('bitbucket: with its braces'),
  environmentUuid: presetText('bitbucket: the deployment environment, with its braces'),
  pipelineId: presetText('buildkite'),
} as const satisfies Record<PresetMember, JSONSchema>;

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the keys of a constant are of its type
export const PRESET_MEMBERS = Object.keys(MEMBERS) as (keyof typeof MEMBERS)[];

/** The members of a request for a federated credential by a preset. */
export const PRESET = {
  preset: {
    type: 'string',
    enum: PRESETS,
    description: 'For a federated credential: a platform, whose members replace subject, claims and match',
  },
  ...MEMBERS,
} as const;
