import type { Place } from '../ids.ts';

/** The company as a whole, or the server for root accounts. */
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the one place that is no path
export const EVERYWHERE = '' as Place;

/** 1 to 64 characters that are neither `.` nor `..`, which some programs take out of paths. */
const SEGMENT = '(?:[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}|\\.[A-Za-z0-9_-][A-Za-z0-9._-]{0,62}|\\.\\.[A-Za-z0-9._-]{1,62})';
export const SEGMENT_PATTERN = `^${SEGMENT}$`;
export const PLACE_PATTERN = `^${SEGMENT}(?:/${SEGMENT}){0,7}$`;
const PLACE = new RegExp(PLACE_PATTERN);

/** Whether a string is a path of one to eight segments. */
export function isPlace(value: string): value is Place {
  return PLACE.test(value);
}

/** How many segments a place has; none: everywhere. */
export function depthOf(place: Place): number {
  return place === EVERYWHERE ? 0 : place.split('/').length;
}

/** Whether what is held at a place is held at the other one. */
export function reaches(place: Place, other: Place): boolean {
  return place === EVERYWHERE || other === place || other.startsWith(`${place}/`);
}
