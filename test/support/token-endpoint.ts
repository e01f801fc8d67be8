import { timingSafeEqual } from 'node:crypto';
import { BlockList } from 'node:net';
import Koa from 'koa';
import type { ReplayStore } from '../../src/domain/assertions/replay-store.ts';
import { createDpopNonces } from '../../src/domain/possession/dpop-nonces.ts';
import { type ClientAuthorities, createClientAuthorities } from '../../src/domain/certificates/client-authorities.ts';
import type { ClientCertificate } from '../../src/domain/certificates/client-certificate.ts';
import { createDpopVerifier } from '../../src/domain/possession/dpop-proof.ts';
import { issueClientSecret } from '../../src/domain/credentials/issue-credentials.ts';
import { createSecretHasher } from '../../src/domain/credentials/secret-hasher.ts';
import { createBatch } from '../../src/domain/signatures/batch.ts';
import { createSignatureCheck, type IsSignedWith } from '../../src/domain/signatures/is-signed-with.ts';
import type { AccountSnapshot } from '../../src/domain/service-accounts/service-account.ts';
import type { KeyRing } from '../../src/domain/signing-keys/key-ring.ts';
import type { TokenSettings } from '../../src/domain/tokens/plan-token.ts';
import type { FindApiKey } from '../../src/domain/tokens/find-api-key.ts';
import type { HttpApp } from '../../src/http/context.ts';
import { HTTP_LIMITS, listen } from '../../src/http/http-server.ts';
import { requestContext } from '../../src/http/request-context.ts';
import { createSourceReader } from '../../src/http/source-reader.ts';
import { inspectionEndpoint } from '../../src/oauth/endpoints/inspection-endpoint.ts';
import { tokenEndpoint } from '../../src/oauth/endpoints/token-endpoint.ts';
import { createLibrary } from '../../src/oauth/library/create-library.ts';
import { INTROSPECTION_PATH } from '../../src/oauth/library/inspection.ts';
import { createGuessLimiter, type GuessLimiter } from '../../src/oauth/refusals/guess-limiter.ts';
import { createDecoyKeys, type DecoyKeys } from '../../src/oauth/ways/decoy.ts';
import { createAccountFinder, type RememberedAccounts } from '../../src/oauth/ways/find-account.ts';
import type { RecognizeClient } from '../../src/oauth/ways/way.ts';
import { createClientRecognizer, type WayTools } from '../../src/oauth/ways/ways.ts';
import { random } from '../../src/start/random.ts';
import { systemClock } from '../../src/start/system-clock.ts';
import { type LogEntry, NO_GUESS_LIMITS, quietSurroundings } from './config.ts';
import { freePort } from './free-port.ts';
import { newSigningKey } from './signing-keys.ts';

/** A token endpoint, and introspection beside it, without a database: a test hands over the snapshots of all accounts. */
export interface BareTokenEndpoint {
  readonly kid: string;
  readonly issuer: string;
  post(parameters: Record<string, string>, headers?: Record<string, string>, path?: string): Promise<Response>;
  log(): LogEntry[];
  close(): Promise<void>;
}

export const secretTools = {
  hashSecret: createSecretHasher(random.bytes(32)),
  randomBytes: random.bytes,
  randomId: random.id,
};

/** The snapshot of an account with these credentials and one permission. */
export function snapshotOf(clientId: string, credentials: AccountSnapshot['credentials']): AccountSnapshot {
  return {
    account: { clientId, audience: 'default', senderConstraint: 'none' },
    enabled: true,
    credentials: credentials.map((credential, idx) => ({ ...credential, status: { list: 0, idx } })),
    audiences: new Map([
      [
        'default',
        { resourceServerId: 'default', identifier: 'api://default', tokenType: 'at+jwt', senderConstraint: 'none' },
      ],
    ]),
    holdings: new Map([['default', new Set(['a'])]]),
  } as unknown as AccountSnapshot;
}

/** The parts of a bare token endpoint that a test can replace. */
export interface BareParts {
  readonly accounts: RememberedAccounts;
  readonly guesses: GuessLimiter;
  readonly secrets: Partial<WayTools['secrets']>;
  readonly keyRing: KeyRing;
  readonly decoyKeys: DecoyKeys;
  readonly isSignedWith: IsSignedWith;
  readonly authorities: ClientAuthorities;
  /** The certificate that every client presents. */
  readonly certificate: ClientCertificate;
  readonly recognize: RecognizeClient;
}

