/** The name of something an account may do at a resource server; it travels as one OAuth scope-token. */
export type Permission = string & { readonly __permission: never };

// RFC 6749 §3.3 scope-token, without the `@` that separates a place; and neither `.` nor `..`, which HTTP clients take
// out of paths.
const PERMISSION = /^(?!\.{1,2}$)[\x21\x23-\x3F\x41-\x5B\x5D-\x7E]{1,128}$/;

/** Whether a string can be the name of a permission: 1 to 128 characters of a scope-token, without `@`, but not `.` or `..`. */
export function isPermission(value: string): value is Permission {
  return PERMISSION.test(value);
}
