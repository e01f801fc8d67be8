/** The id of a seeded account, counted from 1. */
export function seededId(number: number): string {
  return `sa_seed_${number}`;
}

/** The first secret of a seeded account. */
export function seededSecret(clientId: string): string {
  return `secret-of-${clientId}-0123456789-0123456789`;
}
