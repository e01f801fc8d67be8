import { LRUCache } from 'lru-cache';
import type { Config } from '../config/parse-config.ts';
import { createClientAuthorities } from '../domain/certificates/client-authorities.ts';
import { createDpopNonces } from '../domain/possession/dpop-nonces.ts';
import { createDpopVerifier } from '../domain/possession/dpop-proof.ts';
import { KEY_TIMES } from '../foreign-keys/create-issuer-keys.ts';
import { FETCH_LIMITS } from '../foreign-keys/fetch-json.ts';
import { health } from '../http/health.ts';
import { metricsFace } from '../http/metrics-face.ts';
import { GUESS_LIMITS } from '../oauth/refusals/guess-limiter.ts';
import type { PreparedServer } from '../start/prepare-server.ts';
import { composeManagementFace } from './compose-management-face.ts';
import { composeOAuthFace } from './compose-oauth-face.ts';
import { externalTools } from './external-tools.ts';
import type { FaceSurroundings, Running } from './face-surroundings.ts';
import type { Faces } from './place-faces.ts';

/** The most keys of proofs that are kept: some 10 MB. */
const PROOF_KEYS = 5000;

/** Creates every face of the server. */
export function createFaces(
  config: Config,
  server: PreparedServer,
  surroundings: FaceSurroundings,
  running: Running,
): Faces {
  const now = (): number => performance.now();
  const guessed = {
    guessing: { limits: GUESS_LIMITS, now },
    issuers: { fetch: FETCH_LIMITS, times: KEY_TIMES },
    ...surroundings,
  };
  const { clock } = surroundings;
  const shared = {
    external: externalTools(config, server, guessed),
    authorities: createClientAuthorities(running.tlsFiles.authorities),
    dpop: createDpopVerifier({
      nonces: createDpopNonces(server.dpopNonceKey, clock),
      nonceRequired: config.dpopNonceRequired,
      replays: server.storage.replays,
      keys: new LRUCache({ max: PROOF_KEYS }),
      isSignedWith: server.isSignedWith,
      clockTolerance: config.clockTolerance,
      clock,
    }),
  };
  const { serve, mintToken } = composeOAuthFace(config, server, guessed, running, shared);
  return {
    oauth: serve,
    internal: [
      composeManagementFace(config, server, guessed, { ...shared, mintToken }),
      metricsFace(surroundings.metrics, now),
      health(running.readiness),
    ],
  };
}
