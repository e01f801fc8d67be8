import type { Config } from '../config/parse-config.ts';
import { everyoneIn } from '../domain/change.ts';
import { bootstrapRoot, type RootCredential } from '../domain/service-accounts/root-account.ts';
import { writeRootFile } from '../storage/root-file.ts';
import { type PreparedServer, START } from './prepare-server.ts';
import type { Surroundings } from './surroundings.ts';

/** What was given before the settings said how old credentials may get ends so long from the first start that does. */
export async function applyPolicy(
  { credentialPolicy }: Config,
  { storage }: PreparedServer,
  { clock }: Surroundings,
): Promise<void> {
  const { secretMaxAge, keyMaxAge } = credentialPolicy;
  if (secretMaxAge === undefined && keyMaxAge === undefined) return;
  await storage.writeAlone(START, async ({ credentials }) => {
    const limited = await credentials.limit(undefined, credentialPolicy, clock());
    const details = { ...credentialPolicy, credentialsLimited: limited };
    const entry = {
      action: 'credential_policy.applied',
      target: 'server',
      details,
      changes: everyoneIn(undefined),
    } as const;
    return { result: undefined, audit: limited > 0 ? [entry] : [] };
  });
}

/**
 * Makes the first root account where there is none.
 *
 * @returns its id and its secret, where that is to be shown
 */
export async function bootstrap(
  config: Config,
  { storage, credentialTools }: PreparedServer,
  { clock, logger }: Surroundings,
): Promise<RootCredential | undefined> {
  return storage.writeAlone<RootCredential | undefined>(START, async (stores) => {
    const { result, audit } = await bootstrapRoot(stores, credentialTools, { now: clock(), fixed: config.bootstrap });
    // A secret that the operator fixed is known to them, and is repeated nowhere.
    if (result?.clientSecret === undefined || config.bootstrap.clientSecret !== undefined) {
      return { result: undefined, audit };
    }
    const { clientId, clientSecret } = result;
    if (!config.production) return { result: { clientId, clientSecret }, audit };
    // Before the commit: an account whose secret nobody could be given must not come to be.
    const { file, closed } = writeRootFile(config.keysDirectory, { issuer: config.issuer, clientId, clientSecret });
    logger.info({ event: 'root.secret_written', file });
    if (!closed)
      logger.warn({ event: 'key_file.open_to_others' }, `${file} may be read by others: store it and delete it`);
    return { result: undefined, audit };
  });
}
