import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { decodeJwt } from 'jose';
import { parse } from 'yaml';
import { PRESETS, type Preset } from '../../src/domain/federation/presets.ts';
import { output } from '../peers/peer.ts';
import { makeCompany } from '../support/companies.ts';
import { embedded } from '../support/databases.ts';
import { startFakeIssuer } from '../support/fake-issuer.ts';
import { useTestApp } from '../support/test-app.ts';

const hasTools = ['curl', 'jq', 'sh'].every((tool) => {
  try {
    execFileSync('sh', ['-c', `command -v ${tool}`], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
});
const skip = !hasTools && 'needs curl and jq';

/** The members of each preset; a name in them has to be escaped. */
const BODIES: Readonly<Record<Preset, object>> = {
  'github-actions': { repository: 'acme/shop', repositoryOwnerId: '4711', environment: 'pro: "d" #1' },
  gitlab: { project: 'acme/shop', namespaceId: '72', environment: 'pro: "d" #1' },
  kubernetes: { issuer: 'https://cluster.example', namespace: 'shop', serviceAccount: 'api' },
  google: { serviceAccountId: '104029292853099978293' },
  azure: { tenantId: '4f', objectId: 'b1' },
  aws: { issuer: 'https://aws.example', awsAccount: '123456789012', principal: 'arn:aws:iam::123456789012:role/D' },
  'terraform-cloud': { organizationId: 'org-1', workspaceId: 'ws-1' },
  circleci: { organizationId: 'o-1', projectId: 'p-1' },
  bitbucket: { issuer: 'https://bitbucket.example', workspaceUuid: '{w}', repositoryUuid: '{r}' },
  buildkite: { organizationId: 'o-1', pipelineId: 'p-1' },
};

interface MadeCredential {
  readonly credentialId: string;
  readonly issuer: string;
  readonly claims: Readonly<Record<string, string>>;
  readonly workflow: string;
}

interface Claims {
  [name: string]: string | Claims;
}

/** A shell script, with the commands and variables that its platform gives to it. */
interface Job {
  readonly script: string;
  readonly variables?: Record<string, string>;
}

describe('the workflow in the answer of a credential by a preset', () => {
  const app = useTestApp(embedded);
  let platform: Server;
  let folder: string;
  let home: string;
  let asked: { path: string; audience: string | null; authorization: string | undefined }[] = [];
  let external = '';
  const ci = startFakeIssuer();
  before(async () => {
    await makeCompany(app, 'acme');
    folder = mkdtempSync(join(tmpdir(), 'writ-workflows-'));
    // In place of the platform: it answers the external token in each of the forms that platforms use.
    platform = createServer(({ url = '', headers }, response) => {
      const { pathname, searchParams } = new URL(url, 'http://platform');
      const audience = searchParams.get('audience') ?? searchParams.get('resource');
      asked.push({ path: pathname, audience, authorization: headers.authorization });
      response.end(pathname === '/google' ? external : JSON.stringify({ value: external, access_token: external }));
    }).listen(0, '127.0.0.1');
    await once(platform, 'listening');
    home = `http://127.0.0.1:${(platform.address() as AddressInfo).port}`;
  });
  after(async () => {
    platform.close();
    rmSync(folder, { recursive: true, force: true });
    await (await ci).close();
  });

  async function credential(
    preset: Preset,
    body: object = {},
  ): Promise<{ clientId: string; credential: MadeCredential }> {
    const members = { ...BODIES[preset], ...body };
    const made = await app.api('POST', '/api/companies/acme/service-accounts', {
      name: `${preset} ${Math.random()}`,
      permissions: ['deploy'],
      credentials: [{ type: 'federated', preset, ...members }],
    });
    assert.equal(made.status, 201, made.text);
    return { clientId: made.json.clientId, credential: made.json.credentials[0] };
  }

  async function trust(preset: Preset, audience?: string): Promise<void> {
    const { jwks } = await ci;
    const issuer = { ...BODIES[preset] } as { issuer?: string };
    const known: Partial<Record<Preset, string>> = {
      'github-actions': 'https://token.actions.githubusercontent.com',
      gitlab: 'https://gitlab.com',
      google: 'https://accounts.google.com',
      azure: 'https://login.microsoftonline.com/4f/v2.0',
      'terraform-cloud': 'https://app.terraform.io',
      circleci: 'https://oidc.circleci.com/org/o-1',
      buildkite: 'https://agent.buildkite.com',
    };
    const trusted = await app.api('POST', '/api/companies/acme/trusted-issuers', {
      issuer: issuer.issuer ?? known[preset],
      name: preset,
      jwks,
      ...(audience !== undefined && { audience }),
    });
    assert.equal(trusted.status, 201, trusted.text);
  }

  /** A token that fits a rule. */
  async function sign(rule: MadeCredential, audience: string): Promise<string> {
    const claims: Claims = {};
    for (const [name, value] of Object.entries(rule.claims)) {
      const path = name.startsWith('/')
        ? name
            .slice(1)
            .split('/')
            .map((part) => part.replaceAll('~1', '/'))
        : [name];
      const last = path.pop() ?? '';
      let at = claims;
      for (const part of path) {
        const found = at[part];
        const inner: Claims = typeof found === 'object' ? found : {};
        at[part] = inner;
        at = inner;
      }
      at[last] = value;
    }
    const iat = Math.floor(Date.now() / 1000);
    return (await ci).sign({ iss: rule.issuer, sub: 'job', aud: audience, iat, exp: iat + 300, ...claims });
  }

  /** Writes a command that checks its arguments, and prints the external token. */
  function command(name: string, args: readonly string[]): void {
    const path = join(folder, name);
    writeFileSync(
      path,
      `#!/usr/bin/env node
const wanted = ${JSON.stringify(args)};
if (JSON.stringify(process.argv.slice(2)) !== JSON.stringify(wanted)) process.exit(console.error(process.argv) ?? 1);
console.log(process.env.EXTERNAL);
`,
    );
    chmodSync(path, 0o755);
  }

  const JOBS: Readonly<Record<Preset, (workflow: string, audience: string) => Job>> = {
    'github-actions': (workflow) => {
      const { permissions, jobs } = parse(workflow);
      assert.deepEqual(permissions, { 'id-token': 'write' });
      assert.equal(jobs.writ.environment, 'pro: "d" #1');
      return {
        script: jobs.writ.steps[0].run,
        variables: { ACTIONS_ID_TOKEN_REQUEST_URL: `${home}/github?v=1`, ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'job-token' },
      };
    },
    gitlab: (workflow, audience) => {
      const { writ } = parse(workflow);
      assert.deepEqual(writ.id_tokens, { ID_TOKEN: { aud: audience } });
      assert.equal(writ.environment, 'pro: "d" #1');
      return { script: writ.script[0], variables: { ID_TOKEN: external } };
    },
    kubernetes: (workflow, audience) => {
      const { spec } = parse(workflow);
      assert.equal(spec.serviceAccountName, 'api');
      assert.equal(spec.volumes[0].projected.sources[0].serviceAccountToken.audience, audience);
      const { mountPath } = spec.containers[0].volumeMounts[0];
      writeFileSync(join(folder, 'token'), external);
      const lines = workflow.split('\n').flatMap((line) => /^# {3}(?<shell>.*)$/.exec(line)?.groups?.['shell'] ?? []);
      return { script: lines.join('\n').replace(`${mountPath}/token`, join(folder, 'token')) };
    },
    google: (workflow) => ({
      script: workflow.replace(/http:\/\/metadata\.google\.internal[^?]*/, `${home}/google`),
    }),
    azure: (workflow) => ({ script: workflow.replace(/http:\/\/169\.254\.169\.254[^?]*/, `${home}/azure`) }),
    aws: (workflow, audience) => {
      const options = ['--signing-algorithm', 'RS256', '--query', 'WebIdentityToken', '--output', 'text'];
      command('aws', ['sts', 'get-web-identity-token', '--audience', audience, ...options]);
      return { script: workflow };
    },
    'terraform-cloud': (workflow, audience) => {
      assert.match(workflow, new RegExp(`^# {3}TFC_WORKLOAD_IDENTITY_AUDIENCE=${RegExp.escape(audience)}$`, 'm'));
      return { script: workflow, variables: { TFC_WORKLOAD_IDENTITY_TOKEN: external } };
    },
    circleci: (workflow, audience) => {
      command('circleci', ['run', 'oidc', 'get', '--claims', JSON.stringify({ aud: audience })]);
      return { script: parse(workflow).jobs.writ.steps[0].run };
    },
    bitbucket: (workflow, audience) => {
      const [{ step }] = parse(workflow);
      assert.deepEqual(step.oidc, { audiences: [audience] });
      return { script: step.script[0], variables: { BITBUCKET_STEP_OIDC_TOKEN: external } };
    },
    buildkite: (workflow, audience) => {
      const claims = ['--claim', 'organization_id,pipeline_id'];
      command('buildkite-agent', ['oidc', 'request-token', '--audience', audience, ...claims]);
      const [{ command: script }] = parse(workflow).steps;
      // Buildkite replaces `$NAME` when it reads the file, and leaves `$` where there are two.
      assert.doesNotMatch(script.replaceAll('$$', ''), /\$/);
      return { script: script.replaceAll('$$', '$') };
    },
  };

  async function run({ script, variables = {} }: Job): Promise<string> {
    const env = { ...variables, EXTERNAL: external, PATH: `${folder}:${process.env['PATH']}` };
    const { status, stdout, stderr } = await output(['sh', '-e', '-c', `${script}\necho "TOKEN=$TOKEN"`], {
      cwd: folder,
      env,
    });
    assert.equal(status, 0, `${stdout} ${stderr}`);
    return /^TOKEN=(?<token>.*)$/m.exec(stdout)?.groups?.['token'] ?? '';
  }

  for (const preset of PRESETS) {
    test(`gets a token: ${preset}`, { skip }, async () => {
      await trust(preset);
      const { clientId, credential: made } = await credential(preset);
      external = await sign(made, app.issuer);
      asked = [];
      const token = decodeJwt(await run(JOBS[preset](made.workflow, app.issuer)));
      assert.equal(token.sub, clientId);
      for (const { audience } of asked) assert.equal(audience, app.issuer);
      if (preset === 'github-actions') assert.equal(asked[0]?.authorization, 'Bearer job-token');
      // Nothing of it is stored.
      const path = `/api/companies/acme/service-accounts/${clientId}/credentials`;
      const { json } = await app.api('GET', `${path}/${made.credentialId}`);
      assert.equal('workflow' in json, false);
    });

    test(`asks for the audience of the credential, however it is spelled: ${preset}`, { skip }, async () => {
      const audience = `https://id.example.com/it's?a=1&b="2"`;
      const { clientId, credential: made } = await credential(preset, { audience });
      external = await sign(made, audience);
      asked = [];
      const token = decodeJwt(await run(JOBS[preset](made.workflow, audience)));
      assert.equal(token.sub, clientId);
      for (const one of asked) assert.equal(one.audience, audience);
    });
  }

  test('asks for the audience of the trusted issuer, also when the credential is added later', async () => {
    await app.api('POST', '/api/trusted-issuers', {
      issuer: 'https://agent.buildkite.com',
      name: 'Buildkite',
      audience: 'api://writ',
      jwks: (await ci).jwks,
    });
    const { json } = await app.api('POST', '/api/service-accounts', { name: 'Later', credentials: [] });
    const added = await app.api('POST', '/api/service-accounts/later/credentials', {
      type: 'federated',
      preset: 'buildkite',
      ...BODIES.buildkite,
    });
    assert.equal(added.status, 201, added.text);
    assert.match(added.json.workflow, /--audience api:\/\/writ /);
    assert.match(added.json.workflow, new RegExp(`client_id=${json.clientId} `));
    const rule = { type: 'federated', issuer: 'https://agent.buildkite.com', claims: { organization_id: 'o-2' } };
    const plain = await app.api('POST', '/api/service-accounts/later/credentials', rule);
    assert.equal(plain.status, 201, plain.text);
    assert.equal('workflow' in plain.json, false);
  });
});
