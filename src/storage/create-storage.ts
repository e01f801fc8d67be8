import type { Knex } from 'knex';
import type { AuditEvent } from '../domain/audit/audit-event.ts';
import type { Announcement } from '../domain/announcement.ts';
import type { Clock } from '../domain/clock.ts';
import { newAuditEventId, type RandomId } from '../domain/ids.ts';
import type { BuiltInIdentifiers } from '../domain/resource-servers/resource-server.ts';
import type { Storage, Stores } from '../domain/storage.ts';
import { ADVISORY_LOCK } from './advisory-lock.ts';
import { assertionReplaysTable } from './assertion-replays-table.ts';
import { auditEventsTable, recordEvents } from './audit-events-table.ts';
import { companiesTable } from './companies-table.ts';
import { credentialsTable } from './credentials-table.ts';
import { grantsTable } from './grants-table.ts';
import { groupsTable } from './groups-table.ts';
import { refusalsTable } from './refusals-table.ts';
import { resourceServersTable } from './resource-servers-table.ts';
import { rolesTable } from './roles-table.ts';
import { serverSecretsTable } from './server-secrets-table.ts';
import { serviceAccountsTable } from './service-accounts-table.ts';
import { signingKeysTable } from './signing-keys-table.ts';
import { revokedTokensTable } from './revoked-tokens-table.ts';
import { statusEntriesTable } from './status-entries-table.ts';
import { trustedIssuersTable } from './trusted-issuers-table.ts';
import { usesTable } from './uses-table.ts';
import { createTransaction, type Tables } from './transaction.ts';
import { isConflict, rethrowUnavailable, translated } from './unavailable.ts';

/** The parts that the storage needs beside a database. */
export interface StorageTools {
  readonly clock: Clock;
  readonly randomId: RandomId;
  /** The identifiers of the built-in resource servers, from the settings. */
  readonly builtIn: BuiltInIdentifiers;
  /** Called after each commit with the recorded events and their announcements. */
  readonly onCommit: (events: readonly AuditEvent[], announced: readonly Announcement[]) => void;
}

/** Creates the storage. @param tokensKnex connections that only the work for tokens uses */
export function createStorage(
  knex: Knex,
  tokensKnex: Knex,
  { clock, randomId, builtIn, onCommit }: StorageTools,
): Storage {
  const transaction = createTransaction(knex);
  const write =
    (lock: boolean): Storage['write'] =>
    async (origin, work) => {
      const attempt = () =>
        transaction(async (tables) => {
          if (lock) await tables.raw('select pg_advisory_xact_lock(?)', [ADVISORY_LOCK]);
          const done = await work(stores(tables, builtIn));
          const occurredAt = clock();
          const recorded = done.audit.map(({ action, target, company, details }): AuditEvent => ({
            action,
            target,
            company,
            details,
            ...origin,
            eventId: newAuditEventId(randomId),
            occurredAt,
          }));
          const announced = done.audit.flatMap((entry) => entry.announces);
          await recordEvents(tables, recorded, announced);
          return { result: done.result, events: recorded, announced };
        });
      const { result, events, announced } = await again(attempt).catch(rethrowUnavailable);
      onCommit(events, announced);
      return result;
    };

  return {
    read: translatedStores(stores(knex, builtIn)),
    readForTokens: translatedStores(stores(tokensKnex, builtIn)),
    auditEvents: translated(auditEventsTable(knex, transaction)),
    replays: translated(assertionReplaysTable(tokensKnex)),
    write: write(false),
    writeAlone: write(true),
  };
}

/** How often a transaction is tried when the database ends it because of a conflict with another transaction. */
const ATTEMPTS = 3;

async function again<Result>(attempt: () => Promise<Result>): Promise<Result> {
  for (let left = ATTEMPTS - 1; ; left -= 1) {
    try {
      return await attempt();
    } catch (error) {
      if (left === 0 || !isConflict(error)) throw error;
    }
  }
}

function stores(knex: Tables, builtIn: BuiltInIdentifiers): Stores {
  return {
    resourceServers: resourceServersTable(knex, builtIn),
    trustedIssuers: trustedIssuersTable(knex),
    roles: rolesTable(knex),
    groups: groupsTable(knex, builtIn),
    companies: companiesTable(knex, builtIn),
    serviceAccounts: serviceAccountsTable(knex, builtIn),
    credentials: credentialsTable(knex, builtIn),
    uses: usesTable(knex),
    refusals: refusalsTable(knex),
    grants: grantsTable(knex),
    signingKeys: signingKeysTable(knex),
    serverSecrets: serverSecretsTable(knex),
    statuses: statusEntriesTable(knex),
    revokedTokens: revokedTokensTable(knex),
  };
}

/** Stores for calls outside a transaction: each call translates its own errors. `write` does so for its transaction. */
function translatedStores(plain: Stores): Stores {
  const entries = Object.entries(plain).map(([name, store]: [string, object]) => [name, translated(store)]);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the same stores under the same names
  return Object.fromEntries(entries) as Stores;
}
