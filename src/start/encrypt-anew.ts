import type { Config } from '../config/parse-config.ts';
import type { AuditEntry, Origin } from '../domain/audit/audit-event.ts';
import type { KeyEncryption } from '../domain/encryption/key-encryption.ts';
import { secretLabel } from '../domain/encryption/server-secrets.ts';
import { keyLabel } from '../domain/signing-keys/sealed-keys.ts';
import type { Stores, Work } from '../domain/storage.ts';
import { prepareServer } from './prepare-server.ts';
import type { Surroundings } from './surroundings.ts';

const COMMAND: Origin = {
  actor: { type: 'server', command: 'keys encrypt-anew' },
  requestId: undefined,
  source: undefined,
};

/**
 * Encrypts everything that is stored encrypted with the newest key-encryption key: the command `npm run keys --
 * encrypt-anew`. It works in one transaction, and servers may run meanwhile. Afterwards no older key is needed.
 *
 * @returns the number of values that were encrypted anew
 * @throws UndecryptableError when a value was encrypted with a key that is not given; nothing has been changed then
 */
export async function encryptAnew(config: Config, surroundings: Surroundings): Promise<number> {
  const server = await prepareServer(config, surroundings, { mayMake: false });
  try {
    return await server.storage.writeAlone(COMMAND, (stores) => encryptAll(stores, server.encryption));
  } finally {
    await server.close();
  }
}

/** Encrypts every value that an older key has encrypted. */
async function encryptAll({ signingKeys, serverSecrets }: Stores, encryption: KeyEncryption): Promise<Work<number>> {
  const anew = async (sealed: string, name: string): Promise<string> =>
    encryption.seal(await encryption.open(sealed, name), name);
  await signingKeys.lock();
  const keys = (await signingKeys.list()).filter((key) => !encryption.isNewest(key.sealedPrivateJwk));
  for (const { kid, sealedPrivateJwk } of keys) {
    await signingKeys.reseal({ kid, sealedPrivateJwk: await anew(sealedPrivateJwk, keyLabel(kid)) });
  }
  const secrets = (await serverSecrets.list()).filter(({ sealed }) => !encryption.isNewest(sealed));
  for (const { name, sealed } of secrets) {
    await serverSecrets.update({ name, sealed: await anew(sealed, secretLabel(name)) });
  }
  const values = keys.length + secrets.length;
  const audit: AuditEntry = {
    action: 'key_encryption_key.changed',
    target: 'server',
    details: { values },
    announces: [],
  };
  return { result: values, audit: values === 0 ? [] : [audit] };
}
