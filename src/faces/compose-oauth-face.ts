import { timingSafeEqual } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Config } from '../config/parse-config.ts';
import { issueClientSecret } from '../domain/credentials/issue-credentials.ts';
import { createSubjectOwnerFinder } from '../domain/federation/find-subject-owner.ts';
import { createExternalVerifier } from '../domain/federation/verify-external-token.ts';
import { createApiKeyFinder, type FindApiKey } from '../domain/tokens/find-api-key.ts';
import { createExchangeFinder } from '../domain/tokens/find-exchanged.ts';
import { createTokenInspector } from '../domain/tokens/live-token.ts';
import { createRevokeToken } from '../domain/tokens/revoke-token.ts';
import { createAccessTokenVerifier } from '../domain/tokens/verify-access-token.ts';
import { type OAuthFace, oauthFace } from '../oauth/oauth-face.ts';
import { createGuessLimiter } from '../oauth/refusals/guess-limiter.ts';
import { createExchangeRecognizer } from '../oauth/ways/api-key-way.ts';
import { createDecoyKeys } from '../oauth/ways/decoy.ts';
import { createAccountFinder } from '../oauth/ways/find-account.ts';
import { createClientRecognizer } from '../oauth/ways/ways.ts';
import type { PreparedServer } from '../start/prepare-server.ts';
import type { GuessedSurroundings, Running, SharedTools } from './face-surroundings.ts';
import { sharedGuesses } from './shared-guesses.ts';
import { assertionSettings, tokenSettings } from './shared-settings.ts';

/** The most API keys, and the most subjects of other issuers, whose accounts are remembered. */
const OWNERS_REMEMBERED = 20_000;

/** Gives the OAuth face its parts. */
export function composeOAuthFace(
  config: Config,
  { storage, signingKeys, credentialTools, accounts, isSignedWith }: PreparedServer,
  { clock, random, logger, metrics, guessing, peers }: GuessedSurroundings,
  { noteUse, noteRefusal, statusLists }: Running,
  { external, dpop, authorities }: SharedTools,
): OAuthFace {
  const { issuer } = config;
  const { hashSecret } = credentialTools;
  const { revokedTokens, credentials, resourceServers } = storage.readForTokens;
  const guesses = createGuessLimiter({ ...guessing, logger, metrics, shared: sharedGuesses(peers, 'token') });
  const verifyToken = createAccessTokenVerifier({ signingKeys, issuer, audience: undefined, clock });
  const findKnownKey = createApiKeyFinder({
    hashSecret,
    sameHash: timingSafeEqual,
    ownerOf: credentials.ownerOf,
    owners: new LRUCache({ max: OWNERS_REMEMBERED }),
    find: accounts.find,
    remembers: accounts.remembers,
    clock,
  });
  // Everybody who has an API key can use it: the profile knows no such thing.
  const findApiKey: FindApiKey =
    config.profile === 'fapi2' ? () => Promise.resolve({ refused: 'api_key_unknown' }) : findKnownKey;
  const inspectToken = createTokenInspector({ verify: verifyToken, find: accounts.find, revokedTokens });
  const possession = { dpop, issuer };
  const recognizeClient = createClientRecognizer(
    {
      findAccount: createAccountFinder(accounts, guesses),
      secrets: {
        hashSecret,
        sameHash: timingSafeEqual,
        clock,
        profile: config.profile,
        decoySecret: issueClientSecret(credentialTools, clock()).credential,
      },
      assertions: {
        ...assertionSettings(config, clock),
        replays: storage.replays,
        decoyKeys: createDecoyKeys(random.bytes),
        isSignedWith,
      },
      certificates: { authorities, clock },
      federation: {
        accounts,
        guesses,
        verifyExternal: createExternalVerifier({ ...external, replays: storage.replays }),
        findSubjectOwner: createSubjectOwnerFinder({
          ownerOf: credentials.ownerOfSubject,
          owners: new LRUCache({ max: OWNERS_REMEMBERED }),
          find: accounts.find,
          remembers: accounts.remembers,
        }),
      },
      possession,
    },
    guesses,
  );
  const findExchanged = createExchangeFinder({ findApiKey, inspectToken, find: accounts.find });
  return oauthFace({
    library: {
      tokens: tokenSettings(config),
      inspection: {
        issuer,
        inspectToken,
        findApiKey,
        verifyToken,
        revokeToken: createRevokeToken(storage),
        introspects: resourceServers.introspects,
      },
    },
    signingKeys,
    possession,
    recognize: createExchangeRecognizer(recognizeClient, { findExchanged, guesses }),
    statusLists,
    recording: { noteUse, noteRefusal, logger, metrics },
    expiryWarning: config.expiryWarning,
    managementHere: config.internalListen === undefined,
    mutualTls: { certificates: config.clientCertificates, authorities: config.clientCa !== undefined },
    clock,
  });
}
