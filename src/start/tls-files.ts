import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import type { Config } from '../config/parse-config.ts';
import { fileErrorCode, foreignMode } from '../storage/file-mode.ts';
import type { Surroundings } from './surroundings.ts';

/** A file of the TLS settings cannot be used. `message` tells the operator what to do. */
export class TlsFileError extends Error {
  override readonly name = 'TlsFileError';
}

/** The certificates and the key of the TLS settings, kept up to date. */
export interface TlsFiles {
  /** The certificate of this server; undefined: this server does not end TLS itself. */
  readonly server: { current(): ServerCertificate; onChange(told: () => void): void } | undefined;
  /** The authorities that issue the certificates of clients. */
  authorities(): readonly X509Certificate[];
  close(): void;
}

/** A certificate chain with its private key, in PEM. */
export interface ServerCertificate {
  readonly cert: string;
  readonly key: string;
}

/** Milliseconds between two looks at the files. */
const PAUSE = 1000;

/**
 * Reads the files of the TLS settings, and reads them anew when one of them has changed. While the new ones cannot be
 * used, the old ones stay: a certificate and its key are seldom replaced at the same moment.
 *
 * @param assertUsable throws when a server cannot use a certificate
 * @throws TlsFileError
 */
export function openTlsFiles(
  { tls, clientCa }: Config,
  { logger }: Pick<Surroundings, 'logger'>,
  assertUsable: (certificate: ServerCertificate) => void,
): TlsFiles {
  const paths = [tls?.cert ?? [], tls?.key ?? [], clientCa ?? []].flat();
  const warn = (text: string): void => logger.warn({ event: 'key_file.open_to_others' }, text);
  if (tls !== undefined) warnOfMode(tls.key, warn);
  const readAll = () => ({
    server: tls && readServer(tls.cert, tls.key, assertUsable),
    authorities: clientCa === undefined ? [] : readAuthorities(clientCa),
  });
  let seen = paths.map(versionOf);
  let current = readAll();
  let tell = (): void => {};

  function look(): void {
    const versions = paths.map(versionOf);
    if (versions.every((one, index) => one === seen[index])) return;
    seen = versions;
    try {
      const { server } = current;
      current = readAll();
      if (current.server?.cert !== server?.cert || current.server?.key !== server?.key) tell();
      logger.info({ event: 'tls.reloaded', files: paths });
    } catch (error) {
      if (!(error instanceof TlsFileError)) throw error;
      logger.warn({ event: 'tls.not_reloaded', err: error }, `${error.message}. The certificates from before stay`);
    }
  }
  const timer = paths.length === 0 ? undefined : setInterval(look, PAUSE).unref();
  const first = current.server;

  return {
    server: first && {
      current: () => current.server ?? first,
      onChange(told) {
        tell = told;
      },
    },
    authorities: () => current.authorities,
    close: () => clearInterval(timer),
  };
}

/** A text that changes when a file has been written or replaced; a mounted secret is replaced by another link. */
function versionOf(path: string): string {
  const { ino, size, mtimeMs } = statSync(path, { throwIfNoEntry: false }) ?? {};
  return `${ino} ${size} ${mtimeMs}`;
}

function readServer(
  certificate: string,
  keyFile: string,
  assertUsable: (certificate: ServerCertificate) => void,
): ServerCertificate {
  const [cert, key] = [readText(certificate), readText(keyFile)];
  let fits: boolean;
  try {
    fits = new X509Certificate(cert).checkPrivateKey(createPrivateKey(key));
  } catch {
    throw new TlsFileError(
      `WRIT_TLS_CERT (${certificate}) must be a certificate in PEM, and WRIT_TLS_KEY (${keyFile}) its private key without a passphrase`,
    );
  }
  if (!fits) throw new TlsFileError(`WRIT_TLS_KEY (${keyFile}) is not the key of WRIT_TLS_CERT (${certificate})`);
  try {
    assertUsable({ cert, key });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new TlsFileError(`WRIT_TLS_CERT (${certificate}) cannot be used: ${why}`, { cause: error });
  }
  return { cert, key };
}

function readAuthorities(path: string): readonly X509Certificate[] {
  const blocks = readText(path).match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  try {
    const authorities = blocks.map((block) => new X509Certificate(block));
    if (authorities.some(({ raw }) => raw.includes(NAME_CONSTRAINTS))) throw constrained(path);
    if (authorities.length > 0 && authorities.every(({ ca }) => ca)) return authorities;
  } catch (error) {
    if (error instanceof TlsFileError) throw error;
    // The same message as for a file without certificates.
  }
  throw new TlsFileError(`WRIT_TLS_CLIENT_CA (${path}) must hold certificates of authorities (CA:TRUE) in PEM`);
}

/** The identifier of the extension for name constraints in DER (RFC 5280 §4.2.1.10). */
const NAME_CONSTRAINTS = Buffer.from('0603551d1e', 'hex');

function constrained(path: string): TlsFileError {
  return new TlsFileError(
    `WRIT_TLS_CLIENT_CA (${path}) has an authority with name constraints, which Writ does not check: name an authority without them`,
  );
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new TlsFileError(`${path} cannot be read (${fileErrorCode(error)})`, { cause: error });
  }
}

function warnOfMode(path: string, warn: (text: string) => void): void {
  const mode = statSync(path, { throwIfNoEntry: false })?.mode;
  const open = mode === undefined ? undefined : foreignMode(path, mode, warn);
  if (open !== undefined) warn(open);
}
