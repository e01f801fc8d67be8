/** A DNS label (RFC 1035 §2.3.1), the form of every slug, together with {@link SLUG_LENGTH}. */
export const SLUG_PATTERN = '^[a-z0-9]+(?:-[a-z0-9]+)*$';

/** The most characters of a slug. */
export const SLUG_LENGTH = 63;

/**
 * Makes a slug of a name: `Café Orders (EU)` becomes `cafe-orders-eu`.
 *
 * @returns undefined when nothing of the name can stand in a DNS label
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
 * As {@link slugOf}; a name that no label can be made of, such as one without Latin letters, gets one by chance.
 *
 * @param kind what is named, the beginning of such a label
 */
export function slugFor(name: string, kind: string, random: () => string): string {
  return slugOf(name) ?? `${kind}-${random().toLowerCase()}`;
}