/** Every id is new: nothing is remembered. */
const REPLAYS: ReplayStore = {
  consume: () => Promise.resolve(true),
  consumeAll: (uses) => Promise.resolve(uses.map(() => true)),
  deleteExpired: () => Promise.resolve(0),
};

export const isSignedWith = createSignatureCheck(createBatch(() => performance.now()));

const dpop = createDpopVerifier({
  nonces: createDpopNonces(random.bytes(32), systemClock),
  nonceRequired: false,
  replays: REPLAYS,
  keys: new Map(),
  isSignedWith,
  clockTolerance: 10,
  clock: systemClock,
});
export async function startBareTokenEndpoint(
  snapshots: readonly AccountSnapshot[],
  parts: Partial<BareParts> = {},
): Promise<BareTokenEndpoint> {
  const key = await newSigningKey('ES256');
  const issuer = 'https://id.example';
  const lines: string[] = [];
  const { logger, metrics } = quietSurroundings({ lines });
  const {
    keyRing = { keys: [key], active: { ES256: key, RS256: key, PS256: key, EdDSA: key } },
    guesses = createGuessLimiter({ limits: NO_GUESS_LIMITS, now: () => performance.now(), logger, metrics }),
    accounts = {
      find: (clientId) => Promise.resolve(snapshots.find(({ account }) => account.clientId === clientId)),
      remembers: () => true,
    },
  } = parts;
  const findApiKey: FindApiKey = () => Promise.resolve({ refused: 'api_key_unknown' });
  const tokens: TokenSettings = {
    issuer,
    profile: 'standard',
    signingAlg: 'ES256',
    tokenTtl: 60,
    tokenMaxTtl: 86_400,
    tokenMaxBytes: 6144,
  };
  const library = createLibrary({
    keyRing,
    tokens,
    inspection: {
      issuer,
      inspectToken: () => Promise.resolve(undefined),
      verifyToken: () => Promise.resolve(undefined),
      revokeToken: () => Promise.resolve(),
      introspects: () => Promise.resolve(false),
      findApiKey,
    },
  });
  const recognizeClient = createClientRecognizer(
    {
      findAccount: createAccountFinder(accounts, guesses),
      secrets: {
        hashSecret: secretTools.hashSecret,
        sameHash: timingSafeEqual,
        clock: systemClock,
        profile: 'standard',
        decoySecret: issueClientSecret(secretTools, new Date()).credential,
        ...parts.secrets,
      },
      assertions: {
        issuer,
        profile: 'standard',
        audiences: [],
        maxTtl: 300,
        clockTolerance: 10,
        clock: systemClock,
        replays: REPLAYS,
        decoyKeys: parts.decoyKeys ?? createDecoyKeys(random.bytes),
        isSignedWith: parts.isSignedWith ?? isSignedWith,
      },
      certificates: { authorities: parts.authorities ?? createClientAuthorities(() => []), clock: systemClock },
      federation: {
        guesses,
        accounts: { find: () => undefined, remembers: () => true },
        findSubjectOwner: () => Promise.resolve(undefined),
        verifyExternal: () => Promise.reject(new Error('no token of another issuer is expected here')),
      },
      possession: { dpop, issuer },
    },
    guesses,
  );
  const tools = {
    recognize: parts.recognize ?? recognizeClient,
    profile: 'standard',
    alias: false,
    logger,
    noteUse: () => {},
    noteRefusal: () => {},
  } as const;
  const token = tokenEndpoint({
    ...tools,
    mintToken: library.mintToken,
    tokens,
    possession: { dpop, issuer },
    metrics,
    clock: systemClock,
    expiryWarning: 0,
  });
  const introspect = inspectionEndpoint({ ...tools, library, path: INTROSPECTION_PATH, endpoint: 'introspection' });
  const app: HttpApp = new Koa();
  app
    .use(requestContext(random.uuid, createSourceReader(new BlockList(), logger), () => parts.certificate))
    .use(async (ctx) => (ctx.path === INTROSPECTION_PATH ? introspect : token)(ctx));
  const port = await freePort();
  const server = await listen(app.callback(), {
    host: '127.0.0.1',
    port,
    limits: HTTP_LIMITS,
    newId: random.uuid,
    isManagement: () => false,
    onRefused: () => {},
  });
  return {
    kid: key.kid,
    issuer,
    post: (parameters, headers = {}, path = '/oauth/token') =>
      fetch(`http://127.0.0.1:${port}${path}`, {
        method: 'POST',
        headers,
        body: new URLSearchParams({ grant_type: 'client_credentials', ...parameters }),
      }),
    log: () => lines.map((line): LogEntry => JSON.parse(line)),
    close: () => server.close(100),
  };
}
