import { parseYaml } from '@redocly/openapi-core';
import { bashProgram, goProgram, javaProgram, nodeProgram, pythonProgram, TOOLS } from './build.ts';
import type { PagePeer, PagePeers } from './peer.ts';

/**
 * A program that gets two tokens, which must be one, and prints each in a line or sends it to the address API. In its
 * environment it has CLIENT_ID, and CLIENT_SECRET or KEY_FILE.
 */
interface ClientPeer extends PagePeer {
  /** The key with which the program authenticates: P-256, also with its public half in the file, or RSA. */
  readonly key?: 'EC' | 'EC pair' | 'RSA';
  /** Whether the program sends its tokens and must not print them. */
  readonly quiet?: true;
  /** Whether the program goes on for ever: it is ended when two tokens have come to API. */
  readonly endless?: true;
  /** Whether the program gets one token, and leaves it to others to keep it. */
  readonly once?: true;
}

/** The address of the API on the pages, which the programs reach at API. */
const API = 'https://orders.example.com/orders';
const OAUTH2 = 'golang.org/x/oauth2@v0.38.0';
const NIMBUS = 'com.nimbusds:oauth2-oidc-sdk:11.26.1';
const springModules = (version: string, web: string): string[] => [
  `org.springframework.security:spring-security-oauth2-client:${version}`,
  `org.springframework.security:spring-security-oauth2-jose:${version}`,
  `org.springframework:spring-web:${web}`,
  'com.fasterxml.jackson.core:jackson-databind:2.20.1',
  'tools.jackson.core:jackson-databind:3.0.2',
  'org.bouncycastle:bcpkix-jdk18on:1.82',
];

const javaMain = (name: string): string => `class Main {
    public static void main(String[] arguments) throws Exception {
        var tokens = new ${name}();
        System.out.println(tokens.token());
        System.out.println(tokens.token());
    }
}
`;

function java(name: string, artifacts: readonly string[], key?: 'EC' | 'EC pair'): ClientPeer {
  return {
    tools: TOOLS.java,
    ...(key && { key }),
    prepare: (directory, snippet) =>
      javaProgram(directory, artifacts, { [`${name}.java`]: snippet(`${name}.java`), 'Main.java': javaMain(name) }),
  };
}

function node(name: string, packages: readonly string[], key?: 'EC'): ClientPeer {
  return {
    tools: TOOLS.node,
    ...(key && { key }),
    prepare: (directory, snippet) =>
      nodeProgram(directory, packages, {
        'tokens.mjs': snippet(name),
        'main.mjs': "import { token } from './tokens.mjs';\nconsole.log(await token());\nconsole.log(await token());\n",
      }),
  };
}

function python(name: string, key?: 'EC'): ClientPeer {
  return {
    tools: TOOLS.python,
    ...(key && { key }),
    prepare: (directory, snippet) =>
      pythonProgram(directory, ['authlib==1.9.10', 'requests==2.34.2', 'joserfc==1.8.0'], {
        'tokens.py': snippet(name),
        'main.py': 'import tokens\nprint(tokens.token())\nprint(tokens.token())\n',
      }),
  };
}

const goMain = (construct: string): string => `package main

import (
	"context"
	"fmt"
	"peer/tokens"
)

func main() {
	${construct}
	for range 2 {
		token, err := source.Token()
		if err != nil {
			panic(err)
		}
		fmt.Println(token.AccessToken)
	}
}
`;

/** The lines of bash that run the scripts of a workflow of GitHub as a runner does, one step after the other. */
function gitHubJob(workflow: string): string {
  const { jobs } = parseYaml(workflow) as {
    jobs: Record<string, { steps: { env: Record<string, string>; run: string }[] }>;
  };
  const steps = Object.values(jobs).flatMap((job) => job.steps);
  const value = (text: string): string =>
    text
      .replaceAll('${{ vars.WRIT_CLIENT_ID }}', '$CLIENT_ID')
      .replaceAll('${{ secrets.WRIT_CLIENT_SECRET }}', '$CLIENT_SECRET')
      .replaceAll('${{ steps.writ.outputs.token }}', '$(sed -n "s/^token=//p" "$GITHUB_OUTPUT")');
  return steps
    .map(({ env, run }, index) => {
      const set = Object.entries(env).map(([name, text]) => `export ${name}="${value(text)}"`);
      return `(\n${set.join('\n')}\nbash -e <<'STEP_${index}'\n${run.replaceAll(API, '$API')}\nSTEP_${index}\n) || exit 1`;
    })
    .join('\n');
}

