import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Credential } from '../domain/credentials/credential.ts';
import { reachesEverything, reachOf } from '../domain/credentials/reach.ts';
import {
  checkPresentation,
  type Presentation,
  type PresentationFault,
} from '../domain/possession/check-presentation.ts';
import type { DpopVerifier } from '../domain/possession/dpop-proof.ts';
import { roleGrantsOf } from '../domain/permissions/rules/holdings.ts';
import { inCommon } from '../domain/permissions/scope-token.ts';
import type { Caller } from '../domain/service-accounts/caller.ts';
import type { AccountSnapshot } from '../domain/service-accounts/service-account.ts';
import type { ServiceAccountStore } from '../domain/service-accounts/service-account-store.ts';
import { type DeadReason, holderOf, mintedBy } from '../domain/tokens/live-token.ts';
import { dpopProofsOf, type PresentedToken, presentedTokenOf } from '../http/presented-token.ts';
import type { JudgeAccessToken, VerifiedToken } from '../domain/tokens/verify-access-token.ts';

/** A management call that is not authenticated. `reason` is for the log only; the caller reads `message`. */
export class UnauthorizedError extends Error {
  override readonly name = 'UnauthorizedError';
  readonly reason: string;
  /** The text for a caller that holds a token of this server, or that lacks a client key; undefined: a general text. */
  readonly explanation: string | undefined;
  /** The error code for `WWW-Authenticate` (RFC 6750 §3.1, RFC 9449 §7.1). */
  readonly error: PresentationFault['error'];

  constructor(reason: string, explanation?: string, error: PresentationFault['error'] = 'invalid_token') {
    super(explanation ?? 'A valid access token for this API is required');
    this.reason = reason;
    this.explanation = explanation;
    this.error = error;
  }
}

/**
 * Finds out in two steps who makes a call. The first step reads the token, without asking the database; the second step
 * reads the account in the database.
 */
export interface Authentication {
  /**
   * @param path the path of the request below the issuer
   * @param certificate finds the certificate that the caller has presented
   * @throws UnauthorizedError
   */
  verify(request: IncomingMessage, path: string, certificate: Presentation['certificate']): Promise<VerifiedToken>;
  /**
   * Identifies the caller. The caller may do what its token says and its account still holds, so that a narrowed
   * token and a removed permission both act at once.
   *
   * @throws UnauthorizedError
   */
  identify(token: VerifiedToken, call: Pick<Caller, 'requestId' | 'source'>): Promise<Caller>;
}

/**
 * Creates the check of the `Client-key` header.
 *
 * @param keys the accepted keys; empty: a request needs no key
 * @returns a function that throws UnauthorizedError for a request without an accepted key
 */
export function createClientKeyCheck(keys: readonly string[]): (request: IncomingMessage) => void {
  const digest = (key: string): Buffer => createHash('sha256').update(key).digest();
  const known = keys.map(digest);
  return ({ headersDistinct }) => {
    if (known.length === 0) return;
    const presented = digest(headersDistinct['client-key']?.join(',') ?? '');
    // Compare with every key: the time must not reveal which one fits.
    if (known.filter((one) => timingSafeEqual(one, presented)).length > 0) return;
    const message =
      headersDistinct['client-key'] === undefined
        ? 'This server asks for a Client-key: send one that its operator has named in the header Client-key'
        : 'This server does not know the Client-key';
    throw new UnauthorizedError('client_key', message);
  };
}

/** The tools for authenticating callers. */
export interface AuthenticationTools {
  readonly judge: JudgeAccessToken;
  /** The accounts in the database: the memory of a node may be out of date. */
  readonly accounts: Pick<ServiceAccountStore, 'findCaller' | 'findSnapshot'>;
  readonly dpop: DpopVerifier;
  /** The addresses of the server, without a final slash: a caller may have used any of them. */
  readonly addresses: readonly string[];
}

export function createAuthentication({ judge, accounts, dpop, addresses }: AuthenticationTools): Authentication {
  const dead = (reason: DeadReason): UnauthorizedError => new UnauthorizedError(reason);
  return {
    async verify(request, path, certificate) {
      const { token: accessToken, scheme } = presented(request);
      const token = await judge(accessToken);
      if (token === undefined) throw new UnauthorizedError('token_invalid');
      if ('unfit' in token) throw new UnauthorizedError('token_invalid', token.unfit);
      const proven = {
        method: request.method ?? '',
        urls: addresses.map((address) => `${address}${path}`),
        accessToken,
      };
      const presentation = { scheme, proofs: dpopProofsOf(request), request: proven, certificate };
      const checked = await checkPresentation(token.confirmation, presentation, dpop);
      if (checked !== undefined && 'error' in checked) {
        throw new UnauthorizedError(checked.reason, checked.message, checked.error);
      }
      return token;
    },

    async identify(token, call) {
      const snapshot = await accounts.findCaller(token.clientId, token.jti);
      if (snapshot === undefined) throw dead('account_unknown');
      if (!snapshot.enabled) throw dead('account_disabled');
      const holder = token.actor === undefined ? snapshot : await accounts.findSnapshot(holderOf(token));
      if (holder === undefined) throw dead('account_unknown');
      if (!holder.enabled) throw dead('account_disabled');
      const credential = mintedBy(token, holder);
      if (credential?.status === undefined) throw dead('credential_revoked');
      if (snapshot.tokenRevoked) throw dead('token_revoked');
      const { account } = snapshot;
      return {
        clientId: account.clientId,
        impersonatedBy: token.actor,
        company: account.company,
        ...call,
        credentialId: credential.credentialId,
        status: credential.status,
        confirmation: token.confirmation,
        groups: snapshot.groups.map(({ groupId }) => groupId),
        ...(token.actor === undefined ? ownRights(token, snapshot, credential) : impersonatedRights(token, snapshot)),
      };
    },
  };
}

type Rights = Pick<Caller, 'permissions' | 'holdings' | 'roles'>;

function ownRights({ permissions }: VerifiedToken, snapshot: AccountSnapshot, credential: Credential): Rights {
  const holdings = reachOf(snapshot.holdings, credential);
  return {
    permissions: inCommon(permissions, holdings.get('management') ?? new Set()),
    holdings,
    roles: reachesEverything(credential) ? roleGrantsOf(snapshot) : [],
  };
}

/**
 * The rights of an account that another one impersonates. The account may have got more since the token was minted than
 * the other account may grant: so the permissions of the token count, and nothing beside them.
 */
function impersonatedRights(token: VerifiedToken, { holdings }: AccountSnapshot): Rights {
  const permissions = inCommon(token.permissions, holdings.get('management') ?? new Set());
  return { permissions, holdings: new Map([['management', permissions]]), roles: [] };
}

function presented(request: IncomingMessage): PresentedToken {
  const found = presentedTokenOf(request);
  if ('token' in found) return found;
  throw new UnauthorizedError(found.missing ? 'token_missing' : 'token_malformed');
}
