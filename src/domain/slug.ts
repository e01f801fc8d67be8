/** The form of a slug: a DNS label (RFC 1035 §2.3.1). {@link SLUG_LENGTH} limits its length. */
export const SLUG_PATTERN = '^[a-z0-9]+(?:-[a-z0-9]+)*$';

/** The most characters of a slug. */
export const SLUG_LENGTH = 63;

/**
 * Makes a slug from a name: `Café Orders (EU)` becomes `cafe-orders-eu`.
 *
 * @returns undefined when no character of the name can be in a DNS label
 */
export function slugOf(name: string): string | undefined {
  const slug = name
    .normalize('NFKD')
    .replaceAll(/\p{M}/gu, '')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, SLUG_LENGTH)
    .replaceAll(/^-|-$/g, '');
  return slug === '' ? undefined : slug;
}

/**
 * As {@link slugOf}; generates a random slug where the name gives none, such as a name without Latin letters.
 *
 * @param kind the word with which a random slug begins
 */
export function slugFor(name: string, kind: string, random: () => string): string {
  return slugOf(name) ?? `${kind}-${random().toLowerCase()}`;
}
