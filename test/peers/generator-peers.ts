import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Peer, run } from './peer.ts';

const OPENAPI_GENERATOR = '7.25.0';
const OAPI_CODEGEN = 'github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen@v2.8.2';
const OAPI_RUNTIME = 'github.com/oapi-codegen/runtime@v1.8.0';
const JAVA: Peer['tools'] = [
  ['java', '-version'],
  ['mvn', '--version'],
];
const VENV: Peer['tools'][number] = ['python3', '-m', 'venv', '--help'];

function openApiGenerator(directory: string, language: string): void {
  const artifact = `-Dartifact=org.openapitools:openapi-generator-cli:${OPENAPI_GENERATOR}`;
  run(directory, 'mvn', '--quiet', '--batch-mode', 'dependency:copy', artifact, '-DoutputDirectory=.');
  const jar = `openapi-generator-cli-${OPENAPI_GENERATOR}.jar`;
  run(directory, 'java', '-jar', jar, 'generate', '-i', 'openapi.json', '-g', language, '-o', 'generated');
}

/**
 * Generators of clients. Each program registers an account named NAME at API with the token TOKEN, and sends members
 * that have several types. It prints the slug, the token lifetime and the permission of the account.
 */
export const GENERATOR_PEERS: Readonly<Record<string, Peer>> = {
  'openapi-typescript': {
    tools: [['npm', '--version']],
    prepare(directory) {
      writeFileSync(join(directory, 'package.json'), '{"type":"module"}');
      run(
        directory,
        'npm',
        'install',
        '--no-save',
        '--silent',
        'openapi-typescript@7.13.0',
        'openapi-fetch@0.17.0',
        'typescript@5.9.3',
      );
      run(directory, 'node_modules/.bin/openapi-typescript', 'openapi.json', '-o', 'api.ts');
      writeFileSync(
        join(directory, 'main.ts'),
        `import createClient from 'openapi-fetch';
import type { paths } from './api.ts';

declare const process: { env: Record<'API' | 'TOKEN' | 'NAME', string> };
const { API, TOKEN, NAME } = process.env;
const client = createClient<paths>({ baseUrl: API, headers: { Authorization: \`Bearer \${TOKEN}\` } });
const { data, error } = await client.POST('/api/service-accounts', {
  body: { name: NAME, permissions: ['orders:read'], tokenTtl: 'PT5M', metadata: { team: 'peers', year: 2026 } },
});
if (data === undefined) throw new Error(error.detail);
const slug: string = data.slug;
console.log(slug, data.tokenTtl, data.permissions.join(' '));
`,
      );
      const strict = ['--strict', '--noEmit', '--module', 'nodenext', '--target', 'es2023', '--skipLibCheck', 'false'];
      run(directory, 'node_modules/.bin/tsc', ...strict, '--allowImportingTsExtensions', 'main.ts');
      return [process.execPath, 'main.ts'];
    },
  },
  'oapi-codegen': {
    tools: [['go', 'version']],
    prepare(directory) {
      run(directory, 'go', 'mod', 'init', 'peer');
      run(directory, 'mkdir', 'api');
      const output = ['-package', 'api', '-o', 'api/api.go'];
      run(directory, 'go', 'run', OAPI_CODEGEN, '-generate', 'types,client', ...output, 'openapi.json');
      writeFileSync(
        join(directory, 'main.go'),
        `package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"peer/api"
)

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func main() {
	client, err := api.NewClientWithResponses(os.Getenv("API"), api.WithRequestEditorFn(
		func(_ context.Context, request *http.Request) error {
			request.Header.Set("Authorization", "Bearer "+os.Getenv("TOKEN"))
			return nil
		}))
	check(err)
	var permission api.ServiceAccountInput_Permissions_Item
	check(permission.FromServiceAccountInputPermissions0("orders:read"))
	var ttl api.ServiceAccountInput_TokenTtl
	check(ttl.FromServiceAccountInputTokenTtl1("PT5M"))
	reply, err := client.RegisterServiceAccountWithResponse(context.Background(), api.ServiceAccountInput{
		Name:        os.Getenv("NAME"),
		Permissions: &[]api.ServiceAccountInput_Permissions_Item{permission},
		TokenTtl:    &ttl,
	})
	check(err)
	if reply.JSON201 == nil {
		panic(string(reply.Body))
	}
	name, err := reply.JSON201.Permissions[0].AsRegisteredServiceAccountPermissions0()
	check(err)
	fmt.Println(reply.JSON201.Slug, *reply.JSON201.TokenTtl, name)
}
`,
      );
      run(directory, 'go', 'get', OAPI_RUNTIME);
      run(directory, 'go', 'mod', 'tidy');
      run(directory, 'go', 'build', '-o', 'peer', '.');
      return [join(directory, 'peer')];
    },
  },
  'openapi-generator-go': {
    tools: [...JAVA, ['go', 'version']],
    prepare(directory) {
      openApiGenerator(directory, 'go');
      // The generated tests need a module of their own.
      run(directory, 'rm', '-r', 'generated/test');
      writeFileSync(
        join(directory, 'main.go'),
        `package main

import (
	"context"
	"fmt"
	"os"
	openapi "github.com/GIT_USER_ID/GIT_REPO_ID"
)

func text(value string) *string { return &value }

func main() {
	configuration := openapi.NewConfiguration()
	configuration.Servers = openapi.ServerConfigurations{{URL: os.Getenv("API")}}
	configuration.AddDefaultHeader("Authorization", "Bearer "+os.Getenv("TOKEN"))
	body := openapi.NewServiceAccountInput(os.Getenv("NAME"))
	body.SetPermissions([]openapi.RegisteredServiceAccountPermissionsInner{{String: text("orders:read")}})
	body.SetTokenTtl(openapi.ServiceAccountInputTokenTtl{String: text("PT5M")})
	made, _, err := openapi.NewAPIClient(configuration).RootServiceAccountsAPI.
		RegisterServiceAccount(context.Background()).ServiceAccountInput(*body).Execute()
	if err != nil {
		panic(err)
	}
	fmt.Println(made.GetSlug(), made.GetTokenTtl(), *made.GetPermissions()[0].String)
}
`,
      );
      run(directory, 'go', 'mod', 'init', 'peer');
      run(directory, 'go', 'mod', 'edit', '-replace', 'github.com/GIT_USER_ID/GIT_REPO_ID=./generated');
      run(directory, 'go', 'mod', 'tidy');
      run(directory, 'go', 'build', '-o', 'peer', '.');
      return [join(directory, 'peer')];
    },
  },
  'openapi-generator-python': {
    tools: [...JAVA, VENV],
    prepare(directory) {
      openApiGenerator(directory, 'python');
      run(directory, 'python3', '-m', 'venv', 'venv');
      run(directory, 'venv/bin/pip', 'install', '--quiet', '--disable-pip-version-check', './generated');
      writeFileSync(
        join(directory, 'main.py'),
        `import os
import openapi_client as api

configuration = api.Configuration(host=os.environ["API"], access_token=os.environ["TOKEN"])
with api.ApiClient(configuration) as client:
    made = api.RootServiceAccountsApi(client).register_service_account(
        api.ServiceAccountInput(
            name=os.environ["NAME"],
            permissions=[api.RegisteredServiceAccountPermissionsInner("orders:read")],
            token_ttl=api.ServiceAccountInputTokenTtl("PT5M"),
        )
    )
    print(made.slug, made.token_ttl, made.permissions[0].actual_instance)
`,
      );
      return ['venv/bin/python', 'main.py'];
    },
  },
  'openapi-python-client': {
    tools: [VENV],
    prepare(directory) {
      const pip = ['install', '--quiet', '--disable-pip-version-check'];
      run(directory, 'python3', '-m', 'venv', 'venv');
      run(directory, 'venv/bin/pip', ...pip, 'openapi-python-client==0.29.1');
      writeFileSync(join(directory, 'config.yaml'), 'post_hooks: []\n');
      const words = ['--path', 'openapi.json', '--output-path', 'generated', '--config', 'config.yaml'];
      run(directory, 'venv/bin/openapi-python-client', 'generate', '--fail-on-warning', ...words);
      run(directory, 'venv/bin/pip', ...pip, './generated');
      writeFileSync(
        join(directory, 'main.py'),
        `import os
from writ_management_api_client import AuthenticatedClient
from writ_management_api_client.api.root_service_accounts import register_service_account
from writ_management_api_client.models import RegisteredServiceAccount, ServiceAccountInput

client = AuthenticatedClient(base_url=os.environ["API"], token=os.environ["TOKEN"])
made = register_service_account.sync(
    client=client,
    body=ServiceAccountInput(name=os.environ["NAME"], permissions=["orders:read"], token_ttl="PT5M"),
)
assert isinstance(made, RegisteredServiceAccount), made
print(made.slug, made.token_ttl, made.permissions[0])
`,
      );
      return ['venv/bin/python', 'main.py'];
    },
  },
};
