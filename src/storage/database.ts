import type { Knex } from 'knex';

/** An open database. */
export interface Database {
  readonly knex: Knex;
  /** Brings the schema up to date, as the role that may. */
  migrate(): Promise<void>;
  close(): Promise<void>;
}

/** Whether the database answers within a second. */
export async function answers({ knex }: Database): Promise<boolean> {
  const late = new Promise<false>((resolve) => setTimeout(resolve, 1000, false).unref());
  const answered = knex.raw('select 1').then(
    () => true,
    () => false,
  );
  return Promise.race([answered, late]);
}