/** The lines of bash of a job of GitLab, which run in one shell. */
function gitLabJob(pipeline: string): string {
  const { '.writ': base, deploy } = parseYaml(pipeline) as Record<
    string,
    { variables: Record<string, string>; before_script: string[]; script: string[] }
  >;
  const variables = Object.entries(base?.variables ?? {}).map(([name, text]) => `${name}=${text}`);
  const lines = [...(base?.before_script ?? []), ...(deploy?.script ?? [])];
  return [...variables, ...lines].join('\n').replaceAll(API, '$API');
}

export const CLIENT_PEERS: PagePeers<ClientPeer> = {
  'docs/clients/bash.md': {
    'bash by secret': {
      tools: TOOLS.bash,
      prepare: (directory, snippet) =>
        bashProgram(directory, {
          'main.sh': `set -euo pipefail\nCACHE=cache/token\n${snippet('token-by-secret.sh')}\nwrit_token\nwrit_token\n`,
        }),
    },
    'bash by key': {
      tools: TOOLS.bash,
      key: 'RSA',
      prepare: (directory, snippet) =>
        bashProgram(directory, {
          'main.sh': `set -euo pipefail\nCACHE=cache/token\n${snippet('token-by-secret.sh')}\n${snippet('ask-by-key.sh')}\nwrit_token\nwrit_token\n`,
        }),
    },
  },
  'docs/clients/github-actions.md': {
    'GitHub Actions': {
      tools: TOOLS.bash,
      quiet: true,
      prepare: (directory, snippet) =>
        bashProgram(directory, {
          // The runner hides the token from the line of the mask on.
          'main.sh': `export GITHUB_OUTPUT=$PWD/outputs
(
${gitHubJob(snippet('deploy.yml'))}
) >log
status=$?
head -1 log | grep -q '^::add-mask::eyJ' || { echo 'the token is not masked' && exit 1; }
sed 1d log
exit $status
`,
        }),
    },
  },
  'docs/clients/gitlab.md': {
    'GitLab CI': {
      tools: TOOLS.bash,
      quiet: true,
      prepare: (directory, snippet) =>
        bashProgram(directory, {
          'main.sh': `set -eo pipefail\nWRIT_CLIENT_ID=$CLIENT_ID\nWRIT_CLIENT_SECRET=$CLIENT_SECRET\n${gitLabJob(snippet('.gitlab-ci.yml'))}\n`,
        }),
    },
  },
  'docs/clients/node.md': {
    'Node.js by secret': node('token-by-secret.mjs', []),
    'Node.js by key': node('token-by-key.mjs', ['jose@6.2.18'], 'EC'),
  },
  'docs/clients/python.md': {
    'Python by secret': python('token_by_secret.py'),
    'Python by key': python('token_by_key.py', 'EC'),
  },
  'docs/clients/go.md': {
    'Go by secret': {
      tools: TOOLS.go,
      prepare: (directory, snippet) =>
        goProgram(directory, [OAUTH2], {
          'tokens/secret.go': snippet('secret.go'),
          'main.go': goMain('source := tokens.BySecret(context.Background())'),
        }),
    },
    'Go by key': {
      tools: TOOLS.go,
      key: 'EC',
      prepare: (directory, snippet) =>
        goProgram(directory, [OAUTH2, 'github.com/lestrrat-go/jwx/v3@v3.4.0'], {
          'tokens/key.go': snippet('key.go'),
          'main.go': goMain(`source, err := tokens.ByKey(context.Background())
	if err != nil {
		panic(err)
	}`),
        }),
    },
  },
  'docs/clients/java.md': {
    'Spring Security 7.0.0 by secret': java('SpringTokens', springModules('7.0.0', '7.0.0')),
    'Spring Security 7.0.0 by key': java('SpringKeyTokens', springModules('7.0.0', '7.0.0'), 'EC pair'),
    'Spring Security 6.5.6 by secret': java('SpringTokens', springModules('6.5.6', '6.2.12')),
    'Spring Security 6.5.6 by key': java('SpringKeyTokens', springModules('6.5.6', '6.2.12'), 'EC pair'),
    'Nimbus by secret': java('SecretTokens', [NIMBUS]),
    'Nimbus by key': java('KeyTokens', [NIMBUS], 'EC'),
  },
  'docs/clients/tools.md': {
    Prometheus: {
      tools: [['prometheus', '--version']],
      endless: true,
      quiet: true,
      prepare: (directory, snippet) =>
        bashProgram(directory, {
          'prometheus.yml': snippet('prometheus.yml'),
          'main.sh': `set -euo pipefail
printf %s "$CLIENT_SECRET" >secret
sed -i -e "s/CLIENT_ID/$CLIENT_ID/; s|/etc/prometheus/writ-secret|secret|; s/scheme: https/scheme: http/" \\
  -e "s|orders.example.com|\${API#http://}|; s|\\[\\(.*\\)/orders\\]|[\\1]|" prometheus.yml
printf 'global: { scrape_interval: 1s, scrape_timeout: 1s }\\n' >>prometheus.yml
exec prometheus --config.file=prometheus.yml --storage.tsdb.path=data --web.listen-address=127.0.0.1:0
`,
        }),
    },
    'Kafka, a client and a broker': {
      tools: TOOLS.java,
      once: true,
      prepare: (directory, snippet) =>
        javaProgram(directory, KAFKA, {
          'Main.java': kafkaMain(snippet('client.properties'), snippet('broker.properties')),
        }),
    },
  },
};

