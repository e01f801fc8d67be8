import type { Knex } from 'knex';
import type { AuditEvent } from '../domain/audit/audit-event.ts';
import type { Change } from '../domain/change.ts';
import type { Clock } from '../domain/clock.ts';
import { newAuditEventId, type RandomId } from '../domain/ids.ts';
import type { Storage, Stores } from '../domain/storage.ts';
import { ADVISORY_LOCK } from './advisory-lock.ts';
import { assertionReplaysTable } from './assertion-replays-table.ts';
import { auditEventsTable, recordEvents } from './audit-events-table.ts';
import { companiesTable } from './companies-table.ts';
import { credentialsTable } from './credentials-table.ts';
import { grantsTable } from './grants-table.ts';
import { serverSecretsTable } from './server-secrets-table.ts';
import { serviceAccountsTable } from './service-accounts-table.ts';
import { signingKeysTable } from './signing-keys-table.ts';
import { rethrowUnavailable, translated } from './unavailable.ts';

/** What storage needs beside a database. */
export interface StorageTools {
  readonly clock: Clock;
  readonly randomId: RandomId;
  /** Told of everything that was recorded, and what it changed, once it stands. */
  readonly onCommit: (events: readonly AuditEvent[], changes: readonly Change[]) => void;
}

export function createStorage(knex: Knex, { clock, randomId, onCommit }: StorageTools): Storage {
  const write =
    (lock: boolean): Storage['write'] =>
    async (origin, work) => {
      const transaction = knex.transaction(async (tables) => {
        if (lock) await tables.raw('select pg_advisory_xact_lock(?)', [ADVISORY_LOCK]);
        const done = await work(stores(tables));
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
        const announced = done.audit.flatMap((entry) => entry.changes);
        await recordEvents(tables, recorded, announced);
        return { result: done.result, events: recorded, changes: announced };
      });
      const { result, events, changes } = await transaction.catch(rethrowUnavailable);
      onCommit(events, changes);
      return result;
    };

  return {
    read: stores(knex),
    auditEvents: translated(auditEventsTable(knex)),
    replays: translated(assertionReplaysTable(knex)),
    write: write(false),
    writeAlone: write(true),
  };
}

function stores(knex: Knex): Stores {
  return {
    companies: translated(companiesTable(knex)),
    serviceAccounts: translated(serviceAccountsTable(knex)),
    credentials: translated(credentialsTable(knex)),
    grants: translated(grantsTable(knex)),
    signingKeys: translated(signingKeysTable(knex)),
    serverSecrets: translated(serverSecretsTable(knex)),
  };
}
