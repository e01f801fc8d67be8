import { hostname } from 'node:os';
import { LRUCache } from 'lru-cache';
import { type LiveSigningKeys, startLiveSigningKeys } from '../background/live-signing-keys.ts';
import type { Config } from '../config/parse-config.ts';
import { clocksApart } from '../domain/clock.ts';
import type { CredentialTools } from '../domain/credentials/kinds/kind.ts';
import { createSecretHasher } from '../domain/credentials/secret-hasher.ts';
import { DomainError } from '../domain/domain-error.ts';
import { createKeyEncryption, type KeyEncryption } from '../domain/encryption/key-encryption.ts';
import { hasServerSecrets } from '../domain/encryption/server-secrets.ts';
import { builtInIdentifiers } from '../domain/resource-servers/resource-server.ts';
import type { SigningKeyKeeper } from '../domain/resource-servers/resource-servers.ts';
import { createRemembering, rememberedSize } from '../domain/service-accounts/remembered-account.ts';
import { readKeyRing } from '../domain/signing-keys/key-ring.ts';
import { createManageSigningKeys, type ManageSigningKeys } from '../domain/signing-keys/manage-signing-keys.ts';
import { rotateByItself } from '../domain/signing-keys/rotate-signing-keys.ts';
import { createSealedKeys } from '../domain/signing-keys/sealed-keys.ts';
import { settleSigningKeys } from '../domain/signing-keys/settle-signing-keys.ts';
import { createBatch } from '../domain/signatures/batch.ts';
import { createSignatureCheck, type IsSignedWith } from '../domain/signatures/is-signed-with.ts';
import type { Storage } from '../domain/storage.ts';
import { createOutageLog, type OutageLog } from '../observability/outage-log.ts';
import { atMostEvery } from '../pacing/at-most-every.ts';
import { type AccountCache, createAccountCache } from '../storage/account-cache.ts';
import type { ChangeFeed, ChangeListener } from '../storage/change-feed.ts';
import { createStorage } from '../storage/create-storage.ts';
import { type Database, poolState } from '../storage/database.ts';
import { obtainKeyEncryptionKeys } from '../storage/key-encryption-key.ts';
import { loadInTurns } from '../storage/load-in-turns.ts';
import { openPostgresDatabase } from '../storage/open-postgres-database.ts';
import { readSigningKeyFiles } from '../storage/signing-key-files.ts';
import { ROTATION } from './origins.ts';
import { keyRules, keyTimesOf, prepareKeys } from './prepare-signing-keys.ts';
import type { Surroundings } from './surroundings.ts';

/** The most rights of accounts that are kept to be shared by other accounts. */
const RIGHTS_MET = 10_000;
/** The part of the memory of this process that remembered accounts may take. */
const PART_OF_MEMORY = 4;

/** An open and migrated database that holds everything a server needs, and the parts that use the database. */
export interface PreparedServer {
  readonly database: Database;
  readonly storage: Storage;
  /** The accounts that this node remembers. */
  readonly accounts: AccountCache;
  /** Milliseconds since the database last answered. */
  sinceAnswer(): number;
  /** Milliseconds by which the database's clock is ahead of this node's. */
  clockOffset(): number;
  /** The log of failures of background work. */
  readonly outages: OutageLog;
  readonly signingKeys: LiveSigningKeys & SigningKeyKeeper & { readonly manage: ManageSigningKeys };
  /** The HMAC key that shows whether this server issued a cursor. */
  readonly cursorKey: Uint8Array;
  /** The key of the nonces that this server gives for DPoP proofs. */
  readonly dpopNonceKey: Uint8Array;
  readonly credentialTools: CredentialTools;
  readonly isSignedWith: IsSignedWith;
  /** Encrypts and decrypts with the key-encryption keys. */
  readonly encryption: KeyEncryption;
  /** Sets the function that is called when live tokens may have been revoked, on this node or another one. */
  onStatusChange(told: () => void): void;
  close(): Promise<void>;
}

/**
 * Opens the database and adds the parts that it lacks: the schema, the server's secrets, the signing keys.
 *
 * @param options `mayMake`: whether an embedded database that is not there may be made
 * @throws DataFolderInUseError, UnsuitableDatabaseError, KeyEncryptionKeyError, UndecryptableError; Error when the
 *   database cannot be reached
 */
