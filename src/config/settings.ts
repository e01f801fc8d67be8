import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import { CLIENT_ID_PATTERN } from '../domain/ids.ts';

const SECONDS = { type: 'integer', minimum: 1, maximum: 31_536_000 } as const;

const MAX_AGE = { type: 'integer', minimum: 0, maximum: 315_360_000 } as const;

/** Every setting that Writ reads from its environment, in the order in which the README lists them. */
export const SETTINGS = {
  type: 'object',
  properties: {
    HOST: { type: 'string', pattern: '^[A-Za-z0-9.:-]+$', default: '127.0.0.1' },
    PORT: { type: 'integer', minimum: 1, maximum: 65_535, default: 3000 },
    DATABASE_URL: { type: 'string', format: 'database-url', default: 'pglite:./data' },
    LOG_LEVEL: { enum: ['fatal', 'error', 'warn', 'info', 'debug', 'trace'], default: 'info' },
    NODE_ENV: { type: 'string' },
    WRIT_ISSUER: { type: 'string', format: 'issuer' },
    WRIT_KEYS_DIR: { type: 'string', minLength: 1, default: './keys' },
    WRIT_KEY_ENCRYPTION_KEY: { type: 'string', format: 'base64-256-bit' },
    WRIT_SIGNING_ALG: { enum: ['ES256', 'RS256', 'PS256', 'EdDSA'], default: 'ES256' },
    WRIT_TOKEN_TTL: { ...SECONDS, default: 900 },
    WRIT_TOKEN_MAX_TTL: { ...SECONDS, default: 86_400 },
    WRIT_TOKEN_MAX_BYTES: { type: 'integer', minimum: 2048, maximum: 65_536, default: 6144 },
    WRIT_DEFAULT_AUDIENCE: { type: 'string', format: 'absolute-uri', default: 'api://default' },
    WRIT_ASSERTION_AUDIENCES: { type: 'string', pattern: '^[!-+\\--~]+(?:,[!-+\\--~]+)*$' },
    WRIT_ASSERTION_MAX_TTL: { type: 'integer', minimum: 1, maximum: 86_400, default: 300 },
    WRIT_CLOCK_TOLERANCE: { type: 'integer', minimum: 0, maximum: 60, default: 10 },
    WRIT_SECRET_MAX_AGE: MAX_AGE,
    WRIT_KEY_MAX_AGE: MAX_AGE,
    WRIT_COMPANY_LIMITS: { type: 'string', format: 'limits' },
    WRIT_EXPIRY_WARNING: { type: 'integer', minimum: 0, maximum: 31_536_000, default: 1_209_600 },
    WRIT_CLIENT_KEYS: { type: 'string', pattern: '^[!-+\\--~]+(?: ?, ?[!-+\\--~]+)*$' },
    WRIT_TRUSTED_PROXIES: { type: 'string', format: 'networks' },
    WRIT_INTERNAL_LISTEN: { type: 'string', format: 'listen-address' },
    WRIT_DRAIN: { type: 'integer', minimum: 0, maximum: 3600, default: 5 },
    WRIT_MAX_STALENESS: { type: 'integer', minimum: 0, maximum: 86_400, default: 900 },
    WRIT_DATABASE_ADMIN_URL: { type: 'string', format: 'postgres-url' },
    WRIT_DATABASE_LISTEN_URL: { type: 'string', format: 'postgres-url' },
    WRIT_BOOTSTRAP_CLIENT_ID: { type: 'string', pattern: CLIENT_ID_PATTERN },
    WRIT_BOOTSTRAP_CLIENT_SECRET: { type: 'string', pattern: '^[A-Za-z0-9_-]{40,256}$' },
    WRIT_BOOTSTRAP_PUBLIC_KEY: { type: 'string', format: 'json-object' },
  },
  additionalProperties: false,
} as const satisfies JSONSchema;

export type Settings = FromSchema<typeof SETTINGS>;

/** The words that complete "NAME must be …" in the message that stops a start. */
export const EXPECTED: Readonly<Record<keyof Settings, string>> = {
  HOST: 'an address or a host name',
  PORT: 'a whole number from 1 to 65535',
  DATABASE_URL: 'postgres://…, pglite:DIR or pglite:memory',
  LOG_LEVEL: 'one of fatal, error, warn, info, debug, trace',
  NODE_ENV: 'a word',
  WRIT_ISSUER: 'an http or https URL without credentials, query, fragment or a final /',
  WRIT_KEYS_DIR: 'a folder',
  WRIT_KEY_ENCRYPTION_KEY: '32 bytes in base64 (openssl rand -base64 32 makes them)',
  WRIT_SIGNING_ALG: 'one of ES256, RS256, PS256, EdDSA',
  WRIT_TOKEN_TTL: 'a whole number of seconds from 1 to 31536000',
  WRIT_TOKEN_MAX_TTL: 'a whole number of seconds from 1 to 31536000',
  WRIT_TOKEN_MAX_BYTES: 'a whole number of bytes from 2048 to 65536',
  WRIT_DEFAULT_AUDIENCE: 'an absolute URI without a fragment',
  WRIT_ASSERTION_AUDIENCES: 'values of aud, separated by commas, without spaces',
  WRIT_ASSERTION_MAX_TTL: 'a whole number of seconds from 1 to 86400',
  WRIT_CLOCK_TOLERANCE: 'a whole number of seconds from 0 to 60',
  WRIT_SECRET_MAX_AGE: 'a whole number of seconds from 0 to 315360000',
  WRIT_KEY_MAX_AGE: 'a whole number of seconds from 0 to 315360000',
  WRIT_COMPANY_LIMITS:
    'limits such as serviceAccounts=200,credentials=500 with names from serviceAccounts, credentials, groups, roles, resourceServers, permissions',
  WRIT_EXPIRY_WARNING: 'a whole number of seconds from 0 to 31536000',
  WRIT_CLIENT_KEYS: 'keys of printable ASCII characters without blanks, separated by commas',
  WRIT_TRUSTED_PROXIES: 'addresses or CIDRs, separated by commas',
  WRIT_INTERNAL_LISTEN: 'host:port',
  WRIT_DRAIN: 'a whole number of seconds from 0 to 3600',
  WRIT_MAX_STALENESS: 'a whole number of seconds from 0 to 86400',
  WRIT_DATABASE_ADMIN_URL: 'postgres://…',
  WRIT_DATABASE_LISTEN_URL: 'postgres://…',
  WRIT_BOOTSTRAP_CLIENT_ID: '1 to 64 of the characters A-Z a-z 0-9 _ -',
  WRIT_BOOTSTRAP_CLIENT_SECRET: '40 to 256 of the characters A-Z a-z 0-9 _ -',
  WRIT_BOOTSTRAP_PUBLIC_KEY: 'a public JWK, as JSON',
};

/** The settings whose value may contain a secret: no message repeats the value. */
export const SECRET: ReadonlySet<string> = new Set<keyof Settings>([
  'DATABASE_URL',
  'WRIT_DATABASE_ADMIN_URL',
  'WRIT_DATABASE_LISTEN_URL',
  'WRIT_KEY_ENCRYPTION_KEY',
  'WRIT_BOOTSTRAP_CLIENT_SECRET',
  'WRIT_CLIENT_KEYS',
  // The operator may have put the private half of the key here by mistake.
  'WRIT_BOOTSTRAP_PUBLIC_KEY',
]);
