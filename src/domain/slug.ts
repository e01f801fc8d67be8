/** A DNS label (RFC 1035 §2.3.1), the form of every slug. */
export const SLUG_PATTERN = '^(?=.{1,63}$)[a-z0-9]+(?:-[a-z0-9]+)*$';

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
    .slice(0, 63)
    .replaceAll(/^-|-$/g, '');
  return slug === '' ? undefined : slug;
}
