/** Of every member that a change made another, what it was and what it is, for the audit. */
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
