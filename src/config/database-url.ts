import { parse } from 'pg-connection-string';

const ESCAPES = '/ as %2F, ? as %3F, # as %23, @ as %40, : as %3A, % as %25, a blank as %20';

/** Whether a text is meant to be the address of a PostgreSQL server. */
export function isMeantForPostgres(url: string): boolean {
  return /^postgres(?:ql)?:\/\//i.test(url);
}

/**
 * Checks the address of a PostgreSQL server. The driver's own parser is not enough: it takes an unescaped `/`, `?` or
 * `#` in a password for the end of the host, so that the driver connects to another host.
 *
 * @returns a text that completes "must be …" and contains no part of the address except the name of a file; undefined
 *   when the address is right
 */
export function wrongWithPostgresUrl(url: string): string | undefined {
  if (!isMeantForPostgres(url)) return 'postgres://…';
  if (isUnescaped(url)) {
    return `an address in which the special characters of the user and the password are escaped: write ${ESCAPES}`;
  }
  try {
    parse(withoutAliases(url));
    return undefined;
  } catch (error) {
    if (error instanceof URIError)
      return `an address in which % is followed by two hexadecimal digits: write ${ESCAPES}`;
    if (error instanceof Error && 'syscall' in error && 'code' in error) {
      const file = 'path' in error ? String(error.path) : 'one';
      return `an address whose files can be read (sslrootcert, sslcert, sslkey): ${file} cannot (${String(error.code)})`;
    }
    return `an address such as postgres://USER:PASSWORD@HOST:5432/DATABASE, with the special characters of the user and the password escaped: write ${ESCAPES}`;
  }
}

/**
 * Replaces `require`, `prefer` and `verify-ca` in `sslmode` by `verify-full`. The driver treats all four alike: it
 * verifies the certificate and the host name in it. For the three other names the driver prints a warning of nine
 * lines.
 */
export function withoutAliases(url: string): string {
  const [address = '', ...query] = url.split('?');
  const parameters = query.join('?');
  if (/(?:^|&)uselibpqcompat=true(?:&|$)/.test(parameters)) return url;
  const named = parameters.replace(/(^|&)sslmode=(?:prefer|require|verify-ca)(?=&|$)/g, '$1sslmode=verify-full');
  return query.length === 0 ? url : `${address}?${named}`;
}

function isUnescaped(url: string): boolean {
  if (url.includes('#')) return true;
  // The driver escapes such an address once more: the escapes that are in it already would be taken literally.
  if (/%(?![\dA-Fa-f]{2})| /.test(url) && /%[\dA-Fa-f]{2}/.test(url)) return true;
  const rest = url.slice(url.indexOf('://') + 3);
  const end = rest.search(/[/?]/);
  if (end === -1) return false;
  const [authority, after] = [rest.slice(0, end), rest.slice(end)];
  const [path = '', query = ''] = after.split('?', 2);
  // The password ends at "@": an "@" in the path shows that the password holds an unescaped character.
  if (path.includes('@')) return true;
  return !authority.includes('@') && after.startsWith('?') && query.includes('@') && !query.includes('=');
}
