import type { Permission } from '../ids.ts';

// RFC 6749 §3.3 scope-token, without the `@` that separates a place; and neither `.` nor `..`, which HTTP clients take
// out of paths.
const PERMISSION = /^(?!\.{1,2}$)[\x21\x23-\x3F\x41-\x5B\x5D-\x7E]{1,128}$/;

/** Whether a string can be the name of a permission: 1 to 128 characters of a scope-token, without `@`, but not `.` or `..`. */
export function isPermission(value: string): value is Permission {
  return PERMISSION.test(value);
}
