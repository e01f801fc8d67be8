/** The old and new values of the members that a change has changed, for the audit. */
export function differences<Thing extends object>(
  before: Thing,
  after: Thing,
  members: readonly (keyof Thing & string)[],
): Readonly<Record<string, { from: unknown; to: unknown }>> {
  return Object.fromEntries(
    members
      .filter((member) => JSON.stringify(before[member]) !== JSON.stringify(after[member]))
      .map((member) => [member, { from: before[member] ?? null, to: after[member] ?? null }]),
  );
}
