import type { Config } from '../config/parse-config.ts';
import { recoverRoot, type RootCredential } from '../domain/service-accounts/root-account.ts';
import { prepareServer } from './prepare-server.ts';
import type { Surroundings } from './surroundings.ts';

/**
 * Gives the oldest root account one more secret, and enables the account: the command `npm run root -- recover`.
 *
 * @throws DomainError `not_found` when there is no root account yet; UnsuitableDatabaseError when there is no database
 */
export async function recoverRootAccount(config: Config, surroundings: Surroundings): Promise<RootCredential> {
  const server = await prepareServer(config, surroundings, { mayMake: false });
  try {
    return await server.storage.writeAlone(
      { actor: { type: 'server', command: 'root recover' }, requestId: undefined, source: undefined },
      (stores) => recoverRoot(stores, server.credentialTools, surroundings.clock()),
    );
  } finally {
    await server.close();
  }
}
