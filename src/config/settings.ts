import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import { CLIENT_ID_PATTERN } from '../domain/ids.ts';
import { PROFILES } from '../domain/profile.ts';

const SECONDS = { type: 'integer', minimum: 1, maximum: 31_536_000 } as const;

const MAX_AGE = { type: 'integer', minimum: 0, maximum: 315_360_000 } as const;

/** Every setting that Writ reads from its environment, in the order of `docs/operate/settings.md`. */
export const SETTINGS = {
  type: 'object',
  properties: {
    HOST: {
      type: 'string',
      pattern: '^[A-Za-z0-9.:-]+$',
      default: '127.0.0.1',
      description: 'the address where Writ listens (`0.0.0.0` in the container image)',
    },
    PORT: { type: 'integer', minimum: 1, maximum: 65_535, default: 3000, description: 'the port where Writ listens' },
    DATABASE_URL: {
      type: 'string',
      format: 'database-url',
      default: 'pglite:./data',
      description: '`postgres://…` (PostgreSQL 15 or later), `pglite:DIR` (embedded, one process), `pglite:memory`',
    },
    LOG_LEVEL: {
      enum: ['fatal', 'error', 'warn', 'info', 'debug', 'trace'],
      default: 'info',
      description: 'the lowest level that is logged; JSON lines when standard output is no terminal',
    },
    NODE_ENV: {
      type: 'string',
      description: '`production`: the issuer must be https, the embedded database must be named, no secret is printed',
    },
    WRIT_ISSUER: {
      type: 'string',
      format: 'issuer',
      description:
        'the issuer identifier: it may have a path, and no final `/`; it is never derived from a request. Default: `http://localhost:PORT`, or `https://` when Writ ends TLS itself',
    },
    WRIT_PROFILE: {
      enum: PROFILES,
      default: 'standard',
      description:
        '`fapi2`: the FAPI 2.0 Security Profile: keys and certificates in place of secrets, bound tokens, no RS256: see [the profile](fapi2.md)',
    },
    WRIT_KEYS_DIR: {
      type: 'string',
      minLength: 1,
      default: './keys',
      description:
        'the folder of the [key-encryption key](../../keys/README.md), and of [signing keys to import](signing-keys.md#bring-keys-of-another-server)',
    },
    WRIT_KEY_ENCRYPTION_KEY: {
      type: 'string',
      format: 'base64-256-bit',
      description:
        'the key-encryption key, in place of its file; while it is being changed several, the newest first, separated by commas',
    },
    WRIT_SIGNING_ALG: {
      enum: ['ES256', 'RS256', 'PS256', 'EdDSA'],
      default: 'ES256',
      description:
        'the algorithm of access tokens; a resource server may have another. In production a key of a new algorithm signs after it has been published for 360 seconds',
    },
    WRIT_SIGNING_KEY_MAX_AGE: {
      type: 'integer',
      minimum: 172_800,
      maximum: 315_360_000,
      default: 7_776_000,
      description:
        'seconds for which a signing key signs, two days at least; the next key is in the JWKS a day before it signs',
    },
    WRIT_TOKEN_TTL: {
      ...SECONDS,
      default: 900,
      description:
        'seconds: the lifetime of access tokens, where neither the account nor the resource server says otherwise',
    },
    WRIT_TOKEN_MAX_TTL: {
      ...SECONDS,
      default: 86_400,
      description: 'seconds: the longest lifetime that an account or a resource server may have',
    },
    WRIT_TOKEN_MAX_BYTES: {
      type: 'integer',
      minimum: 2048,
      maximum: 65_536,
      default: 6144,
      description: 'a change that would make the unscoped token of an account longer is refused, with the sizes',
    },
    WRIT_DEFAULT_AUDIENCE: {
      type: 'string',
      format: 'absolute-uri',
      default: 'api://default',
      description: 'the identifier of the default resource server',
    },
    WRIT_ASSERTION_AUDIENCES: {
      type: 'string',
      pattern: '^[!-+\\--~]+(?:,[!-+\\--~]+)*$',
      description:
        'further values that assertions may have as `aud`; a single key may have its own (`assertionAudiences`)',
    },
    WRIT_ASSERTION_MAX_TTL: {
      type: 'integer',
      minimum: 1,
      maximum: 86_400,
      default: 300,
      description:
        'seconds: the longest time that an assertion may have left (`exp` − now); a single key may have its own (`assertionMaxTtl`)',
    },
    WRIT_CLOCK_TOLERANCE: {
      type: 'integer',
      minimum: 0,
      maximum: 60,
      default: 10,
      description: 'seconds by which the clock of a client may be off',
    },
    WRIT_DPOP_NONCE: {
      enum: ['optional', 'required'],
      default: 'optional',
      description:
        'whether a DPoP proof must have a nonce of this server: clients then ask twice for their first token',
    },
    WRIT_SECRET_MAX_AGE: {
      ...MAX_AGE,
      description:
        'seconds: the longest that a secret or an API key may work; 0: there may be none. A company may have less',
    },
    WRIT_KEY_MAX_AGE: {
      ...MAX_AGE,
      description:
        'seconds: the longest that a public key or a certificate may work; 0: there may be none. A company may have less',
    },
    WRIT_COMPANY_LIMITS: {
      type: 'string',
      format: 'limits',
      description: 'the most of each thing in a company that has no limit of its own: see [limits](limits.md)',
    },
    WRIT_EXPIRY_WARNING: {
      type: 'integer',
      minimum: 0,
      maximum: 31_536_000,
      default: 1_209_600,
      description:
        'seconds before a credential expires in which its client reads `credential_expires_at` beside every token; at most a third of its lifetime',
    },
    WRIT_CLIENT_KEYS: {
      type: 'string',
      pattern: '^[!-+\\--~]+(?: ?, ?[!-+\\--~]+)*$',
      description: 'when set, calls of the management API must have one of these keys in `Client-key`',
    },
    WRIT_TRUSTED_PROXIES: {
      type: 'string',
      format: 'networks',
      description: 'the proxies whose `X-Forwarded-For` and `Client-Cert` are believed',
    },
    WRIT_TLS_CERT: {
      type: 'string',
      minLength: 1,
      description:
        'the file of the certificate with which Writ itself ends TLS at `HOST` and `PORT`, with its chain, in PEM: see [mutual TLS](../guide/mutual-tls.md). The files of the TLS settings are read anew when they change',
    },
    WRIT_TLS_KEY: { type: 'string', minLength: 1, description: 'the file of the private key of that certificate' },
    WRIT_TLS_CLIENT_CA: {
      type: 'string',
      minLength: 1,
      description: 'the file of the authorities whose certificates identify clients by their subjects, in PEM',
    },
    WRIT_ISSUER_NETWORKS: {
      type: 'string',
      format: 'networks',
      description: 'networks that are not public, in which trusted issuers of root may be',
    },
    WRIT_INTERNAL_LISTEN: {
      type: 'string',
      format: 'listen-address',
      description:
        "when set, `/api` (without `/api/m2m/oauth/token`, where Mia-Platform's clients ask for tokens), `/metrics` and `/health` answer there only",
    },
    WRIT_WORKERS: {
      type: 'string',
      pattern: '^(auto|[1-9][0-9]?)$',
      default: '1',
      description:
        'the number of processes that share the port, or `auto`: one for each core. PostgreSQL only: see [production](production.md#more-than-one-core)',
    },
    WRIT_DRAIN: {
      type: 'integer',
      minimum: 0,
      maximum: 3600,
      default: 5,
      description: 'seconds after SIGTERM in which new requests are still served, with `Connection: close`',
    },
    WRIT_MAX_STALENESS: {
      type: 'integer',
      minimum: 0,
      maximum: 86_400,
      default: 900,
      description: 'seconds for which remembered clients still get tokens by secret while the database is away',
    },
    WRIT_CACHE_MB: {
      type: 'integer',
      minimum: 1,
      maximum: 65_536,
      description:
        'megabytes that the accounts may take which a node remembers: some 2 KB each. Default: a quarter of the memory that the process may have',
    },
    WRIT_DATABASE_ADMIN_URL: {
      type: 'string',
      format: 'postgres-url',
      description:
        'the role for migrations; it grants the role of `DATABASE_URL` what the server needs. Default: `DATABASE_URL`',
    },
    WRIT_DATABASE_LISTEN_URL: {
      type: 'string',
      format: 'postgres-url',
      description:
        'where nodes hear of changes: a connection that no pooler shares by transaction. Default: `WRIT_DATABASE_ADMIN_URL`',
    },
    WRIT_BOOTSTRAP_CLIENT_ID: {
      type: 'string',
      pattern: CLIENT_ID_PATTERN,
      description: 'the id of the first root account. The bootstrap settings count only while there is no root account',
    },
    WRIT_BOOTSTRAP_CLIENT_SECRET: {
      type: 'string',
      pattern: '^[A-Za-z0-9_-]{40,256}$',
      description: 'the secret of the first root account',
    },
    WRIT_BOOTSTRAP_PUBLIC_KEY: {
      type: 'string',
      format: 'json-object',
      description: 'the public key of the first root account',
    },
  },
  additionalProperties: false,
} as const satisfies JSONSchema;

export type Settings = FromSchema<typeof SETTINGS>;

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
