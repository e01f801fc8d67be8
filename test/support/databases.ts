import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe } from 'node:test';
import pg from 'pg';

/** A database for one suite. The server has been through its first start on it. */
export interface TestDatabase {
  readonly url: string;
  drop(): Promise<void>;
}

/** A kind of database that the suite runs on. */
export interface DatabaseKind {
  readonly name: string;
  readonly embedded: boolean;
  /** @param options.empty whether the database has no tables, instead of having been through a first start */
  create(options?: { empty?: boolean }): Promise<TestDatabase>;
}

export const embedded: DatabaseKind = {
  name: 'PGlite',
  embedded: true,
  create({ empty = false } = {}) {
    const folder = mkdtempSync(join(setting('WRIT_TEST_FOLDER'), 'pglite-'));
    const data = join(folder, 'data');
    if (!empty) cpSync(join(setting('WRIT_TEST_FOLDER'), 'template'), data, { recursive: true });
    return Promise.resolve({
      url: `pglite:${data}`,
      drop: () => Promise.resolve(rmSync(folder, { recursive: true, force: true })),
    });
  },
};

export const postgres18 = postgres('PostgreSQL 18', 'WRIT_TEST_POSTGRES_18');
export const postgres15 = postgres('PostgreSQL 15', 'WRIT_TEST_POSTGRES_15');

export const databases: readonly DatabaseKind[] = [embedded, postgres18, postgres15];

/** Enough for rules that stand before the database: the statements under them are tested on every database elsewhere. */
export const newest: readonly DatabaseKind[] = [postgres18];

/** The kinds for suites whose statements run on every kind in another suite. */
export const embeddedAndNewest: readonly DatabaseKind[] = [embedded, postgres18];

/** Declares the same tests once for every kind of database. */
export function onEachDatabase(
  name: string,
  declare: (kind: DatabaseKind) => void,
  kinds: readonly DatabaseKind[] = databases,
): void {
  for (const kind of kinds) describe(`${name} (${kind.name})`, () => declare(kind));
}

function postgres(name: string, variable: string): DatabaseKind {
  return {
    name,
    embedded: false,
    async create({ empty = false } = {}) {
      const server = setting(variable);
      const database = `writ_${process.pid}_${process.hrtime.bigint()}`;
      await run(
        server,
        `create database ${database} template ${empty ? 'template1' : 'template_writ'} strategy file_copy`,
      );
      return {
        url: `${server}/${database}`,
        drop: () => run(server, `drop database ${database} with (force)`),
      };
    },
  };
}

async function run(server: string, statement: string): Promise<void> {
  const client = new pg.Client(`${server}/postgres`);
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

function setting(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set: run the tests with npm test`);
  return value;
}
