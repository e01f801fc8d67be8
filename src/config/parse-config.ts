import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import { BlockList } from 'node:net';
import { type Limits, STANDARD_LIMITS } from '../domain/companies/company-limits.ts';
import type { CredentialPolicy } from '../domain/credentials/credential-policy.ts';
import type { FixedRoot } from '../domain/service-accounts/root-account.ts';
import { isAbsoluteUri } from '../domain/resource-servers/resource-server.ts';
import type { SigningAlg } from '../domain/signing-keys/signing-key.ts';
import { type Profile, takesAlg, toleranceOf } from '../domain/profile.ts';
import { EXPECTED } from './expected-values.ts';
import { SECRET, SETTINGS, type Settings } from './settings.ts';
import { parseKeys, isIssuer, parseLimits, parseListenAddress, parseNetworks, parseObject } from './setting-formats.ts';
import { unknownSettings } from './unknown-settings.ts';
import { isMeantForPostgres, withoutAliases, wrongWithPostgresUrl } from './database-url.ts';

/** The place of the data: in this process, or on a PostgreSQL server. */
export type DatabaseConfig =
  | { kind: 'embedded'; directory: string | undefined }
  | { kind: 'postgres'; url: string; adminUrl: string; listenUrl: string };

/** The configuration of one process of Writ, read from its environment. All durations are in seconds. */
export interface Config {
  readonly host: string;
  readonly port: number;
  readonly production: boolean;
  readonly database: DatabaseConfig;
  readonly logLevel: string;
  readonly issuer: string;
  readonly profile: Profile;
  readonly keysDirectory: string;
  readonly keyEncryptionKeys: readonly Buffer[] | undefined;
  readonly signingAlg: SigningAlg;
  readonly tokenTtl: number;
  readonly tokenMaxTtl: number;
  /** The most bytes that an access token may have. */
  readonly tokenMaxBytes: number;
  readonly defaultAudience: string;
  readonly assertions: {
    /** The values of `aud` that an assertion may have beside the issuer. */
    readonly audiences: readonly string[];
    readonly maxTtl: number;
  };
  readonly clockTolerance: number;
  /** The maximum age of credentials: a company can only set a lower one. */
  readonly credentialPolicy: CredentialPolicy;
  /** The limits that hold where a company has none of its own. */
  readonly companyLimits: Limits;
  /** How long before a credential expires its client gets warnings. */
  readonly expiryWarning: number;
  /** A management request must carry one of these keys. Empty: no key is required. */
  readonly clientKeys: readonly string[];
  /** The address of everything but the OAuth endpoints. Undefined: the address of the OAuth endpoints. */
  readonly internalListen: { readonly host: string; readonly port: number } | undefined;
  /** The files of the certificate and the key with which Writ ends TLS. Undefined: a proxy ends TLS. */
  readonly tls: { readonly cert: string; readonly key: string } | undefined;
  /** The file of the authorities that issue the certificates of clients. */
  readonly clientCa: string | undefined;
  /** Whether certificates of clients can arrive: over our own TLS, or in a header of a trusted proxy. */
  readonly clientCertificates: boolean;
  /** Addresses whose `X-Forwarded-For` and `Client-Cert` are believed. */
  readonly trustedProxies: BlockList;
  /** Networks that are not public, in which trusted issuers of root may be. */
  readonly issuerNetworks: BlockList;
  /** How long new requests are still served after SIGTERM. */
  readonly drain: number;
  readonly maxStaleness: number;
  /** The number of processes that share the port; `auto`: one for each core. */
  readonly workers: number | 'auto';
  /** The most bytes of the accounts that a node remembers; undefined: a part of the memory of the process. */
  readonly cacheBytes: number | undefined;
  /** Seconds for which a signing key signs before another one takes its place. */
  readonly signingKeyMaxAge: number;
  /** Whether a DPoP proof must have a nonce of this server. */
  readonly dpopNonceRequired: boolean;
  readonly bootstrap: FixedRoot;
}

/** All problems of the settings at once; `message` is written for the operator. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(['Writ cannot start, its settings are wrong:', ...problems.map((problem) => `  ${problem}`)].join('\n'));
    this.problems = problems;
  }
}

function compileSettings(): ValidateFunction<Settings> {
  const ajv = new Ajv({ allErrors: true, coerceTypes: true, useDefaults: true, verbose: true });
  ajv.addFormat('issuer', isIssuer);
  ajv.addFormat('absolute-uri', isAbsoluteUri);
  ajv.addFormat('base64-256-bit', (text) => parseKeys(text) !== undefined);
  ajv.addFormat('postgres-url', (value) => wrongWithPostgresUrl(value) === undefined);
  ajv.addFormat('listen-address', (value) => parseListenAddress(value) !== undefined);
  ajv.addFormat('networks', (value) => parseNetworks(value) !== undefined);
  ajv.addFormat('limits', (value) => parseLimits(value) !== undefined);
  ajv.addFormat('json-object', (value) => parseObject(value) !== undefined);
  ajv.addFormat('database-url', (value) => /^pglite:./.test(value) || wrongWithPostgresUrl(value) === undefined);
  return ajv.compile<Settings>(SETTINGS);
}

/**
 * The settings that have a value, without the blanks around it. An empty value means "not set", so that a compose file
 * may pass settings through. Blanks are no part of a value: a file that holds a secret often ends with a line break.
 */
