import { createHash } from 'node:crypto';
import { calculateJwkThumbprint, type JWK } from 'jose';
import type { IsSignedWith } from '../signatures/is-signed-with.ts';
import { type Jws, parseJws } from '../assertions/parse-jws.ts';
import { quoted } from '../assertions/quoted.ts';
import type { ReplayStore } from '../assertions/replay-store.ts';
import type { Clock } from '../clock.ts';
import { LEAST_TOLERANCE } from '../profile.ts';
import { verificationKey, wrongWithVerificationKey } from '../federation/verification-key.ts';
import { type DpopNonces, NONCE_LIFETIME } from './dpop-nonces.ts';

/** The algorithms of DPoP proofs, in the order of the metadata. `Ed25519` is the newer name of `EdDSA` (RFC 9864). */
export const DPOP_ALGS = ['ES256', 'PS256', 'EdDSA', 'Ed25519'] as const;
type DpopAlg = (typeof DPOP_ALGS)[number];

/** The request that a proof is for. */
export interface ProvenRequest {
  readonly method: string;
  /** The addresses that the request has: a client may have used any of them. Without query and fragment. */
  readonly urls: readonly string[];
  /** The access token beside the proof; undefined: the request is for a token. */
  readonly accessToken: string | undefined;
}

/** A proof of possession that has been verified (RFC 9449 §4.3), but not consumed. */
export interface DpopProof {
  /** The thumbprint of the key (RFC 7638): the value of `cnf.jkt`. */
  readonly jkt: string;
  readonly jti: string;
  readonly nonce: string | undefined;
}

/** A proof that was refused. */
export interface RefusedProof {
  readonly refused: 'invalid_dpop_proof' | 'use_dpop_nonce';
  /** Why, for the client: it has the proof. */
  readonly message: string;
}

/** Verifies DPoP proofs. */
export interface DpopVerifier {
  /** @param proofs the values of the header `DPoP`, at least one */
  verify(proofs: readonly string[], request: ProvenRequest): Promise<DpopProof | RefusedProof>;
  /** The entry by which a proof is consumed: each is good for one request, on all nodes. */
  use(proof: DpopProof): { readonly owner: string; readonly jti: string; readonly expiresAt: Date };
  /** @returns whether the proof was unused @throws DomainError `unavailable` */
  consume(proof: DpopProof): Promise<boolean>;
  /** The nonce for the proof after a good one; undefined: that of the good one serves, or none is wanted. */
  nonceAfter(proof: DpopProof): string | undefined;
  /** The nonce for the proof after a refused request, by the error code; undefined: none is wanted. */
  nonceFor(error: string): string | undefined;
}

/** The refusal of a proof that was used before. */
export const USED_PROOF: RefusedProof = {
  refused: 'invalid_dpop_proof',
  message: 'jti of the DPoP proof has been used already: every proof is good for one request',
};

/** Seconds that a proof may be old, beside the tolerance. */
const GREATEST_AGE = 60;
const LONGEST_JTI = 512;
/** The most characters of a header whose key is kept: enough for an RSA key of 4096 bits. */
const LONGEST_KNOWN = 1280;

/** The key that the header of a proof brings. */
export interface ProofKey {
  readonly jwk: JWK;
  /** The thumbprint of the key (RFC 7638). */
  readonly jkt: string;
}

export interface DpopOptions {
  readonly nonces: DpopNonces;
  /** Whether a proof must have a nonce of this server. */
  readonly nonceRequired: boolean;
  readonly replays: Pick<ReplayStore, 'consume'>;
  /**
   * The keys of the last good proofs, by the headers of the proofs: a client writes the same header into all its proofs.
   * To read a key anew costs as much as to verify a signature.
   */
  readonly keys: { get(header: string): ProofKey | undefined; set(header: string, key: ProofKey): unknown };
  readonly isSignedWith: IsSignedWith;
  /** Seconds. */
  readonly clockTolerance: number;
  readonly clock: Clock;
}

