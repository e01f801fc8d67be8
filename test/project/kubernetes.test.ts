import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { parseAllDocuments } from 'yaml';
import { type Config, parseConfig } from '../../src/config/parse-config.ts';
import { SETTINGS } from '../../src/config/settings.ts';
import { clientKey } from '../support/assertions.ts';
import { embedded } from '../support/databases.ts';
import { freePort } from '../support/free-port.ts';
import { startTestApp, type TestApp } from '../support/test-app.ts';

const ROOT = join(import.meta.dirname, '../..');
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const PAGE = read('docs/operate/kubernetes.md');
const DOCKERFILE = read('Dockerfile');

type Labels = Readonly<Record<string, string>>;
interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string };
}
interface Container {
  readonly image: string;
  readonly securityContext: object;
  readonly env: readonly {
    name: string;
    value?: string;
    valueFrom?: { secretKeyRef: { name: string; key: string } };
  }[];
  readonly envFrom: readonly { secretRef: { name: string; optional?: boolean } }[];
  readonly ports: readonly { name: string; containerPort: number }[];
  readonly startupProbe: Probe;
  readonly livenessProbe: Probe;
  readonly readinessProbe: Probe;
  readonly volumeMounts: readonly { name: string; mountPath: string }[];
}
interface Deployment {
  readonly spec: {
    readonly replicas: number;
    readonly selector: { readonly matchLabels: Labels };
    readonly template: {
      readonly metadata: { readonly labels: Labels };
      readonly spec: {
        readonly terminationGracePeriodSeconds: number;
        readonly topologySpreadConstraints: readonly { labelSelector: { matchLabels: Labels } }[];
        readonly securityContext: {
          readonly runAsUser: number;
          readonly fsGroup: number;
          readonly runAsNonRoot: boolean;
        };
        readonly containers: readonly Container[];
        readonly volumes: readonly { name: string; secret?: { secretName: string; defaultMode: number } }[];
      };
    };
  };
}
interface Service {
  readonly metadata: { readonly name: string; readonly labels: Labels };
  readonly spec: {
    readonly selector: Labels;
    readonly ports: readonly { name: string; port: number; targetPort: string }[];
  };
}
interface Ingress {
  readonly spec: {
    readonly tls: readonly { hosts: readonly string[] }[];
    readonly rules: readonly {
      host: string;
      http: { paths: readonly { path: string; backend: { service: { name: string; port: { name: string } } } }[] };
    }[];
  };
}
interface NetworkPolicy {
  readonly spec: {
    readonly podSelector: { readonly matchLabels: Labels };
    readonly ingress: readonly { ports: readonly { port: number }[]; from?: readonly object[] }[];
  };
}
interface ServiceMonitor {
  readonly spec: {
    readonly jobLabel: string;
    readonly selector: { readonly matchLabels: Labels };
    readonly endpoints: readonly { port: string; path: string }[];
  };
}

/** The documents of a text, read as Kubernetes reads YAML: 0440 is an octal number. */
const documents = (text: string): { kind: string }[] =>
  parseAllDocuments(text, { version: '1.1' }).map((document): { kind: string } => document.toJS());

const MANIFESTS = globSync('ops/kubernetes/*.yaml', { cwd: ROOT })
  .toSorted()
  .flatMap((file) => documents(read(file)));
const IN_PAGE = [...PAGE.matchAll(/^```yaml\n(.*?)^```/gms)]
  .flatMap(([, text = '']) => documents(text))
  .filter(({ kind }) => kind !== undefined);

function ofKind<Kind>(kind: string, from: readonly { kind: string }[] = MANIFESTS): Kind[] {
  return from.filter((one) => one.kind === kind) as Kind[];
}

function only<Item>(items: readonly Item[]): Item {
  const [item] = items;
  assert.equal(items.length, 1);
  assert.ok(item !== undefined);
  return item;
}

const deployment = only(ofKind<Deployment>('Deployment')).spec;
const services = ofKind<Service>('Service');
const pod = deployment.template.spec;
const container = only(pod.containers);

/** The Secrets that the commands of the page make: the keys of each. A Secret may be made in several ways. */
const SECRETS = [...PAGE.matchAll(/kubectl -n writ create secret generic (\S+) (.+)$/gm)].map(
  ([, name = '', options = '']) => ({
    name,
    keys: [...options.matchAll(/--from-(?:file|literal)=([\w-]+)/g)].map(([, key = '']) => key),
  }),
);

