import assert from 'node:assert/strict';
import { BlockList } from 'node:net';
import { describe, test } from 'node:test';
import pg from 'pg';
import { ConfigError, parseConfig } from '../../src/config/parse-config.ts';
import { SETTINGS } from '../../src/config/settings.ts';

function problemsOf(environment: Record<string, string>): readonly string[] {
  try {
    parseConfig(environment);
    return [];
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error.problems;
  }
}

describe('the settings', () => {
  test('have defaults for a first start', () => {
    const { config, warnings } = parseConfig({});
    assert.deepEqual(config, {
      host: '127.0.0.1',
      port: 3000,
      production: false,
      database: { kind: 'embedded', directory: './data' },
      logLevel: 'info',
      issuer: 'http://localhost:3000',
      profile: 'standard',
      keysDirectory: './keys',
      keyEncryptionKeys: undefined,
      signingAlg: 'ES256',
      tokenTtl: 900,
      tokenMaxTtl: 86_400,
      tokenMaxBytes: 6144,
      defaultAudience: 'api://default',
      assertions: { audiences: [], maxTtl: 300 },
      clockTolerance: 10,
      credentialPolicy: { secretMaxAge: undefined, keyMaxAge: undefined },
      companyLimits: {
        serviceAccounts: 10_000,
        credentials: 20_000,
        groups: 1000,
        roles: 1000,
        resourceServers: 1000,
        permissions: 10_000,
      },
      expiryWarning: 1_209_600,
      clientKeys: [],
      internalListen: undefined,
      tls: undefined,
      clientCa: undefined,
      clientCertificates: false,
      issuerNetworks: new BlockList(),
      trustedProxies: new BlockList(),
      drain: 5,
      maxStaleness: 900,
      workers: 1,
      cacheBytes: undefined,
      signingKeyMaxAge: 7_776_000,
      dpopNonceRequired: false,
      bootstrap: { clientId: undefined, clientSecret: undefined, publicKey: undefined },
    });
    assert.deepEqual(warnings, []);
    assert.ok(Object.isFrozen(config));
  });

  test('let a clock be ten seconds off at least, where the profile says so', () => {
    const toleranceOf = (profile: string, set: string): number =>
      parseConfig({ WRIT_PROFILE: profile, WRIT_CLOCK_TOLERANCE: set }).config.clockTolerance;
    assert.deepEqual(
      [toleranceOf('standard', '0'), toleranceOf('fapi2', '0'), toleranceOf('fapi2', '30')],
      [0, 10, 30],
    );
  });

  test('are read from the environment', () => {
    const { config } = parseConfig({
      HOST: '::',
      PORT: '8080',
      NODE_ENV: 'production',
      DATABASE_URL: 'postgres://u:p@db/writ',
      WRIT_DATABASE_ADMIN_URL: 'postgres://admin:p@db/writ',
      WRIT_ISSUER: 'https://id.example/a',
      WRIT_KEY_ENCRYPTION_KEY: Buffer.alloc(32, 1).toString('base64'),
      WRIT_SIGNING_ALG: 'EdDSA',
      WRIT_TOKEN_TTL: '60',
      WRIT_ASSERTION_AUDIENCES: 'https://old.example/token,urn:x',
      WRIT_TRUSTED_PROXIES: '10.0.0.0/8, ::1',
    });
    assert.equal(config.port, 8080);
    assert.equal(config.issuer, 'https://id.example/a');
    assert.deepEqual(config.database, {
      kind: 'postgres',
      url: 'postgres://u:p@db/writ',
      adminUrl: 'postgres://admin:p@db/writ',
      listenUrl: 'postgres://admin:p@db/writ',
    });
    assert.deepEqual(config.keyEncryptionKeys, [Buffer.alloc(32, 1)]);
    assert.equal(config.tokenTtl, 60);
    assert.deepEqual(config.assertions.audiences, ['https://old.example/token', 'urn:x']);
    assert.equal(config.trustedProxies.check('10.1.2.3'), true);
    assert.equal(config.trustedProxies.check('::1', 'ipv6'), true);
    assert.equal(config.trustedProxies.check('11.1.2.3'), false);
  });

  test('count as absent when they are empty or blank', () => {
    const names = Object.keys(SETTINGS.properties);
    assert.ok(names.length > 20);
    const { config, warnings } = parseConfig({});
    for (const nothing of ['', ' ', '\n', ' \t ']) {
      const environment = Object.fromEntries(names.map((name) => [name, nothing]));
      assert.deepEqual(parseConfig({ ...environment, WRIT_OTHER: nothing, WRIT_ISUER: nothing }), { config, warnings });
      for (const name of names) assert.deepEqual(problemsOf({ [name]: nothing }), [], name);
    }
    assert.deepEqual(problemsOf({ NODE_ENV: 'production', DATABASE_URL: ' ', WRIT_ISSUER: 'https://id.example' }), [
      'DATABASE_URL must be set when NODE_ENV=production: postgres://…, or pglite:DIR for the embedded database',
    ]);
  });

  test('are read without the blanks around them', () => {
    const key = Buffer.alloc(32, 1).toString('base64');
    const secret = 'a'.repeat(40);
    const { config } = parseConfig({
      PORT: ' 8080\n',
      DATABASE_URL: 'postgres://u:p@db/writ\r\n',
      WRIT_KEY_ENCRYPTION_KEY: `\t${key}\n`,
      WRIT_BOOTSTRAP_CLIENT_SECRET: `${secret}\n`,
      WRIT_BOOTSTRAP_CLIENT_ID: ' root-1 ',
      WRIT_CLIENT_KEYS: ' one, two ,three\n',
    });
    assert.equal(config.port, 8080);
    assert.deepEqual(config.database, {
      kind: 'postgres',
      url: 'postgres://u:p@db/writ',
      adminUrl: 'postgres://u:p@db/writ',
      listenUrl: 'postgres://u:p@db/writ',
    });
    assert.deepEqual(config.keyEncryptionKeys, [Buffer.alloc(32, 1)]);
    assert.deepEqual([config.bootstrap.clientId, config.bootstrap.clientSecret], ['root-1', secret]);
    assert.deepEqual(config.clientKeys, ['one', 'two', 'three']);
  });

  test('accept the database addresses of the driver, with the same meaning', () => {
    const parameters = (url: string): (string | number | null)[] => {
      const { database } = parseConfig({ DATABASE_URL: url }).config;
      assert.ok(database.kind === 'postgres');
      const { user, password, host, port, database: name } = new pg.Client({ connectionString: database.url });
      return [user ?? '', password ?? '', host, port, name ?? ''];
    };
    const cases: [string, unknown[]][] = [
      ['postgres://u:p@/db?host=/cloudsql/x', ['u', 'p', '/cloudsql/x', 5432, 'db']],
      ['postgresql://u:p@db:5433/writ', ['u', 'p', 'db', 5433, 'writ']],
      ['postgres://u:p@[::1]/writ', ['u', 'p', '::1', 5432, 'writ']],
      ['postgres://u:p@%2Fvar%2Frun/writ', ['u', 'p', '/var/run', 5432, 'writ']],
      ['postgres://db/writ?user=me@server&password=p', ['me@server', 'p', 'db', 5432, 'writ']],
      ['postgres://u:a%2Fb%3Fc%23d%40e%25f%3Ag@db/writ', ['u', 'a/b?c#d@e%f:g', 'db', 5432, 'writ']],
      ['postgres://u:p@ss:w[o]r d@db/writ', ['u', 'p@ss:w[o]r d', 'db', 5432, 'writ']],
      ['postgres://u:100%@db/writ', ['u', '100%', 'db', 5432, 'writ']],
    ];
    for (const [url, expected] of cases) assert.deepEqual(parameters(url), expected, url);
  });

  test('replace each sslmode that the driver treats as verify-full, so that the driver prints no warning', () => {
    const urlOf = (query: string): string => {
      const { database } = parseConfig({ DATABASE_URL: `postgres://u:p@db/writ?${query}` }).config;
      return database.kind === 'postgres' ? database.url.slice('postgres://u:p@db/writ?'.length) : '';
    };
    for (const mode of ['require', 'prefer', 'verify-ca', 'verify-full']) {
      assert.equal(urlOf(`a=b&sslmode=${mode}&c=d`), 'a=b&sslmode=verify-full&c=d');
    }
    for (const kept of ['sslmode=disable', 'sslmode=no-verify', 'uselibpqcompat=true&sslmode=require']) {
      assert.equal(urlOf(kept), kept);
    }
  });

  const wrong: [Record<string, string>, RegExp][] = [
    [{ PORT: '0' }, /^PORT must be a whole number from 1 to 65535, not 0$/],
    [{ PORT: 'tcp://10.0.0.1:3000' }, /^PORT must be/],
    [{ HOST: 'a b' }, /^HOST must be/],
    [{ LOG_LEVEL: 'verbose' }, /^LOG_LEVEL must be one of fatal, .*not "verbose"$/],
    [{ DATABASE_URL: 'mysql://x' }, /^DATABASE_URL must be postgres:\/\/…, pglite:DIR or pglite:memory$/],
    [{ DATABASE_URL: 'pglite:' }, /^DATABASE_URL must be/],
    [{ WRIT_ISSUER: 'http://x.example/' }, /^WRIT_ISSUER must be .* final \//],
    [{ WRIT_ISSUER: 'http://x.example?a=b' }, /^WRIT_ISSUER must be/],
    [{ WRIT_ISSUER: 'http://x.example#a' }, /^WRIT_ISSUER must be/],
    [{ WRIT_ISSUER: 'http://u:p@x.example' }, /^WRIT_ISSUER must be/],
    [{ WRIT_ISSUER: 'http://X.example' }, /^WRIT_ISSUER must be/],
    [{ WRIT_ISSUER: 'ftp://x.example' }, /^WRIT_ISSUER must be/],
    [{ WRIT_TOKEN_TTL: '0' }, /^WRIT_TOKEN_TTL must be/],
    [{ WRIT_TOKEN_TTL: '-1' }, /^WRIT_TOKEN_TTL must be/],
    [{ WRIT_TOKEN_TTL: '1.5' }, /^WRIT_TOKEN_TTL must be/],
    [{ WRIT_TOKEN_TTL: '15m' }, /^WRIT_TOKEN_TTL must be/],
    [{ WRIT_TOKEN_TTL: '99999999999' }, /^WRIT_TOKEN_TTL must be/],
    [
      { WRIT_TOKEN_TTL: '1000', WRIT_TOKEN_MAX_TTL: '999' },
      /^WRIT_TOKEN_TTL \(1000\) must not be more than WRIT_TOKEN_MAX_TTL \(999\)$/,
    ],
    [{ WRIT_TOKEN_MAX_BYTES: '100' }, /^WRIT_TOKEN_MAX_BYTES must be a whole number of bytes/],
    [{ WRIT_DEFAULT_AUDIENCE: 'orders' }, /^WRIT_DEFAULT_AUDIENCE must be/],
    [{ WRIT_DEFAULT_AUDIENCE: 'http://localhost:3000/api' }, /^WRIT_DEFAULT_AUDIENCE must not be/],
    [{ WRIT_SIGNING_ALG: 'HS256' }, /^WRIT_SIGNING_ALG must be one of/],
    [
      { WRIT_KEY_ENCRYPTION_KEY: `${Buffer.alloc(32, 1).toString('base64')},` },
      /^WRIT_KEY_ENCRYPTION_KEY must be 32 bytes/,
    ],
    [
      { WRIT_KEY_ENCRYPTION_KEY: Array.from({ length: 2 }, () => Buffer.alloc(32, 1).toString('base64')).join(',') },
      /^WRIT_KEY_ENCRYPTION_KEY must be 32 bytes/,
    ],
    [
      { WRIT_KEY_ENCRYPTION_KEY: 'c2hvcnQ=' },
      /^WRIT_KEY_ENCRYPTION_KEY must be 32 bytes in base64, or several .* \(.*\)$/,
    ],
    [
      { WRIT_BOOTSTRAP_CLIENT_SECRET: 'hunter2' },
      /^WRIT_BOOTSTRAP_CLIENT_SECRET must be 40 to 256 of the characters A-Z a-z 0-9 _ -$/,
    ],
    [{ WRIT_BOOTSTRAP_CLIENT_ID: 'a b' }, /^WRIT_BOOTSTRAP_CLIENT_ID must be/],
    [{ WRIT_ASSERTION_AUDIENCES: 'a,,b' }, /^WRIT_ASSERTION_AUDIENCES must be/],
    [{ WRIT_ASSERTION_MAX_TTL: '0' }, /^WRIT_ASSERTION_MAX_TTL must be/],
    [{ WRIT_CLOCK_TOLERANCE: '-1' }, /^WRIT_CLOCK_TOLERANCE must be/],
    [{ WRIT_CLIENT_KEYS: 'a b' }, /^WRIT_CLIENT_KEYS must be keys of printable ASCII .* separated by commas$/],
    [{ WRIT_CLIENT_KEYS: 'a,,b' }, /^WRIT_CLIENT_KEYS must be/],
    [{ WRIT_CLIENT_KEYS: ',' }, /^WRIT_CLIENT_KEYS must be/],
    [{ WRIT_CLIENT_KEYS: 'ä' }, /^WRIT_CLIENT_KEYS must be/],
    ...[
      'postgres://u:secret/word@db/writ',
      'postgres://u:123/word@db/writ',
      'postgres://u:secret?word@db/writ',
      'postgres://u:123?word@db/writ',
      'postgres://u:secret#word@db/writ',
      'postgres://u:123#word@db/writ',
      'postgres://u:secret@word/x@db/writ',
      'postgres://u:secret%2Fword%@db/writ',
      'postgres://u:secret%E4word@db/writ',
    ].flatMap((url): [Record<string, string>, RegExp][] => [
      [
        { DATABASE_URL: url },
        /^DATABASE_URL must be an address .* \/ as %2F, \? as %3F, # as %23, @ as %40, .*% as %25/,
      ],
      [
        { DATABASE_URL: 'postgres://u@db/writ', WRIT_DATABASE_ADMIN_URL: url },
        /^WRIT_DATABASE_ADMIN_URL must be an address .*# as %23/,
      ],
    ]),
    [
      { DATABASE_URL: 'postgres://u:secret%E4word@db/writ' },
      /^DATABASE_URL must be an address in which % is followed by two hexadecimal digits: [^E]*$/,
    ],
    [{ DATABASE_URL: 'postgres://db:99999/writ' }, /^DATABASE_URL must be an address such as postgres:\/\/USER/],
    [{ DATABASE_URL: 'postgres://db:port/writ' }, /^DATABASE_URL must be an address such as/],
    [
      { DATABASE_URL: 'postgres://u@db/writ?sslmode=verify-full&sslrootcert=/nowhere/ca.pem' },
      /^DATABASE_URL must be an address whose files .*sslrootcert.*\/nowhere\/ca\.pem cannot \(ENOENT\)$/,
    ],
    [{ DATABASE_URL: 'postgres://u@db/writ?sslrootcert=/' }, /^DATABASE_URL must be an address whose files .*EISDIR/],
    [{ DATABASE_URL: 'postgres:db' }, /^DATABASE_URL must be postgres:/],
    [{ WRIT_INTERNAL_LISTEN: '127.0.0.1' }, /^WRIT_INTERNAL_LISTEN must be host:port/],
    [{ WRIT_INTERNAL_LISTEN: '127.0.0.1:70000' }, /^WRIT_INTERNAL_LISTEN must be host:port/],
    [{ WRIT_PROFILE: 'fapi1' }, /^WRIT_PROFILE must be standard or fapi2/],
    [
      { WRIT_PROFILE: 'fapi2', WRIT_SIGNING_ALG: 'RS256' },
      /^WRIT_SIGNING_ALG must not be RS256 when WRIT_PROFILE=fapi2/,
    ],
    [
      { WRIT_PROFILE: 'fapi2', WRIT_ASSERTION_AUDIENCES: 'urn:x' },
      /^WRIT_ASSERTION_AUDIENCES must not be set when WRIT_PROFILE=fapi2/,
    ],
    [{ WRIT_TLS_CERT: 'cert.pem' }, /^WRIT_TLS_CERT and WRIT_TLS_KEY must be set together/],
    [{ WRIT_TLS_KEY: 'key.pem' }, /^WRIT_TLS_CERT and WRIT_TLS_KEY must be set together/],
    [{ WRIT_TLS_CLIENT_CA: 'ca.pem' }, /^WRIT_TLS_CLIENT_CA must go with WRIT_TLS_CERT, or with WRIT_TRUSTED_PROXIES/],
    [{ WRIT_INTERNAL_LISTEN: '127.0.0.1:3000' }, /^WRIT_INTERNAL_LISTEN must have another port than PORT/],
    [{ WRIT_TRUSTED_PROXIES: '10.0.0.0/33' }, /^WRIT_TRUSTED_PROXIES must be/],
    [{ WRIT_TRUSTED_PROXIES: 'proxy.example' }, /^WRIT_TRUSTED_PROXIES must be/],
    [{ WRIT_COMPANY_LIMITS: 'groups' }, /^WRIT_COMPANY_LIMITS must be limits such as serviceAccounts=200/],
    [{ WRIT_COMPANY_LIMITS: 'groups=1,groups=2' }, /^WRIT_COMPANY_LIMITS must be/],
    [{ WRIT_COMPANY_LIMITS: 'grups=1' }, /^WRIT_COMPANY_LIMITS must be/],
    [{ WRIT_COMPANY_LIMITS: 'permissions=10001' }, /^WRIT_COMPANY_LIMITS must be/],
    [{ WRIT_MAX_STALENESS: 'long' }, /^WRIT_MAX_STALENESS must be/],
    [{ WRIT_WORKERS: '0' }, /^WRIT_WORKERS must be a whole number from 1 to 99, or auto/],
    [{ WRIT_WORKERS: '2' }, /^WRIT_WORKERS must be 1 beside the embedded database/],
    [{ WRIT_WORKERS: 'auto' }, /^WRIT_WORKERS must be 1 beside the embedded database/],
    [{ WRIT_CACHE_MB: '0' }, /^WRIT_CACHE_MB must be a whole number of megabytes from 1 to 65536/],
    [{ WRIT_BOOTSTRAP_PUBLIC_KEY: '{' }, /^WRIT_BOOTSTRAP_PUBLIC_KEY must be a public JWK, as JSON$/],
    [
      { WRIT_DATABASE_ADMIN_URL: 'postgres://x' },
      /^WRIT_DATABASE_ADMIN_URL must not be set beside the embedded database$/,
    ],
    [{ WRIT_TOKEN_TTLS: '60' }, /^WRIT_TOKEN_TTLS is not a setting; WRIT_TOKEN_TTL is$/],
    [{ WRIT_ISUER: 'https://x.example' }, /^WRIT_ISUER is not a setting; WRIT_ISSUER is$/],
    [
      { NODE_ENV: 'production', DATABASE_URL: 'pglite:./data' },
      /^WRIT_ISSUER must be an https URL when NODE_ENV=production$/,
    ],
    [
      { NODE_ENV: 'production', WRIT_ISSUER: 'https://id.example' },
      /^DATABASE_URL must be set when NODE_ENV=production/,
    ],
    [
      { NODE_ENV: 'production', DATABASE_URL: 'pglite:./data', WRIT_ISSUER: 'http://id.example' },
      /^WRIT_ISSUER must be an https URL/,
    ],
  ];
  for (const [environment, problem] of wrong) {
    test(`G-21 refuse ${JSON.stringify(environment)}`, () => {
      const problems = problemsOf(environment);
      assert.equal(problems.length, 1, problems.join('\n'));
      assert.match(String(problems[0]), problem);
      assert.doesNotMatch(String(problems[0]), /secret|word@/);
    });
  }

  test('G-21 report every problem at once', () => {
    const problems = problemsOf({ PORT: 'x', WRIT_ISSUER: 'y', WRIT_TOKEN_TTL: 'z', WRIT_TOKEN_TLL: '1' });
    assert.deepEqual(problems.map((problem) => problem.split(' ')[0]).toSorted(), [
      'PORT',
      'WRIT_ISSUER',
      'WRIT_TOKEN_TLL',
      'WRIT_TOKEN_TTL',
    ]);
  });

  test('treat an empty bootstrap value as absent', () => {
    const { config } = parseConfig({ WRIT_BOOTSTRAP_CLIENT_ID: '', WRIT_BOOTSTRAP_CLIENT_SECRET: '' });
    assert.deepEqual(config.bootstrap, { clientId: undefined, clientSecret: undefined, publicKey: undefined });
  });

  test('warn about an unknown name that resembles no setting, but not about names that Kubernetes injects', () => {
    const { warnings } = parseConfig({
      WRIT_SOMETHING_ELSE: '1',
      WRIT_SERVICE_HOST: '10.0.0.1',
      WRIT_SERVICE_PORT: '3000',
      WRIT_SERVICE_PORT_HTTP: '3000',
      WRIT_PORT: 'tcp://10.0.0.1:3000',
      WRIT_PORT_3000_TCP: 'tcp://10.0.0.1:3000',
      WRIT_PORT_3000_TCP_ADDR: '10.0.0.1',
    });
    assert.deepEqual(warnings, ['WRIT_SOMETHING_ELSE is not a setting of Writ and is ignored']);
  });
});
