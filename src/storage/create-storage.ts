import type { Knex } from 'knex';
import type { AuditEvent } from '../domain/audit/audit-event.ts';
import type { Clock } from '../domain/clock.ts';
import { newAuditEventId, type RandomId } from '../domain/ids.ts';
import type { Storage, Stores } from '../domain/storage.ts';
import { ADVISORY_LOCK } from './advisory-lock.ts';
import { assertionReplaysTable } from './assertion-replays-table.ts';
import { auditEventsTable } from './audit-events-table.ts';
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
  /** Told of every change once it stands. */
  readonly onChange: (event: AuditEvent) => void;
}

export function createStorage(knex: Knex, { clock, randomId, onChange }: StorageTools): Storage {
  const write =
    (lock: boolean): Storage['write'] =>
    async (origin, work) => {
      const transaction = knex.transaction(async (tables) => {
        if (lock) await tables.raw('select pg_advisory_xact_lock(?)', [ADVISORY_LOCK]);
        const done = await work(stores(tables));
        const occurredAt = clock();
        const recorded = done.audit.map((entry): AuditEvent => ({
          ...entry,
          ...origin,
          eventId: newAuditEventId(randomId),
          occurredAt,
        }));
        await auditEventsTable(tables).append(recorded);
        return { result: done.result, events: recorded };
      });
      const { result, events } = await transaction.catch(rethrowUnavailable);
      events.forEach(onChange);
      return result;
    };

  return {
    read: stores(knex),
    replays: translated(assertionReplaysTable(knex)),
    write: write(false),
    writeAlone: write(true),
  };
}

function stores(knex: Knex): Stores {
  return {
    serviceAccounts: translated(serviceAccountsTable(knex)),
    credentials: translated(credentialsTable(knex)),
    grants: translated(grantsTable(knex)),
    signingKeys: translated(signingKeysTable(knex)),
    serverSecrets: translated(serverSecretsTable(knex)),
  };
}
