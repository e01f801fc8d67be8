import type { ClientId } from '../ids.ts';
import type { Credential } from './credential.ts';

export interface CredentialStore {
  insert(clientId: ClientId, credentials: readonly Credential[]): Promise<void>;
}
