import { parse } from 'pg-connection-string';

const ESCAPES = '/ as %2F, ? as %3F, # as %23, @ as %40, : as %3A, % as %25, a blank as %20';

/** Whether a text is meant to be the address of a PostgreSQL server. */
export function isMeantForPostgres(url: string): boolean {
  return /^postgres(?:ql)?:\/\//i.test(url);
}

/**
 * Says what is wrong with the address of a PostgreSQL server, as far as the driver's own parser tells. That parser
 * takes an unescaped `/`, `?` or `#` in a password for the end of the host, and connects somewhere else.
 *
 * @returns a text that completes "must be …" and repeats nothing of the address but the name of a file; undefined when
 *   nothing is wrong
 */
export function wrongWithPostgresUrl(url: string): string | undefined {
  if (!isMeantForPostgres(url)) return 'postgres://…';
  if (isUnescaped(url)) {
    return `an address in which the characters of the user and the password that end them are escaped: write ${ESCAPES}`;
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
    return `an address such as postgres://USER:PASSWORD@HOST:5432/DATABASE, with every other character of the user and the password escaped: write ${ESCAPES}`;
  }
}

/**
 * The address with the name that the driver gives to what it does for `sslmode=require`, `prefer` and `verify-ca`: it
 * verifies the certificate and the name in it. With another name it prints nine lines about that.
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
  // Then the driver escapes everything once more, and what was escaped is read as it stands.
  if (/%(?![\dA-Fa-f]{2})| /.test(url) && /%[\dA-Fa-f]{2}/.test(url)) return true;
  const rest = url.slice(url.indexOf('://') + 3);
  const end = rest.search(/[/?]/);
  if (end === -1) return false;
  const [authority, after] = [rest.slice(0, end), rest.slice(end)];
  const [path = '', query = ''] = after.split('?', 2);
  // A user and a password end in "@"; one that comes later shows that they had not ended.
  if (path.includes('@')) return true;
  return !authority.includes('@') && after.startsWith('?') && query.includes('@') && !query.includes('=');
}