/** The values of the image. */
const OF_IMAGE = Object.fromEntries(
  [...(/^ENV (.+)$/m.exec(DOCKERFILE)?.[1] ?? '').matchAll(/(\w+)=(\S+)/g)].map(([, name = '', value = '']) => [
    name,
    value,
  ]),
);

const SAMPLES: Readonly<Record<string, string>> = {
  DATABASE_URL: /printf '%s' '(postgres:[^']+)'/.exec(PAGE)?.[1] ?? '',
  WRIT_BOOTSTRAP_CLIENT_ID: /--from-literal=WRIT_BOOTSTRAP_CLIENT_ID=(\S+)/.exec(PAGE)?.[1] ?? '',
  WRIT_BOOTSTRAP_CLIENT_SECRET: '0123456789abcdef'.repeat(4),
  WRIT_BOOTSTRAP_PUBLIC_KEY: JSON.stringify(clientKey('EdDSA').jwk),
};

/** The environment of a container, with the settings of one way to make the first root account. */
function environment(first: readonly string[]): Record<string, string | undefined> {
  const own = container.env.map(({ name, value, valueFrom }) => [
    name,
    valueFrom === undefined ? value : SAMPLES[valueFrom.secretKeyRef.key],
  ]);
  return { ...OF_IMAGE, ...Object.fromEntries(own), ...Object.fromEntries(first.map((name) => [name, SAMPLES[name]])) };
}

const FIRST_ROOTS = SECRETS.filter(({ name }) => name === 'writ-first-root').map(({ keys }) => keys);

function config(): Config {
  return parseConfig(environment([])).config;
}

/** Whether a path of an Ingress with `pathType: Prefix` leads to a path. */
const leadsTo = (prefix: string, path: string): boolean =>
  prefix === '/' || path === prefix || path.startsWith(`${prefix}/`);

/** Starts a server with the settings of the manifests, at addresses of this machine, for one test. */
async function withApp(settings: Record<string, string>, use: (app: TestApp) => Promise<void>): Promise<void> {
  const database = await embedded.create();
  const given = Object.entries(environment([])).filter(([name]) => !/^(?:HOST|DATABASE_URL)$/.test(name));
  const internal = `127.0.0.1:${await freePort()}`;
  const app = await startTestApp(database, {
    ...(Object.fromEntries(given) as Record<string, string>),
    WRIT_INTERNAL_LISTEN: internal,
    ...settings,
  });
  try {
    await use(app);
  } finally {
    await app.close();
    await database.drop();
  }
}

