import type { Config } from '../config/parse-config.ts';
import { createActivity } from '../domain/activity/activity.ts';
import { createDiagnoseAssertion } from '../domain/assertions/diagnose-assertion.ts';
import { createCompanies } from '../domain/companies/companies.ts';
import { createCredentials } from '../domain/credentials/credentials.ts';
import { createTryExternalToken } from '../domain/federation/try-external-token.ts';
import { createTrustedIssuers } from '../domain/federation/trusted-issuers.ts';
import { createGroups } from '../domain/groups/groups.ts';
import { createResourceServers } from '../domain/resource-servers/resource-servers.ts';
import { createRoles } from '../domain/roles/roles.ts';
import { createServiceAccounts } from '../domain/service-accounts/create-service-accounts.ts';
import { createRegistration } from '../domain/service-accounts/register-service-account.ts';
import { createImpersonate } from '../domain/tokens/impersonate.ts';
import type { MintToken } from '../domain/tokens/mint-token.ts';
import { createAccessTokenJudge } from '../domain/tokens/verify-access-token.ts';
import type { HttpMiddleware } from '../http/context.ts';
import { createAdmission } from '../management/admit.ts';
import { createAuthentication, createClientKeyCheck } from '../management/authenticate.ts';
import { createCursorCodec } from '../management/cursor.ts';
import { managementFace } from '../management/management-face.ts';
import { rememberVerified } from '../management/remember-verified.ts';
import { createRootVeil } from '../management/root-veil.ts';
import { managementRoutes } from '../management/routes.ts';
import { createGuessLimiter } from '../oauth/refusals/guess-limiter.ts';
import { createTurns } from '../pacing/take-turns.ts';
import type { PreparedServer } from '../start/prepare-server.ts';
import type { GuessedSurroundings, SharedTools } from './face-surroundings.ts';
import { sharedGuesses } from './shared-guesses.ts';
import { assertionSettings, tokenSettings } from './shared-settings.ts';

/** The most management calls that run at once. One company or root account gets fewer than the database connections. */
const MANAGEMENT_TURNS = { each: 4, all: 64, line: 256 };

/** The addresses of the management API: a proof of possession names one of them. */
function addressesOf({ issuer, internalListen }: Config): readonly string[] {
  if (internalListen === undefined) return [issuer];
  const { host, port } = internalListen;
  return [issuer, `http://${host.includes(':') ? `[${host}]` : host}:${port}`];
}

/** Gives the face of the management API its parts. */
export function composeManagementFace(
  config: Config,
  { storage, signingKeys, credentialTools, cursorKey, isSignedWith }: PreparedServer,
  { clock, random, logger, metrics, guessing, peers }: GuessedSurroundings,
  { external, dpop, mintToken }: SharedTools & { readonly mintToken: MintToken },
): HttpMiddleware {
  const { issuer, signingAlg } = config;
  const tokens = tokenSettings(config);
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
  const judge = createAccessTokenJudge({ signingKeys, issuer, audience: `${issuer}/api`, clock });
  // These failures count apart from those at the token endpoint: a caller with an old token must not limit a client
  // that asks for a new one.
  const strangers = createGuessLimiter({
    ...guessing,
    logger: logger.child({ face: 'management' }),
    metrics,
    shared: sharedGuesses(peers, 'management'),
  });
  return managementFace({
    routes: managementRoutes({
      tokens,
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
        profile: config.profile,
        signingKeys,
        limits: config.companyLimits,
      }),
      trustedIssuers: createTrustedIssuers({ storage, clock, randomId: random.id, issuer }),
      roles: createRoles({ storage, clock, randomId: random.id, limits: config.companyLimits }),
      groups: createGroups({ storage, clock, randomId: random.id, limits: config.companyLimits }),
      signingKeys: signingKeys.manage,
      activity: createActivity({ ...storage.read, serviceAccounts }),
      diagnose: createDiagnoseAssertion({
        serviceAccounts,
        storage,
        settings: assertionSettings(config, clock),
        isSignedWith,
      }),
      impersonate: createImpersonate({ storage, tokens, mintToken }),
      tryToken: createTryExternalToken({ ...external, serviceAccounts }),
      auditEvents: storage.auditEvents,
      rootVeil,
    }),
    authentication: createAuthentication({
      judge: rememberVerified(judge, signingKeys.current, clock),
      accounts: storage.read.serviceAccounts,
      dpop,
      addresses: addressesOf(config),
    }),
    checkClientKey: createClientKeyCheck(config.clientKeys),
    admit: createAdmission(async (companyId) => (await storage.read.companies.find(companyId)) !== undefined),
    cursors: createCursorCodec(cursorKey),
    takeTurns: createTurns(MANAGEMENT_TURNS),
    rootVeil,
    refusals: {
      logger,
      countFailure: (source, requestId) =>
        strangers.failed(strangers.admit(source, ''), requestId)?.headers['Retry-After'],
      nonceFor: dpop.nonceFor,
      resourceMetadata: `${issuer}/.well-known/oauth-protected-resource/api`,
    },
    metrics,
    clock,
  });
}
