import Provider from 'oidc-provider';
import { isMistyped } from '../domain/credentials/client-secret.ts';
import { findBySecretHash, type Credential } from '../domain/credentials/credential.ts';
import type { SecretHasher } from '../domain/credentials/secret-hasher.ts';
import { issuanceOf } from './issuance.ts';

/**
 * The seam at which a secret is checked. The library compares plain text (notes, row 15); ours hashes what was presented
 * and compares it with every secret of the account.
 *
 * @param decoy compared with in place of the secrets of an account that does not exist
 */
export function installCompareClientSecret(
  provider: Provider,
  hashSecret: SecretHasher,
  decoy: readonly Credential[],
): void {
  provider.Client.prototype.compareClientSecret = (presented) => {
    const issuance = issuanceOf(Provider.ctx);
    const credential = findBySecretHash(issuance.snapshot?.credentials ?? decoy, hashSecret(presented));
    if (credential !== undefined && issuance.snapshot !== undefined) return true;
    issuance.reason ??= isMistyped(presented) ? 'secret_mistyped' : 'secret_wrong';
    return false;
  };
}
