import type { IssuedCredential } from '../../domain/credentials/issue-credentials.ts';
import type { Preset, PresetMembers } from '../../domain/federation/presets.ts';
import type { ClientId } from '../../domain/ids.ts';
import type { NewCredentialBody } from './credential-schema.ts';

/** The facts that a workflow needs. */
interface WorkflowFacts {
  /** The issuer of this server. */
  readonly issuer: string;
  readonly clientId: ClientId;
  /** The `aud` that the external token must have. */
  readonly audience: string;
  readonly members: PresetMembers;
}

/** The account of a new credential, and the issuer of this server. */
export type Destination = Pick<WorkflowFacts, 'issuer' | 'clientId'>;

/**
 * Writes a workflow for the platform of a new credential. The workflow gets an external token and sends it here (RFC 7523
 * §2.1).
 *
 * @param sent the request for the credential
 * @returns lines of YAML or shell, to be pasted; undefined: no preset describes the credential
 */
export function workflowFor(
  sent: NewCredentialBody | undefined,
  { credential }: IssuedCredential,
  destination: Destination,
): string | undefined {
  if (sent?.preset === undefined || credential.type !== 'federated') return undefined;
  const audience = credential.externalAudience ?? credential.trust?.audience ?? destination.issuer;
  return WORKFLOWS[sent.preset]({ ...destination, audience, members: sent }).join('\n');
}

const WORKFLOWS: Readonly<Record<Preset, (facts: WorkflowFacts) => readonly string[]>> = {
  'github-actions': (facts) => [
    'permissions:',
    '  id-token: write',
    'jobs:',
    '  writ:',
    ...inEnvironment('    environment:', facts),
    '    runs-on: ubuntu-latest',
    '    steps:',
    '      - run: |',
    ...indented(10, [
      `ID_TOKEN=$(curl -sS "$ACTIONS_ID_TOKEN_REQUEST_URL&audience=${inQuery(facts.audience)}" -H "Authorization: Bearer $ACTIONS_ID_TOKEN_REQUEST_TOKEN" | jq -r .value)`,
      tokenFor(facts),
      'echo "::add-mask::$TOKEN"',
    ]),
  ],
  gitlab: (facts) => [
    'writ:',
    ...inEnvironment('  environment:', facts),
    '  id_tokens:',
    '    ID_TOKEN:',
    `      aud: ${quoted(facts.audience)}`,
    '  script:',
    '    - |',
    ...indented(6, [tokenFor(facts)]),
  ],
  kubernetes: (facts) => [
    '# In the pod:',
    'spec:',
    `  serviceAccountName: ${quoted(facts.members.serviceAccount ?? '')}`,
    '  containers:',
    '    - name: main',
    '      volumeMounts:',
    '        - { name: writ, mountPath: /var/run/secrets/writ, readOnly: true }',
    '  volumes:',
    '    - name: writ',
    '      projected:',
    '        sources:',
    `          - serviceAccountToken: { path: token, audience: ${quoted(facts.audience)}, expirationSeconds: 3600 }`,
    '# In the container:',
    ...commented(['ID_TOKEN=$(cat /var/run/secrets/writ/token)', tokenFor(facts)]),
  ],
  google: (facts) => [
    `ID_TOKEN=$(curl -sS -H 'Metadata-Flavor: Google' 'http://metadata.google.internal/computeMetadata/v1/instance/service-accounts/default/identity?format=full&audience=${inQuery(facts.audience)}')`,
    tokenFor(facts),
  ],
  azure: (facts) => [
    '# The audience is an application in your tenant: its id must be the audience of the credential.',
    `ID_TOKEN=$(curl -sS -H 'Metadata: true' 'http://169.254.169.254/metadata/identity/oauth2/token?api-version=2018-02-01&resource=${inQuery(facts.audience)}' | jq -r .access_token)`,
    tokenFor(facts),
  ],
  aws: (facts) => [
    `ID_TOKEN=$(aws sts get-web-identity-token --audience ${shellQuoted(facts.audience)} --signing-algorithm RS256 --query WebIdentityToken --output text)`,
    tokenFor(facts),
  ],
  'terraform-cloud': (facts) => [
    '# Set the environment variable of the workspace:',
    `#   TFC_WORKLOAD_IDENTITY_AUDIENCE=${facts.audience}`,
    'ID_TOKEN=$TFC_WORKLOAD_IDENTITY_TOKEN',
    tokenFor(facts),
  ],
  circleci: (facts) => [
    'jobs:',
    '  writ:',
    '    docker:',
    '      - image: cimg/base:current',
    '    steps:',
    '      - run: |',
    ...indented(10, [
      `ID_TOKEN=$(circleci run oidc get --claims ${shellQuoted(JSON.stringify({ aud: facts.audience }))})`,
      tokenFor(facts),
    ]),
  ],
  bitbucket: (facts) => [
    '- step:',
    '    oidc:',
    '      audiences:',
    `        - ${quoted(facts.audience)}`,
    '    script:',
    '      - |',
    ...indented(8, ['ID_TOKEN=$BITBUCKET_STEP_OIDC_TOKEN', tokenFor(facts)]),
  ],
  buildkite: (facts) => [
    'steps:',
    '  - command: |',
    ...indented(6, [
      `ID_TOKEN=$(buildkite-agent oidc request-token --audience ${shellQuoted(facts.audience)} --claim organization_id,pipeline_id)`,
      tokenFor(facts),
    ]).map((line) => line.replaceAll('$', '$$$$')),
  ],
};

/** The command that exchanges the external token in `ID_TOKEN` for an access token in `TOKEN`. */
function tokenFor({ issuer, clientId }: WorkflowFacts): string {
  return [
    `TOKEN=$(curl -sS --fail-with-body ${shellQuoted(`${issuer}/oauth/token`)} -d client_id=${clientId}`,
    '-d grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer',
    '--data-urlencode "assertion=$ID_TOKEN" | jq -r .access_token)',
  ].join(' ');
}

function inEnvironment(key: string, { members: { environment } }: WorkflowFacts): string[] {
  return environment === undefined ? [] : [`${key} ${quoted(environment)}`];
}

function indented(spaces: number, lines: readonly string[]): string[] {
  return lines.map((line) => `${' '.repeat(spaces)}${line}`);
}

function commented(lines: readonly string[]): string[] {
  return lines.map((line) => `#   ${line}`);
}

/** A text as YAML: every JSON string is one (YAML 1.2.2 §1.3). */
function quoted(text: string): string {
  return JSON.stringify(text);
}

/** A value of a query that stands in quotation marks of the shell, single or double ones. */
function inQuery(text: string): string {
  return encodeURIComponent(text).replaceAll("'", '%27');
}

function shellQuoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
