import type { Place } from '../ids.ts';

/** The whole company; for root accounts, the whole server. */
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the one place that is no path
export const EVERYWHERE = '' as Place;

/** 1 to 64 characters, but not `.` or `..`: some programs take these out of paths. */
const SEGMENT = '(?:[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}|\\.[A-Za-z0-9_-][A-Za-z0-9._-]{0,62}|\\.\\.[A-Za-z0-9._-]{1,62})';
export const SEGMENT_PATTERN = `^${SEGMENT}$`;
export const PLACE_PATTERN = `^${SEGMENT}(?:/${SEGMENT}){0,7}$`;
const PLACE = new RegExp(PLACE_PATTERN);

/** Whether a string is a place: a path of one to eight segments. */
export function isPlace(value: string): value is Place {
  return PLACE.test(value);
}

/** The number of segments of a place; 0 for `EVERYWHERE`. */
export function depthOf(place: Place): number {
  return place === EVERYWHERE ? 0 : place.split('/').length;
}

/** Whether a permission that is held at `place` is also held at `other`. */
export function reaches(place: Place, other: Place): boolean {
  return place === EVERYWHERE || other === place || other.startsWith(`${place}/`);
}