export function createDpopVerifier(options: DpopOptions): DpopVerifier {
  const { nonces, nonceRequired, replays, keys, isSignedWith, clock } = options;
  const tolerance = Math.max(options.clockTolerance, LEAST_TOLERANCE);

  function wrongTime({ iat, nonce }: Jws<DpopAlg>['claims'], now: number): string | undefined {
    if (typeof iat !== 'number' || !Number.isFinite(iat)) return `iat is ${quoted(iat)}, expected a number of seconds`;
    // A nonce says when the proof was made, whatever the clock of the client says.
    if (typeof nonce === 'string') return undefined;
    if (iat - now > tolerance) return `iat is ${Math.ceil(iat - now)} seconds ahead of our clock (${now})`;
    const most = GREATEST_AGE + tolerance;
    if (now - iat <= most) return undefined;
    return `iat is ${Math.floor(now - iat)} seconds before our clock (${now}), at most ${most} are accepted`;
  }

  /** The first thing that is wrong with a proof beside its key and its signature. */
  function wrongWith({ typ, claims }: Jws<DpopAlg>, { method, urls, accessToken }: ProvenRequest): string | undefined {
    const { jti, htm, htu, ath, nonce } = claims;
    if (!isDpopType(typ)) return `typ is ${quoted(typ)}, expected dpop+jwt`;
    if (typeof jti !== 'string' || jti === '' || jti.length > LONGEST_JTI) {
      return `jti is ${quoted(jti)}, expected a text of at most ${LONGEST_JTI} characters`;
    }
    if (htm !== method) return `htm is ${quoted(htm)}, expected ${method}`;
    if (!urls.some((url) => isSameAddress(htu, url))) return `htu is ${quoted(htu)}, expected ${urls.join(' or ')}`;
    const expected = accessToken && createHash('sha256').update(accessToken).digest('base64url');
    if (expected !== undefined && ath !== expected) {
      return `ath is ${quoted(ath)}, expected the hash of the access token`;
    }
    if (nonce !== undefined && typeof nonce !== 'string') return `nonce is ${quoted(nonce)}, expected a text`;
    return wrongTime(claims, Math.floor(clock().getTime() / 1000));
  }

  const use: DpopVerifier['use'] = ({ jkt, jti }) => ({
    // An account has no id with a colon: the ids of assertions and of proofs never meet.
    owner: `dpop:${jkt}`,
    jti: createHash('sha256').update(jti).digest('base64url'),
    expiresAt: new Date(clock().getTime() + (NONCE_LIFETIME + tolerance) * 1000),
  });

  return {
    async verify(proofs, request) {
      const [compact = '', ...others] = proofs;
      if (others.length > 0) return invalid('there must be one DPoP proof');
      const proof = parseJws(compact, DPOP_ALGS);
      if ('malformed' in proof) return invalid(`the DPoP proof cannot be read: ${proof.malformed}`);
      const header = compact.slice(0, compact.indexOf('.'));
      const known = keys.get(header);
      const wrong = wrongWith(proof, request) ?? (known === undefined ? wrongWithKey(proof) : undefined);
      if (wrong !== undefined) return invalid(`the DPoP proof does not fit: ${wrong}`);
      const key = known ?? (await readKey(proof));
      if (key === undefined || !(await isSignedWith(key.jwk, proof))) {
        return invalid('the DPoP proof is not signed with its key');
      }
      if (known === undefined && header.length <= LONGEST_KNOWN) keys.set(header, key);
      const { jti } = proof.claims;
      const nonce = typeof proof.claims['nonce'] === 'string' ? proof.claims['nonce'] : undefined;
      if (nonce === undefined && nonceRequired) return wantsNonce('the DPoP proof needs a nonce');
      if (nonce !== undefined && !nonces.isGood(nonce)) {
        return wantsNonce('the nonce of the DPoP proof is none of the last minutes');
      }
      return { jkt: key.jkt, jti: String(jti), nonce };
    },

    use,

    consume(proof) {
      const { owner, jti, expiresAt } = use(proof);
      return replays.consume(owner, jti, expiresAt);
    },

    nonceAfter({ nonce }) {
      if (!nonceRequired && nonce === undefined) return undefined;
      const current = nonces.current();
      return nonce === current ? undefined : current;
    },

    nonceFor: (error) => (nonceRequired || error === 'use_dpop_nonce' ? nonces.current() : undefined),
  };
}

function wrongWithKey({ header }: Jws<DpopAlg>): string | undefined {
  const wrong = wrongWithVerificationKey(header['jwk']);
  return wrong && `jwk ${wrong}`;
}

/** @param proof a proof with whose key nothing is wrong @returns undefined: a member of the key is missing */
async function readKey({ header }: Jws<DpopAlg>): Promise<ProofKey | undefined> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what is wrong with a key has been looked for
  const jwk = verificationKey(header['jwk'] as JWK);
  const jkt = await calculateJwkThumbprint(jwk).catch(() => undefined);
  return jkt === undefined ? undefined : { jwk, jkt };
}

function invalid(message: string): RefusedProof {
  return { refused: 'invalid_dpop_proof', message };
}

function wantsNonce(message: string): RefusedProof {
  return { refused: 'use_dpop_nonce', message };
}

function isDpopType(typ: unknown): boolean {
  return typeof typ === 'string' && typ.toLowerCase().replace(/^application\//, '') === 'dpop+jwt';
}

/** Whether an `htu` names an address: case of the host, default port, query, fragment and final slash do not matter. */
function isSameAddress(htu: unknown, url: string): boolean {
  const named = typeof htu === 'string' ? URL.parse(htu) : null;
  if (named === null || named.username !== '' || named.password !== '') return false;
  return plain(named) === plain(new URL(url));
}

function plain({ origin, pathname }: URL): string {
  return `${origin}${pathname.replace(/\/$/, '')}`;
}
