import { timingSafeEqual } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Config } from '../config/parse-config.ts';
import { createActivity } from '../domain/activity/activity.ts';
import { createDiagnoseAssertion } from '../domain/assertions/diagnose-assertion.ts';
import { createCompanies } from '../domain/companies/companies.ts';
import type { NoteRefusal } from '../domain/activity/refusal.ts';
import type { NoteUse } from '../domain/credentials/use-store.ts';
import { createCredentials } from '../domain/credentials/credentials.ts';
import { issueClientSecret } from '../domain/credentials/issue-credentials.ts';
import { createGroups } from '../domain/groups/groups.ts';
import { createResourceServers } from '../domain/resource-servers/resource-servers.ts';
import { createRoles } from '../domain/roles/roles.ts';
import { createRegistration } from '../domain/service-accounts/register-service-account.ts';
import { createServiceAccounts } from '../domain/service-accounts/create-service-accounts.ts';
import { createApiKeyFinder } from '../domain/tokens/find-api-key.ts';
import { createTokenInspector } from '../domain/tokens/live-token.ts';
import { createRevokeToken } from '../domain/tokens/revoke-token.ts';
import { createAccessTokenJudge, createAccessTokenVerifier } from '../domain/tokens/verify-access-token.ts';
import { health, type Readiness } from '../http/health.ts';
import { metricsFace } from '../http/metrics-face.ts';
import { createAuthentication, createClientKeyCheck } from '../management/authenticate.ts';
import { createCursorCodec } from '../management/cursor.ts';
import { managementFace } from '../management/management-face.ts';
import { rememberVerified } from '../management/remember-verified.ts';
import { createRootVeil } from '../management/root-veil.ts';
import { managementRoutes } from '../management/routes.ts';
import { createDecoyKeys } from '../oauth/decoy.ts';
import { createGuessLimiter, GUESS_LIMITS, type GuessLimits } from '../oauth/guess-limiter.ts';
import { oauthFace } from '../oauth/oauth-face.ts';
import type { StatusLists } from '../oauth/status-lists.ts';
import type { Faces } from './place-faces.ts';
import { createTurns } from '../pacing/take-turns.ts';
import type { PreparedServer } from '../start/prepare-server.ts';
import type { Surroundings } from '../start/surroundings.ts';

/** Management calls of one company or root account at once: fewer than there are connections to the database. */
const MANAGEMENT_TURNS = { each: 4, all: 64, line: 256 };
/** Of how many API keys it is remembered whose they are. */
const KEYS_REMEMBERED = 20_000;

/** The parts that work beside the requests, and that requests take part in. */
export interface Running {
  readonly noteUse: NoteUse;
  readonly noteRefusal: NoteRefusal;
  readonly statusLists: StatusLists;
  readonly readiness: () => Readiness;
}

/** What the faces are given, with other limits for tests. */
export interface FaceSurroundings extends Surroundings {
  /** How many attempts to authenticate may fail, and the time in milliseconds that this goes by. */
  readonly guessing?: { readonly limits: GuessLimits; readonly now: () => number };
}

