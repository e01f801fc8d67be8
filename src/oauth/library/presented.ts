import type { ApiKeyCredential } from '../../domain/credentials/kinds/api-key-kind.ts';
import type { VerifiedToken } from '../../domain/tokens/verify-access-token.ts';

/** The object of an introspection or a revocation: an access token, or an API key with its present permissions. */
export type Presented = VerifiedToken | PresentedKey;

/** An API key, with the claims that introspection answers for it. */
export interface PresentedKey extends Pick<VerifiedToken, 'clientId' | 'audience' | 'claims'> {
  readonly key: ApiKeyCredential;
}
