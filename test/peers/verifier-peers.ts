import { bashProgram, goProgram, javaProgram, nodeProgram, pythonProgram, TOOLS } from './build.ts';
import type { PagePeers } from './peer.ts';
import { PROXY_PEERS } from './proxy-peers.ts';
import { CURL, requestThrough } from './request-through.ts';
import type { VerifierPeer } from './verifier-peer.ts';

const springModules = (version: string, web: string): string[] => [
  `org.springframework.security:spring-security-oauth2-jose:${version}`,
  `org.springframework:spring-web:${web}`,
  'com.fasterxml.jackson.core:jackson-databind:2.20.1',
  'org.slf4j:slf4j-nop:1.7.36',
];

function spring(name: string, artifacts: readonly string[], tokenType?: 'JWT'): VerifierPeer {
  return {
    tools: TOOLS.java,
    seesRevocation: false,
    tolerance: 60,
    ...(tokenType && { tokenType }),
    prepare: (directory, snippet) =>
      javaProgram(directory, artifacts, {
        [`${name}.java`]: snippet(`${name}.java`),
        'Main.java': `class Main {
    public static void main(String[] arguments) throws Exception {
        var token = ${name}.decoder().decode(System.getenv("TOKEN"));
        System.out.println(String.join(" ", token.getClaimAsStringList("permissions")));
    }
}
`,
      }),
  };
}

export const VERIFIER_PEERS: PagePeers<VerifierPeer> = {
  'docs/verify/node.md': {
    'Node.js, jose': {
      tools: TOOLS.node,
      seesRevocation: true,
      prepare: (directory, snippet) =>
        nodeProgram(directory, ['jose@6.2.18'], {
          'verify.mjs': snippet('verify.mjs'),
          'main.mjs':
            "import { verify } from './verify.mjs';\nconsole.log((await verify(process.env.TOKEN)).join(' '));\n",
        }),
    },
    'Node.js, an API': {
      tools: [...TOOLS.node, CURL],
      seesRevocation: true,
      scope: 'orders:read',
      prepare(directory, snippet) {
        nodeProgram(directory, ['jose@6.2.18'], { 'verify.mjs': snippet('verify.mjs') });
        return bashProgram(directory, {
          'server.page': snippet('server.mjs'),
          'main.sh': requestThrough('server.mjs', 'cp server.page server.mjs', 'node server.mjs'),
        });
      },
    },
  },
  'docs/verify/python.md': {
    'Python, PyJWT': {
      tools: TOOLS.python,
      seesRevocation: true,
      prepare: (directory, snippet) =>
        pythonProgram(directory, ['pyjwt[crypto]==2.15.1'], {
          'verify.py': snippet('verify.py'),
          'main.py': 'import os, verify\nprint(" ".join(verify.verify(os.environ["TOKEN"])))\n',
        }),
    },
  },
  'docs/verify/go.md': {
    'Go, jwx': {
      tools: TOOLS.go,
      seesRevocation: true,
      prepare: (directory, snippet) =>
        goProgram(directory, ['github.com/lestrrat-go/jwx/v3@v3.4.0', 'github.com/lestrrat-go/httprc/v3@v3.0.6'], {
          'verify/verify.go': snippet('verify.go'),
          'main.go': `package main

import (
	"context"
	"fmt"
	"os"
	"peer/verify"
	"strings"
)

func main() {
	verifier, err := verify.New(context.Background())
	if err != nil {
		panic(err)
	}
	permissions, err := verifier.Verify(os.Getenv("TOKEN"))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(strings.Join(permissions, " "))
}
`,
        }),
    },
  },
  'docs/verify/java.md': {
    'Java, Nimbus': {
      tools: TOOLS.java,
      seesRevocation: true,
      tolerance: 60,
      prepare: (directory, snippet) =>
        javaProgram(directory, ['com.nimbusds:nimbus-jose-jwt:10.5'], {
          'Verifier.java': snippet('Verifier.java'),
          'Main.java': `class Main {
    public static void main(String[] arguments) throws Exception {
        System.out.println(String.join(" ", new Verifier().verify(System.getenv("TOKEN"))));
        System.exit(0);
    }
}
`,
        }),
    },
    'Spring Security 7.0.0, at+jwt': spring('SpringDecoder', springModules('7.0.0', '7.0.0')),
    'Spring Security 7.0.0, tokenType JWT': spring('SpringJwtDecoder', springModules('7.0.0', '7.0.0'), 'JWT'),
    'Spring Security 6.5.6, at+jwt': spring('SpringDecoder', springModules('6.5.6', '6.2.12')),
    'Spring Security 6.5.6, tokenType JWT': spring('SpringJwtDecoder', springModules('6.5.6', '6.2.12'), 'JWT'),
  },
  'docs/verify/proxies.md': PROXY_PEERS,
};