const KAFKA = [
  'org.apache.kafka:kafka-clients:3.9.1',
  'com.fasterxml.jackson.core:jackson-databind:2.20.1',
  'org.bitbucket.b_c:jose4j:0.9.6',
  'org.slf4j:slf4j-nop:1.7.36',
];

/** A program that gets a token by the properties of a client, and prints it if the properties of a broker accept it. */
function kafkaMain(client: string, broker: string): string {
  return `import java.io.StringReader;
import java.util.*;
import javax.security.auth.callback.Callback;
import javax.security.auth.login.AppConfigurationEntry;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.SaslConfigs;
import org.apache.kafka.common.config.types.Password;
import org.apache.kafka.common.security.JaasContext;
import org.apache.kafka.common.security.auth.AuthenticateCallbackHandler;
import org.apache.kafka.common.security.oauthbearer.*;

class Main {
    static Map<String, Object> read(String text) throws Exception {
        var properties = new Properties();
        properties.load(new StringReader(text
            .replace("\\"CLIENT_ID\\"", '"' + System.getenv("CLIENT_ID") + '"')
            .replace("\\"CLIENT_SECRET\\"", '"' + System.getenv("CLIENT_SECRET") + '"')));
        var definition = new ConfigDef();
        SaslConfigs.addClientSaslSupport(definition);
        return new HashMap<>(definition.parse(properties));
    }

    static void handle(AuthenticateCallbackHandler handler, Map<String, Object> configs, Callback callback) throws Exception {
        var jaas = (Password) configs.get(SaslConfigs.SASL_JAAS_CONFIG);
        handler.configure(configs, "OAUTHBEARER", jaas == null ? List.<AppConfigurationEntry>of()
            : JaasContext.loadClientContext(Map.of(SaslConfigs.SASL_JAAS_CONFIG, jaas)).configurationEntries());
        handler.handle(new Callback[] {callback});
    }

    public static void main(String[] arguments) throws Exception {
        var client = read(${JSON.stringify(client)});
        var broker = read(${JSON.stringify(broker)});
        var login = new OAuthBearerTokenCallback();
        handle(new OAuthBearerLoginCallbackHandler(), client, login);
        var validation = new OAuthBearerValidatorCallback(login.token().value());
        handle(new OAuthBearerValidatorCallbackHandler(), broker, validation);
        if (validation.token() == null) throw new Exception("the broker refused: " + validation.errorStatus());
        System.out.println(validation.token().value());
        System.exit(0);
    }
}
`;
}