describe('the manifests for Kubernetes', () => {
  test('set nothing but settings, and a server takes them', () => {
    const names = [...container.env.map(({ name }) => name), ...FIRST_ROOTS.flat()];
    assert.deepEqual(
      names.filter((name) => !(name in SETTINGS.properties)),
      [],
    );
    assert.equal(FIRST_ROOTS.length, 2);
    for (const first of FIRST_ROOTS) {
      const { config: taken, warnings } = parseConfig(environment(first));
      assert.deepEqual(warnings, []);
      assert.equal(taken.production, true);
      assert.equal(taken.host, '0.0.0.0');
      assert.equal(taken.internalListen?.host, '0.0.0.0');
      assert.equal(taken.database.kind, 'postgres');
      assert.equal(taken.bootstrap.clientId, SAMPLES['WRIT_BOOTSTRAP_CLIENT_ID']);
      assert.equal(taken.bootstrap.clientSecret === undefined, taken.bootstrap.publicKey !== undefined);
    }
  });

  test('use the Secrets that the page makes, and no other', () => {
    const made = new Set(SECRETS.map(({ name }) => name));
    const used = [
      ...container.env.flatMap(({ valueFrom }) => (valueFrom === undefined ? [] : [valueFrom.secretKeyRef.name])),
      ...container.envFrom.map(({ secretRef }) => secretRef.name),
      ...pod.volumes.flatMap(({ secret }) => (secret === undefined ? [] : [secret.secretName])),
    ];
    assert.deepEqual(used.toSorted(), [...made].toSorted());
    for (const { valueFrom } of container.env) {
      if (valueFrom === undefined) continue;
      const { name, key } = valueFrom.secretKeyRef;
      assert.ok(
        SECRETS.some((secret) => secret.name === name && secret.keys.includes(key)),
        `${name} ${key}`,
      );
    }
    // The page deletes the Secret of the first start.
    assert.deepEqual(container.envFrom, [{ secretRef: { name: 'writ-first-root', optional: true } }]);
  });

  test('mount the key-encryption key where the server reads it, with a mode that the server takes', () => {
    const volume = pod.volumes.find(({ secret }) => secret?.secretName === 'writ-key-encryption-key');
    assert.equal(volume?.secret?.defaultMode, 0o440);
    assert.equal(typeof pod.securityContext.fsGroup, 'number');
    const mount = container.volumeMounts.find(({ name }) => name === volume?.name);
    const workingFolder =
      DOCKERFILE.match(/^WORKDIR (\S+)$/gm)
        ?.at(-1)
        ?.slice('WORKDIR '.length) ?? '';
    assert.equal(mount?.mountPath, join(workingFolder, config().keysDirectory));
    const keys = SECRETS.find(({ name }) => name === 'writ-key-encryption-key')?.keys;
    assert.deepEqual(keys, ['key-encryption-key']);
    assert.ok(read('src/storage/key-encryption-key.ts').includes(`const FILE = '${keys[0]}'`));
  });

  test('agree with the settings about the ports', () => {
    const { port, internalListen } = config();
    const ports = new Map(container.ports.map(({ name, containerPort }) => [name, containerPort]));
    assert.deepEqual(Object.fromEntries(ports), { public: port, internal: internalListen?.port });
    assert.match(DOCKERFILE, new RegExp(`^EXPOSE ${port}$`, 'm'));
    const served = services.map(({ metadata, spec }) => {
      const one = only(spec.ports);
      return [metadata.name, one.name, one.port, ports.get(one.targetPort)];
    });
    assert.deepEqual(served, [
      ['writ', 'public', port, port],
      ['writ-internal', 'internal', internalListen?.port, internalListen?.port],
    ]);
    const { ingress } = only(ofKind<NetworkPolicy>('NetworkPolicy')).spec;
    const open = ingress.filter(({ from }) => from === undefined).flatMap((rule) => rule.ports);
    const closed = ingress.filter(({ from }) => from !== undefined).flatMap((rule) => rule.ports);
    assert.deepEqual([open, closed], [[{ port }], [{ port: internalListen?.port }]]);
  });

  test('select the pods by labels that the pods have', () => {
    const { labels } = deployment.template.metadata;
    const selectors = [
      deployment.selector.matchLabels,
      ...services.map(({ spec }) => spec.selector),
      ...pod.topologySpreadConstraints.map(({ labelSelector }) => labelSelector.matchLabels),
      only(ofKind<NetworkPolicy>('NetworkPolicy')).spec.podSelector.matchLabels,
      only(ofKind<Deployment>('PodDisruptionBudget')).spec.selector.matchLabels,
    ];
    for (const selector of selectors) assert.deepEqual(selector, labels);
  });

  test('scrape the internal port of every pod, with the job that the alerts expect', async () => {
    const { jobLabel, selector, endpoints } = only(ofKind<ServiceMonitor>('ServiceMonitor')).spec;
    const selected = services.filter(({ metadata }) =>
      Object.entries(selector.matchLabels).every(([label, value]) => metadata.labels[label] === value),
    );
    const { metadata, spec } = only(selected);
    assert.equal(metadata.name, 'writ-internal');
    assert.equal(metadata.labels[jobLabel], 'writ');
    const { port, path } = only(endpoints);
    assert.equal(port, only(spec.ports).name);
    assert.match(PAGE, new RegExp(`regex: ${metadata.name}$`, 'm'));
    await withApp({}, async (app) => assert.equal((await fetch(app.internalUrl + path)).status, 200));
  });

  test('probe paths that answer at the internal port, and only there', async () => {
    const probes = [container.startupProbe, container.livenessProbe, container.readinessProbe];
    assert.deepEqual(new Set(probes.map(({ httpGet }) => httpGet.port)), new Set(['internal']));
    await withApp({}, async (app) => {
      for (const { httpGet } of probes) {
        assert.equal((await fetch(app.internalUrl + httpGet.path)).status, 200, httpGet.path);
        assert.equal((await app.request(httpGet.path)).status, 404, httpGet.path);
      }
    });
    // A node that is cut off from the database must not be restarted.
    assert.equal(container.livenessProbe.httpGet.path, '/health/live');
    assert.equal(container.readinessProbe.httpGet.path, '/health/ready');
  });

  test('give a pod the time to drain and to finish the requests in flight', () => {
    const milliseconds = (file: string, name: string): number =>
      Number(new RegExp(`^const ${name} = ([\\d_]+);$`, 'm').exec(read(file))?.[1]?.replaceAll('_', ''));
    const closing =
      milliseconds('src/app.ts', 'GRACE') +
      milliseconds('src/http/http-server.ts', 'QUIET_WITHIN') +
      milliseconds('src/http/http-server.ts', 'NEWCOMERS_ASK_WITHIN');
    assert.equal(closing, 14_000, 'the page and the manifest say 14 seconds');
    assert.ok(config().drain + closing / 1000 + 10 <= pod.terminationGracePeriodSeconds);
  });

  test('run as the user of the image, without rights that the server does not need', () => {
    assert.equal(pod.securityContext.runAsNonRoot, true);
    assert.match(DOCKERFILE, new RegExp(`^USER ${pod.securityContext.runAsUser}:`, 'm'));
    assert.deepEqual(container.securityContext, {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
    assert.ok(container.volumeMounts.some(({ mountPath }) => mountPath === '/tmp'));
    assert.equal(container.image, `registry.example.com/writ:${JSON.parse(read('package.json')).version}`);
    assert.ok(PAGE.includes(`docker build -t ${container.image} .`));
    assert.ok(deployment.replicas > 1);
  });

  test('lead from the Ingress to the public port of the issuer', () => {
    const { tls, rules } = only(ofKind<Ingress>('Ingress')).spec;
    const { host, http } = only(rules);
    assert.equal(config().issuer, `https://${host}`);
    assert.deepEqual(
      tls.flatMap(({ hosts }) => hosts),
      [host],
    );
    assert.deepEqual(
      http.paths.map(({ path, backend }) => [path, backend.service]),
      [['/', { name: 'writ', port: { name: 'public' } }]],
    );
  });

  test('lead to every public address of an issuer with a path', async () => {
    const { tls, rules } = only(ofKind<Ingress>('Ingress', IN_PAGE)).spec;
    const { host, http } = only(rules);
    const base = http.paths[0]?.path ?? '';
    const issuer = `https://${host}${base}`;
    assert.deepEqual(
      tls.flatMap(({ hosts }) => hosts),
      [host],
    );
    assert.ok(PAGE.includes(`set \`WRIT_ISSUER\` to \`${issuer}\``), issuer);
    for (const { backend } of http.paths) assert.deepEqual(backend.service, { name: 'writ', port: { name: 'public' } });
    const addresses = [
      `/.well-known/oauth-authorization-server${base}`,
      `/.well-known/openid-configuration${base}`,
      `/.well-known/oauth-protected-resource${base}/api`,
      `${base}/.well-known/openid-configuration`,
      `${base}/.well-known/jwks.json`,
      base,
    ];
    await withApp({ WRIT_ISSUER: issuer }, async (app) => {
      for (const address of addresses) {
        assert.ok(
          http.paths.some(({ path }) => leadsTo(path, address)),
          address,
        );
        assert.equal((await app.request(address)).status, 200, address);
      }
      // Every path of the Ingress is needed.
      for (const { path } of http.paths)
        assert.ok(
          addresses.some((address) => leadsTo(path, address)),
          path,
        );
      for (const path of ['/metrics', '/health/ready', '/api/openapi.json']) {
        assert.equal((await fetch(app.internalUrl + path)).status, 200, path);
        assert.equal((await app.request(base + path)).status, 404, path);
      }
    });
  });

  test('have a page whose messages of a failed start are those of the server', () => {
    const source = globSync('src/**/*.ts', { cwd: ROOT }).map(read).join('\n');
    const [, part = ''] = PAGE.split('\n## If a pod does not start\n');
    const messages = [...part.matchAll(/^\| `([^`]+)` /gm)].map(([, message = '']) => message);
    assert.ok(messages.length > 3);
    for (const piece of messages.flatMap((message) => message.split('…'))) {
      const text = piece.replace('(EACCES)', '').trim();
      assert.ok(source.includes(text), text);
    }
  });
});
