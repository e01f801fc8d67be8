import type { Config } from '../config/parse-config.ts';
import { everyoneIn } from '../domain/announcement.ts';
import { bootstrapRoot, type RootCredential } from '../domain/service-accounts/root-account.ts';
import { writeRootFile } from '../storage/root-file.ts';
import type { PreparedServer } from './prepare-server.ts';
import { START } from './origins.ts';
import type { Surroundings } from './surroundings.ts';

/** Shortens the credentials that outlive the maximum age of the settings to that age, counted from this start. */
export async function applyPolicy(
  { credentialPolicy }: Config,
  { storage }: PreparedServer,
  { clock }: Surroundings,
): Promise<void> {
  const { secretMaxAge, keyMaxAge } = credentialPolicy;
  if (secretMaxAge === undefined && keyMaxAge === undefined) return;
  await storage.writeAlone(START, async ({ credentials }) => {
    const limited = await credentials.shorten(undefined, credentialPolicy, clock());
    const details = { ...credentialPolicy, credentialsLimited: limited };
    const entry = {
      action: 'credential_policy.applied',
      target: 'server',
      details,
      announces: everyoneIn(undefined),
    } as const;
    return { result: undefined, audit: limited > 0 ? [entry] : [] };
  });
}

/**
 * Registers the first root account if there is none.
 *
 * @returns the id and the secret of the account; undefined unless this start must show the secret
 */
export async function bootstrap(
  config: Config,
  { storage, credentialTools }: PreparedServer,
  { clock, logger }: Surroundings,
): Promise<RootCredential | undefined> {
  return storage.writeAlone<RootCredential | undefined>(START, async (stores) => {
    const { result, audit } = await bootstrapRoot(stores, credentialTools, { now: clock(), fixed: config.bootstrap });
    // The operator knows the secret that the settings fix: it is not repeated.
    if (result?.clientSecret === undefined || config.bootstrap.clientSecret !== undefined) {
      return { result: undefined, audit };
    }
    const { clientId, clientSecret } = result;
    if (!config.production) return { result: { clientId, clientSecret }, audit };
    // The file is written before the commit: if it cannot be written, no account with an unknown secret must remain.
    const { file, closed } = writeRootFile(config.keysDirectory, { issuer: config.issuer, clientId, clientSecret });
    logger.info({ event: 'root.secret_written', file });
    if (!closed)
      logger.warn(
        { event: 'key_file.open_to_others' },
        `${file} may be read by others: store the secret elsewhere, and delete the file`,
      );
    return { result: undefined, audit };
  });
}
