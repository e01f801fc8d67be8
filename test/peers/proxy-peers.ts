import { bashProgram } from './build.ts';
import { CURL, requestThrough } from './request-through.ts';
import type { VerifierPeer } from './verifier-peer.ts';

/** The conditions of the proxies on the page: the API, and one of its permissions. */
const GATE = { audience: 'https://orders.example.com', scope: 'orders:read' } as const;

const NGINX = (server: string): string => `daemon off; pid nginx.pid; error_log stderr;
events {}
http {
  access_log off;
  client_body_temp_path temp-body; proxy_temp_path temp-proxy; fastcgi_temp_path temp-fastcgi;
  uwsgi_temp_path temp-uwsgi; scgi_temp_path temp-scgi;
  ${server}
}
`;

const APACHE = (location: string): string => `ServerRoot "ROOT"
ServerName localhost
DefaultRuntimeDir "HERE"
PidFile "HERE/pid"
ErrorLog "HERE/errors"
Mutex file:HERE
Listen 127.0.0.1:8000
${['mpm_event', 'authn_core', 'authz_core', 'authz_user', 'proxy', 'proxy_http', 'oauth2']
  .map((name) => `Include "ROOT/mods-available/${name}.load"`)
  .join('\n')}
${location}
`;

/** The proxies that docs/verify/proxies.md configures and that run here. */
export const PROXY_PEERS: Readonly<Record<string, VerifierPeer>> = {
  nginx: {
    ...GATE,
    tools: [CURL, ['nginx', '-v']],
    seesRevocation: true,
    checksType: false,
    prepare: (directory, snippet) =>
      bashProgram(directory, {
        'nginx.page': NGINX(snippet('nginx.conf')),
        'main.sh': requestThrough('nginx.conf', 'cp nginx.page nginx.conf', 'nginx -p "$PWD" -c nginx.conf'),
      }),
  },
  Caddy: {
    ...GATE,
    tools: [CURL, ['caddy', 'version']],
    seesRevocation: true,
    checksType: false,
    prepare: (directory, snippet) =>
      bashProgram(directory, {
        'caddy.page': `{\n    admin off\n}\n${snippet('Caddyfile')}`,
        'main.sh': requestThrough('Caddyfile', 'cp caddy.page Caddyfile', 'HOME=$PWD caddy run'),
      }),
  },
  HAProxy: {
    ...GATE,
    tools: [CURL, ['haproxy', '-v']],
    seesRevocation: false,
    prepare: (directory, snippet) =>
      bashProgram(directory, {
        'haproxy.page': snippet('haproxy.cfg'),
        'main.sh': requestThrough(
          'haproxy.cfg',
          `cp haproxy.page haproxy.cfg\n${snippet('write-key.sh')}`,
          'haproxy -db -f haproxy.cfg',
        ),
      }),
  },
  mod_oauth2: {
    ...GATE,
    tools: [CURL, ['a2query', '-m', 'oauth2']],
    seesRevocation: false,
    checksType: false,
    prepare: (directory, snippet) =>
      bashProgram(directory, {
        'apache.page': APACHE(snippet('mod_oauth2.conf')),
        'main.sh': requestThrough(
          'apache.conf',
          `root=$(apache2 -V 2>log | sed -n 's/.*HTTPD_ROOT="\\(.*\\)"/\\1/p')
sed "s|ROOT|$root|; s|HERE|$PWD|" apache.page >apache.conf`,
          'apache2 -X -f "$PWD/apache.conf"',
        ),
      }),
  },
};
