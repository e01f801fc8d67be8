import type { Config } from '../config/parse-config.ts';
import type { ExternalTools } from '../domain/federation/verify-external-token.ts';
import { createIssuerKeys } from '../foreign-keys/create-issuer-keys.ts';
import { createFetchJson } from '../foreign-keys/fetch-json.ts';
import { createDecoyKeys } from '../oauth/ways/decoy.ts';
import type { PreparedServer } from '../start/prepare-server.ts';
import type { GuessedSurroundings } from './face-surroundings.ts';

/** Creates the tools for tokens of other issuers. Both faces share them, and so the keys that have been fetched. */
export function externalTools(
  { issuer, clockTolerance, issuerNetworks: networks }: Config,
  { isSignedWith }: Pick<PreparedServer, 'isSignedWith'>,
  { clock, random, logger, issuers }: Pick<GuessedSurroundings, 'clock' | 'random' | 'logger' | 'issuers'>,
): Omit<ExternalTools, 'replays'> {
  return {
    keys: createIssuerKeys({
      fetchJson: createFetchJson(issuers.fetch),
      clock,
      networks,
      times: issuers.times,
      onTrouble: (trusted, trouble) => logger.warn({ event: 'issuer.keys_not_fetched', issuer: trusted }, trouble),
    }),
    issuer,
    clockTolerance,
    clock,
    decoys: createDecoyKeys(random.bytes),
    isSignedWith,
  };
}