/** Gives every face what it needs. */
export function createFaces(
  config: Config,
  server: PreparedServer,
  {
    clock,
    random,
    logger,
    metrics,
    guessing = { limits: GUESS_LIMITS, now: () => performance.now() },
  }: FaceSurroundings,
  { noteUse, noteRefusal, statusLists, readiness }: Running,
): Faces {
  const { issuer, signingAlg } = config;
  const { storage, signingKeys, credentialTools } = server;
  const rootVeil = createRootVeil(storage.read.serviceAccounts.ownersOf);
  const accountTools = {
    ...credentialTools,
    storage,
    clock,
    tokens: { issuer, signingAlg, maxTtl: config.tokenMaxTtl, maxBytes: config.tokenMaxBytes },
    policy: config.credentialPolicy,
    limits: config.companyLimits,
  };
  const registration = createRegistration(accountTools);
  const companies = createCompanies({ storage, clock, registration });
  const serviceAccounts = createServiceAccounts(accountTools, registration);
  const assertions = { issuer, ...config.assertions, clockTolerance: config.clockTolerance, clock };
  const keys = signingKeys.current;
  const judge = createAccessTokenJudge({ keyRing: keys, issuer, audience: `${issuer}/api`, clock });
  const verifyToken = createAccessTokenVerifier({ keyRing: keys, issuer, audience: undefined, clock });

  const oauth = oauthFace({
    ...assertions,
    keyRing: signingKeys.current(),
    onNewKeys: signingKeys.onChange,
    signingAlg,
    tokenTtl: config.tokenTtl,
    tokenMaxTtl: config.tokenMaxTtl,
    tokenMaxBytes: config.tokenMaxBytes,
    accounts: server.accounts,
    hashSecret: credentialTools.hashSecret,
    sameHash: timingSafeEqual,
    decoySecret: issueClientSecret(credentialTools, clock()).credential,
    replays: storage.replays,
    noteUse,
    noteRefusal,
    guesses: createGuessLimiter({ ...guessing, logger, metrics }),
    statusLists,
    expiryWarning: config.expiryWarning,
    inspectToken: createTokenInspector({
      verify: verifyToken,
      find: server.accounts.find,
      revokedTokens: storage.readForTokens.revokedTokens,
    }),
    findApiKey: createApiKeyFinder({
      hashSecret: credentialTools.hashSecret,
      sameHash: timingSafeEqual,
      ownerOf: storage.readForTokens.credentials.ownerOf,
      owners: new LRUCache({ max: KEYS_REMEMBERED }),
      find: server.accounts.find,
      knows: server.accounts.knows,
      clock,
    }),
    verifyToken,
    revokeToken: createRevokeToken(storage),
    introspects: storage.readForTokens.resourceServers.introspects,
    decoyKeys: createDecoyKeys(random.bytes),
    logger,
    metrics,
  });
  // Counted by itself: a caller of the API with an old token takes nothing from a client that asks for a new one.
  const strangers = createGuessLimiter({ ...guessing, logger: logger.child({ face: 'management' }), metrics });
  const management = managementFace({
    routes: managementRoutes({
      tokens: {
        issuer,
        signingAlg,
        tokenTtl: config.tokenTtl,
        tokenMaxTtl: config.tokenMaxTtl,
        tokenMaxBytes: config.tokenMaxBytes,
      },
      companies,
      serviceAccounts,
      credentials: createCredentials({
        ...credentialTools,
        storage,
        clock,
        policy: config.credentialPolicy,
        limits: config.companyLimits,
        assertionMaxTtl: config.assertions.maxTtl,
      }),
      resourceServers: createResourceServers({
        storage,
        clock,
        randomId: random.id,
        maxTtl: config.tokenMaxTtl,
        signingKeys,
        limits: config.companyLimits,
      }),
      roles: createRoles({ storage, clock, randomId: random.id, limits: config.companyLimits }),
      groups: createGroups({ storage, clock, randomId: random.id, limits: config.companyLimits }),
      activity: createActivity({ ...storage.read, serviceAccounts }),
      diagnose: createDiagnoseAssertion({ serviceAccounts, storage, settings: assertions }),
      auditEvents: storage.auditEvents,
      rootVeil,
    }),
    authentication: createAuthentication(rememberVerified(judge, keys, clock), storage.read.serviceAccounts),
    checkClientKey: createClientKeyCheck(config.clientKeys),
    countFailure: (source, requestId) =>
      strangers.failed(strangers.admit(source, ''), requestId)?.headers['Retry-After'],
    companyExists: async (companyId) => (await storage.read.companies.find(companyId)) !== undefined,
    cursors: createCursorCodec(server.cursorKey),
    takeTurns: createTurns(MANAGEMENT_TURNS),
    rootVeil,
    resourceMetadata: `${issuer}/.well-known/oauth-protected-resource/api`,
    clock,
    logger,
  });
  return { oauth, internal: [management, metricsFace(metrics, () => performance.now()), health(readiness)] };
}