export async function prepareServer(
  config: Config,
  surroundings: Surroundings,
  { mayMake }: { readonly mayMake: boolean } = { mayMake: true },
): Promise<PreparedServer> {
  const { clock, random, logger, metrics } = surroundings;
  const now = (): number => performance.now();
  if (!mayMake && config.database.kind === 'embedded') {
    const { assertEmbeddedDatabase } = await import('../storage/open-embedded-database.ts');
    assertEmbeddedDatabase(config.database.directory);
  }
  await using opened = new AsyncDisposableStack();
  const database = opened.adopt(await openDatabase(config, surroundings), (adopted) => adopted.close());
  await database.migrate();
  const outages = createOutageLog(logger, now);
  const storage = createStorage(database.knex, database.tokensKnex, {
    clock,
    randomId: random.id,
    builtIn: builtInIdentifiers(config),
    onCommit(events, announced) {
      for (const { action, target, actor, requestId } of events)
        logger.info({ event: action, target, actor, requestId });
      announced.forEach(listener.changed);
    },
  });
  const remember = createRemembering({
    holdings: new LRUCache({ max: RIGHTS_MET }),
    audiences: new LRUCache({ max: RIGHTS_MET }),
  });
  const load = loadInTurns(storage.readForTokens.serviceAccounts.findSnapshot);
  const accounts = createAccountCache({
    async load(clientId) {
      const snapshot = await load(clientId);
      return snapshot && remember(snapshot);
    },
    sizeOf: rememberedSize,
    maxBytes: config.cacheBytes ?? Math.floor(surroundings.memory / PART_OF_MEMORY),
    onEvicted: metrics.accountEvicted,
    lastAnswer: () => feed.lastAnswer(),
    now,
    maxStaleness: config.maxStaleness * 1000,
    onOutcome: metrics.cacheOutcome,
  });
  let tellOfStatuses = (): void => {};
  let refreshKeys = (): Promise<void> => Promise.resolve();
  const tellOfUnreadable = atMostEvery(60_000, now, (reason: string) =>
    logger.warn(
      { event: 'change.unreadable', reason },
      'An announcement cannot be read: this node reads everything anew',
    ),
  );
  const listener: ChangeListener = {
    changed(change) {
      accounts.changed(change);
      if (change.kind === 'statuses') tellOfStatuses();
      if (change.kind === 'keys') void refreshKeys();
    },
    missed(heardUntil) {
      accounts.missed(heardUntil);
      tellOfStatuses();
      void refreshKeys();
    },
  };
  const tellOfClock = atMostEvery(60_000, now, (apart: string) => logger.warn({ event: 'clock.apart' }, apart));
  const feed: ChangeFeed = opened.adopt(
    await database.listen({
      listener,
      clock,
      newId: random.id,
      onAnswer(offset) {
        outages.answered();
        const apart = clocksApart(offset);
        if (apart !== undefined) tellOfClock(apart);
      },
      onTrouble: ({ kind, reason, error }) =>
        kind === 'lost'
          ? outages.failed('changes.lost', new DomainError('unavailable', reason, { cause: error }))
          : tellOfUnreadable(reason),
    }),
    (adopted) => adopted.close(),
  );
  database.knex.on('query', metrics.databaseQuery);
  if (database.tokensKnex !== database.knex) database.tokensKnex.on('query', metrics.databaseQuery);
  metrics.observePool(() => poolState(database));

  const tellOfOpenFile = (text: string): void => logger.warn({ event: 'key_file.open_to_others' }, text);
  const [newest, ...older] = obtainKeyEncryptionKeys(
    config.keysDirectory,
    config.keyEncryptionKeys,
    {
      needed: await hasServerSecrets(storage.read.serverSecrets),
      mayMake: config.database.kind === 'embedded' || !config.production,
      warn: tellOfOpenFile,
    },
    () => random.bytes(32),
  );
  if (newest === undefined) throw new Error('there is no key-encryption key');
  const encryption = createKeyEncryption(newest, ...older);
  const batch = createBatch(now);
  const keyHolder = createSealedKeys(encryption, { batch });
  const { keyRing, clientSecretHashKey, cursorKey, dpopNonceKey } = await prepareKeys(
    storage,
    encryption,
    keyHolder,
    config,
    surroundings,
    readSigningKeyFiles(config.keysDirectory, tellOfOpenFile),
  );
  const keys = opened.adopt(
    startLiveSigningKeys(keyRing, {
      read: () => readKeyRing(storage.read.signingKeys, keyHolder, keyRules(config, surroundings)),
      clock,
      rotate: () =>
        storage.write(ROTATION, async ({ signingKeys }) => {
          const { audit } = await rotateByItself(signingKeys, keyHolder, keyRules(config, surroundings));
          return { result: undefined, audit };
        }),
      onFailure: (error) => outages.failed('signing_keys.not_read', error),
    }),
    (adopted) => adopted.close(),
  );
  refreshKeys = keys.refresh;
  const stillOpen = opened.move();
  return {
    database,
    storage,
    accounts,
    sinceAnswer: () => now() - feed.lastAnswer(),
    clockOffset: feed.clockOffset,
    outages,
    signingKeys: {
      ...keys,
      settle: (stores) => settleSigningKeys(stores.signingKeys, keyHolder, keyRules(config, surroundings)),
      manage: createManageSigningKeys({
        storage,
        holder: keyHolder,
        lead: keyTimesOf(config, surroundings).lead,
        rules: () => keyRules(config, surroundings),
      }),
    },
    cursorKey,
    dpopNonceKey,
    isSignedWith: createSignatureCheck(batch),
    encryption,
    onStatusChange(told) {
      tellOfStatuses = told;
    },
    credentialTools: {
      hashSecret: createSecretHasher(clientSecretHashKey),
      randomBytes: random.bytes,
      randomId: random.id,
      profile: config.profile,
      isOwnKey: (thumbprint) => keys.current().keys.some((key) => key.thumbprint === thumbprint),
    },
    close: () => stillOpen.disposeAsync(),
  };
}

async function openDatabase(config: Config, { clock, logger, pid, databasePatience }: Surroundings): Promise<Database> {
  const say = (level: 'debug' | 'error') => (words: unknown) =>
    logger[level]({ event: 'database.notice' }, String(words));
  // The query builder warns of each lost connection; the outage log reports an outage of the database once.
  const log = { debug: say('debug'), warn: say('debug'), error: say('error'), deprecate: say('debug') };
  if (config.database.kind === 'embedded') {
    const owner = { pid, host: hostname(), startedAt: clock().toISOString() };
    // A server with PostgreSQL does not load the embedded database.
    const { openEmbeddedDatabase } = await import('../storage/open-embedded-database.ts');
    return openEmbeddedDatabase(config.database.directory, owner, log);
  }
  return openPostgresDatabase(config.database, {
    patience: databasePatience,
    log,
    onWait: (reason) => logger.warn({ event: 'database.waiting', reason }),
  });
}