function settled(environment: Readonly<Record<string, string | undefined>>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(environment).flatMap(([name, value = '']) => (value.trim() === '' ? [] : [[name, value.trim()]])),
  );
}

/**
 * Makes the configuration from the environment.
 *
 * @param given the environment of the process
 * @returns the frozen configuration, and warnings about `WRIT_` names that are ignored
 * @throws ConfigError with every problem; it repeats no secret
 */
export function parseConfig(given: Readonly<Record<string, string | undefined>>): {
  config: Config;
  warnings: readonly string[];
} {
  const environment = settled(given);
  const { values, wrong } = checkedSettings(environment);
  const { misspelt, ignored } = unknownSettings(Object.keys(environment), Object.keys(SETTINGS.properties));
  const production = values.NODE_ENV === 'production';
  const { WRIT_TLS_CERT: cert, WRIT_TLS_KEY: key } = values;
  const tls = cert === undefined || key === undefined ? undefined : { cert, key };
  const issuer = values.WRIT_ISSUER ?? `${tls === undefined ? 'http' : 'https'}://localhost:${values.PORT}`;
  const contradicting = contradictions(values, issuer, environment['DATABASE_URL'] !== undefined)
    // A setting that is wrong by itself is reported once: a contradiction that names it is left out.
    .filter((problem) => ![...wrong.keys()].some((name) => problem.includes(name)));
  const problems = [...wrong.values(), ...misspelt, ...contradicting];
  if (problems.length > 0) throw new ConfigError(problems);

  const config: Config = {
    host: values.HOST,
    port: values.PORT,
    production,
    database: databaseConfig(values),
    logLevel: values.LOG_LEVEL,
    issuer,
    profile: values.WRIT_PROFILE,
    keysDirectory: values.WRIT_KEYS_DIR,
    keyEncryptionKeys: parseKeys(values.WRIT_KEY_ENCRYPTION_KEY ?? ''),
    signingAlg: values.WRIT_SIGNING_ALG,
    tokenTtl: values.WRIT_TOKEN_TTL,
    tokenMaxTtl: values.WRIT_TOKEN_MAX_TTL,
    tokenMaxBytes: values.WRIT_TOKEN_MAX_BYTES,
    defaultAudience: values.WRIT_DEFAULT_AUDIENCE,
    assertions: Object.freeze({
      audiences: Object.freeze(values.WRIT_ASSERTION_AUDIENCES?.split(',') ?? []),
      maxTtl: values.WRIT_ASSERTION_MAX_TTL,
    }),
    clockTolerance: toleranceOf(values.WRIT_PROFILE, values.WRIT_CLOCK_TOLERANCE),
    credentialPolicy: Object.freeze({
      secretMaxAge: values.WRIT_SECRET_MAX_AGE,
      keyMaxAge: values.WRIT_KEY_MAX_AGE,
    }),
    companyLimits: Object.freeze({ ...STANDARD_LIMITS, ...parseLimits(values.WRIT_COMPANY_LIMITS ?? '') }),
    expiryWarning: values.WRIT_EXPIRY_WARNING,
    clientKeys: Object.freeze(values.WRIT_CLIENT_KEYS?.split(',').map((key) => key.trim()) ?? []),
    internalListen: parseListenAddress(values.WRIT_INTERNAL_LISTEN ?? ''),
    tls,
    clientCa: values.WRIT_TLS_CLIENT_CA,
    clientCertificates: tls !== undefined || values.WRIT_TRUSTED_PROXIES !== undefined,
    trustedProxies: parseNetworks(values.WRIT_TRUSTED_PROXIES ?? '') ?? new BlockList(),
    issuerNetworks: parseNetworks(values.WRIT_ISSUER_NETWORKS ?? '') ?? new BlockList(),
    drain: values.WRIT_DRAIN,
    maxStaleness: values.WRIT_MAX_STALENESS,
    workers: values.WRIT_WORKERS === 'auto' ? 'auto' : Number(values.WRIT_WORKERS),
    cacheBytes: values.WRIT_CACHE_MB && values.WRIT_CACHE_MB * 1024 ** 2,
    signingKeyMaxAge: values.WRIT_SIGNING_KEY_MAX_AGE,
    dpopNonceRequired: values.WRIT_DPOP_NONCE === 'required',
    bootstrap: Object.freeze({
      clientId: values.WRIT_BOOTSTRAP_CLIENT_ID,
      clientSecret: values.WRIT_BOOTSTRAP_CLIENT_SECRET,
      publicKey: parseObject(values.WRIT_BOOTSTRAP_PUBLIC_KEY ?? ''),
    }),
  };
  return { config: Object.freeze(config), warnings: ignored };
}

