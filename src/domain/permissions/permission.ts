import type { Permission } from '../ids.ts';

// A scope-token (RFC 6749 §3.3) without `@`, which separates the place. `.` and `..` are excluded: HTTP clients take
// them out of paths.
const PERMISSION = /^(?!\.{1,2}$)[\x21\x23-\x3F\x41-\x5B\x5D-\x7E]{1,128}$/;

/** Whether a string can be the name of a permission: 1 to 128 characters of a scope-token, no `@`, not `.` or `..`. */
export function isPermission(value: string): value is Permission {
  return PERMISSION.test(value);
}
