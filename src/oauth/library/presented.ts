import type { ApiKeyCredential } from '../../domain/credentials/kinds/api-key-kind.ts';
import type { VerifiedToken } from '../../domain/tokens/verify-access-token.ts';

/** What is asked about: an access token, or an API key and what it is worth now. */
export type Presented = VerifiedToken | PresentedKey;

/** An API key, with what introspection says of it. */
export interface PresentedKey extends Pick<VerifiedToken, 'clientId' | 'audience' | 'claims'> {
  readonly key: ApiKeyCredential;
}