/** The settings with their defaults, and the problem of each wrong setting. A wrong setting gets its default, too. */
function checkedSettings(environment: Readonly<Record<string, string | undefined>>): {
  values: Settings;
  wrong: ReadonlyMap<string, string>;
} {
  const validate = compileSettings();
  const given = Object.keys(SETTINGS.properties)
    .map((name) => [name, environment[name]] as const)
    .filter(([, value]) => value !== undefined);
  const values: unknown = Object.fromEntries(given);
  if (validate(values)) return { values, wrong: new Map() };
  const wrong = new Map((validate.errors ?? []).map((error) => [error.instancePath.slice(1), describe(error)]));
  const rest: unknown = Object.fromEntries(given.filter(([name]) => !wrong.has(name)));
  if (!validate(rest)) throw new ConfigError(wrong.values().toArray());
  return { values: rest, wrong };
}

/** Checks the rules that concern more than one setting. */
function contradictions(values: Settings, issuer: string, databaseNamed: boolean): string[] {
  const problems: string[] = [];
  if (values.NODE_ENV === 'production') {
    if (!issuer.startsWith('https://')) {
      problems.push('WRIT_ISSUER must be an https URL when NODE_ENV=production');
    }
    if (!databaseNamed) {
      problems.push(
        'DATABASE_URL must be set when NODE_ENV=production: postgres://…, or pglite:DIR for the embedded database',
      );
    }
  }
  if (parseListenAddress(values.WRIT_INTERNAL_LISTEN ?? '')?.port === values.PORT) {
    problems.push(`WRIT_INTERNAL_LISTEN must have another port than PORT (${values.PORT})`);
  }
  if (values.WRIT_TOKEN_TTL > values.WRIT_TOKEN_MAX_TTL) {
    problems.push(
      `WRIT_TOKEN_TTL (${values.WRIT_TOKEN_TTL}) must not be more than WRIT_TOKEN_MAX_TTL (${values.WRIT_TOKEN_MAX_TTL})`,
    );
  }
  if (!takesAlg(values.WRIT_PROFILE, values.WRIT_SIGNING_ALG)) {
    problems.push(`WRIT_SIGNING_ALG must not be ${values.WRIT_SIGNING_ALG} when WRIT_PROFILE=${values.WRIT_PROFILE}`);
  }
  if (values.WRIT_PROFILE === 'fapi2' && values.WRIT_ASSERTION_AUDIENCES !== undefined) {
    problems.push('WRIT_ASSERTION_AUDIENCES must not be set when WRIT_PROFILE=fapi2: aud is the issuer');
  }
  if ((values.WRIT_TLS_CERT === undefined) !== (values.WRIT_TLS_KEY === undefined)) {
    problems.push('WRIT_TLS_CERT and WRIT_TLS_KEY must be set together');
  }
  const arriving = [values.WRIT_TLS_CERT, values.WRIT_TLS_KEY, values.WRIT_TRUSTED_PROXIES];
  if (values.WRIT_TLS_CLIENT_CA !== undefined && arriving.every((value) => value === undefined)) {
    problems.push(
      'WRIT_TLS_CLIENT_CA must go with WRIT_TLS_CERT, or with WRIT_TRUSTED_PROXIES: no certificate arrives',
    );
  }
  if (values.WRIT_DEFAULT_AUDIENCE === `${issuer}/api` || values.WRIT_DEFAULT_AUDIENCE === issuer) {
    problems.push(`WRIT_DEFAULT_AUDIENCE must not be the issuer or its management API (${issuer}/api)`);
  }
  if (values.WRIT_WORKERS !== '1' && values.DATABASE_URL.startsWith('pglite:')) {
    problems.push('WRIT_WORKERS must be 1 beside the embedded database: only one process can have it open');
  }
  for (const name of ['WRIT_DATABASE_ADMIN_URL', 'WRIT_DATABASE_LISTEN_URL'] as const) {
    if (values[name] !== undefined && values.DATABASE_URL.startsWith('pglite:')) {
      problems.push(`${name} must not be set beside the embedded database`);
    }
  }
  return problems;
}

function databaseConfig(values: Settings): DatabaseConfig {
  if (values.DATABASE_URL.startsWith('pglite:')) {
    const directory = values.DATABASE_URL.slice('pglite:'.length);
    return { kind: 'embedded', directory: directory === 'memory' ? undefined : directory };
  }
  const adminUrl = values.WRIT_DATABASE_ADMIN_URL ?? values.DATABASE_URL;
  return {
    kind: 'postgres',
    url: withoutAliases(values.DATABASE_URL),
    adminUrl: withoutAliases(adminUrl),
    listenUrl: withoutAliases(values.WRIT_DATABASE_LISTEN_URL ?? adminUrl),
  };
}

function describe({ instancePath, data, params }: ErrorObject): string {
  const name = instancePath.slice(1);
  if (/^(?:postgres|database)-url$/.test(String(params['format'])) && isMeantForPostgres(String(data))) {
    return `${name} must be ${wrongWithPostgresUrl(String(data))}`;
  }
  const expected = new Map<string, string>(Object.entries(EXPECTED)).get(name);
  return `${name} must be ${expected}${SECRET.has(name) ? '' : `, not ${JSON.stringify(data)}`}`;
}
