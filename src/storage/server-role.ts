import type { Knex } from 'knex';
import { UnsuitableDatabaseError } from './server-check.ts';

/** The statements that give the serving role its rights; `schema` and `role` are quoted identifiers. */
const grantsFor = (schema: string, role: string): readonly string[] => [
  `grant usage on schema ${schema} to ${role}`,
  `grant select, insert, update, delete on all tables in schema ${schema} to ${role}`,
  `grant usage, select on all sequences in schema ${schema} to ${role}`,
  `grant execute on all functions in schema ${schema} to ${role}`,
  `alter default privileges in schema ${schema} grant select, insert, update, delete on tables to ${role}`,
  `alter default privileges in schema ${schema} grant usage, select on sequences to ${role}`,
  `alter default privileges in schema ${schema} grant execute on functions to ${role}`,
];

/**
 * Lets the serving role use everything that the migrating role creates, also in later migrations.
 *
 * @param admin connected as the role that migrates
 * @param server connected as the role that serves
 * @throws UnsuitableDatabaseError when the serving role cannot use every table; `message` has the statements to run
 */
export async function grantToServerRole(admin: Knex, server: Knex): Promise<void> {
  const migrating = await whoAndWhere(admin);
  const serving = await whoAndWhere(server);
  if (migrating.schema !== serving.schema) {
    throw new UnsuitableDatabaseError(
      `The tables are in the schema ${migrating.schema}, but the role ${serving.role} of DATABASE_URL looks in ${serving.schema ?? 'none'}: alter role ${serving.role} set search_path = ${migrating.schema}`,
    );
  }
  if (migrating.role === serving.role) return;
  const grants = grantsFor(migrating.schema ?? '', serving.role);
  let cause: unknown;
  for (const grant of grants) {
    // A grant that fails may be unnecessary: the check below decides.
    await admin.raw(grant).catch((error: unknown) => (cause ??= error));
  }
  const missing = await unreachable(server);
  if (missing.length === 0) return;
  throw new UnsuitableDatabaseError(
    [
      `The role ${serving.role} of DATABASE_URL may not use ${missing.join(', ')}, and ${migrating.role} of WRIT_DATABASE_ADMIN_URL could not grant it. Have the owner of the tables run:`,
      ...grants.map((grant) => `  ${grant};`),
    ].join('\n'),
    { cause },
  );
}

async function whoAndWhere(knex: Knex): Promise<{ role: string; schema: string | null }> {
  const { rows } = await knex.raw<{ rows: { role: string; schema: string | null }[] }>(
    'select quote_ident(current_user) as role, quote_ident(current_schema()) as schema',
  );
  const [row] = rows;
  if (row === undefined) throw new Error('the database does not say who is connected');
  return row;
}

/** The tables that the role cannot read and write. */
async function unreachable(server: Knex): Promise<string[]> {
  const { rows } = await server.raw<{ rows: { name: string }[] }>(
    `select c.relname as name from pg_class c
     where c.relnamespace = (select oid from pg_namespace where nspname = current_schema())
       and c.relkind = 'r' and c.relname not like 'knex%'
       and not (has_table_privilege(c.oid, 'select') and has_table_privilege(c.oid, 'insert')
         and has_table_privilege(c.oid, 'update') and has_table_privilege(c.oid, 'delete'))
     order by 1`,
  );
  return rows.map(({ name }) => name);
}
