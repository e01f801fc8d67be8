import Provider from 'oidc-provider';
import type { ClientSecretCredential } from '../domain/credentials/kinds/client-secret-kind.ts';
import type { Clock } from '../domain/clock.ts';
import { isMistyped, oddityOf } from '../domain/credentials/client-secret.ts';
import { findSecret, type SameHash } from '../domain/credentials/find-secret.ts';
import { whyRefused } from '../domain/credentials/why-refused.ts';
import type { SecretHasher } from '../domain/credentials/secret-hasher.ts';
import { issuanceOf } from './issuance.ts';

/** What checking a secret takes. */
export interface SecretTools {
  readonly hashSecret: SecretHasher;
  readonly sameHash: SameHash;
  readonly clock: Clock;
  /** Compared with in place of the secrets of an account that has none, or does not exist. */
  readonly decoySecret: ClientSecretCredential;
}

/**
 * The seam at which a secret is checked. The library compares plain text (notes, row 15); ours hashes what was presented
 * and compares it with every secret of the account.
 */
export function installCompareClientSecret(provider: Provider, tools: SecretTools): void {
  const { hashSecret, sameHash, decoySecret, clock } = tools;
  provider.Client.prototype.compareClientSecret = (presented) => {
    const issuance = issuanceOf(Provider.ctx);
    const secrets = issuance.snapshot?.credentials.filter((credential) => credential.type === 'client_secret') ?? [];
    const found = findSecret(secrets.length > 0 ? secrets : [decoySecret], hashSecret(presented), sameHash);
    if (found !== undefined && found !== decoySecret) {
      issuance.reason = issuance.snapshot && whyRefused(found, issuance.snapshot, clock());
      if (issuance.reason !== undefined) {
        issuance.ended = found;
        return false;
      }
      issuance.credential = found;
      return true;
    }
    issuance.reason ??= isMistyped(presented) ? 'secret_mistyped' : 'secret_wrong';
    const oddity = oddityOf(presented);
    if (oddity !== undefined) issuance.detail ??= `the secret ${oddity}`;
    return false;
  };
}
