import type { Place } from '../ids.ts';
import { EVERYWHERE, isPlace } from './place.ts';

/** Writes a scope-token (RFC 6749 §3.3): a name, or a name at a place, as in `orders:read@shop/prod`. */
export function scopeToken(name: string, place: Place): string {
  return place === EVERYWHERE ? name : `${name}@${place}`;
}

/** Reads a name, or a name at a place. @returns undefined where the place is malformed; the name is not checked */
export function parseScopeToken(text: string): { readonly name: string; readonly place: Place } | undefined {
  const at = text.indexOf('@');
  if (at === -1) return { name: text, place: EVERYWHERE };
  const place = text.slice(at + 1);
  return isPlace(place) ? { name: text.slice(0, at), place } : undefined;
}

/** Whether a scope-token is held: at its place, or at a place above. */
export function covers(held: ReadonlySet<string> | undefined, wanted: string): boolean {
  if (held === undefined || held.size === 0) return false;
  if (held.has(wanted)) return true;
  const at = wanted.indexOf('@');
  if (at === -1 || !isPlace(wanted.slice(at + 1))) return false;
  for (let end = wanted.lastIndexOf('/'); end > at; end = wanted.lastIndexOf('/', end - 1)) {
    if (held.has(wanted.slice(0, end))) return true;
  }
  return held.has(wanted.slice(0, at));
}

/** Intersects two sets: returns the scope-tokens of either set that the other set covers. */
export function inCommon(one: ReadonlySet<string>, other: ReadonlySet<string>): Set<string> {
  return new Set([
    ...[...one].filter((wanted) => covers(other, wanted)),
    ...[...other].filter((wanted) => covers(one, wanted)),
  ]);
}
