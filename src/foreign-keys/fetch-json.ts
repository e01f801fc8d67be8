import type { LookupAddress } from 'node:dns';
import { request } from 'node:https';
import { isIP } from 'node:net';
import { IssuerKeysError } from '../domain/federation/issuer-key-source.ts';
import { DEEPEST_JSON, isNestedDeeper } from '../domain/is-nested-deeper.ts';
import { LOOK_UPS, type LookUps } from './look-up.ts';

/** The addresses that a fetch may go to. */
export interface Reach {
  /** Where names are looked up. */
  readonly names: keyof LookUps;
  readonly mayReach: (address: string) => boolean;
}

/** Fetches a JSON document from an https address. @throws IssuerKeysError when that fails, for whatever reason */
export type FetchJson = (address: string, reach: Reach) => Promise<unknown>;

/** The limits of a fetch. */
export interface FetchLimits {
  /** The most milliseconds from the look-up of the name to the last byte. */
  readonly time: number;
  readonly bytes: number;
  /** Certificates that are trusted in place of those of Node.js; undefined: those of Node.js. */
  readonly ca?: string | undefined;
}

export const FETCH_LIMITS: FetchLimits = { time: 2500, bytes: 64 * 1024 };

/** The most characters of an error of the network that are kept: a certificate in it may have thousands of names. */
const LONGEST_ERROR = 200;

/**
 * Creates a fetch that an address of somebody else's choice cannot misuse (CWE-918). The name is resolved once, every
 * address that it has must be allowed, and the connection goes to these addresses: the name cannot change in between.
 * Redirects are refused, and so is everything that is not a small JSON document. The media type does not matter.
 */
export function createFetchJson({ time, bytes, ca }: FetchLimits, lookUps = LOOK_UPS): FetchJson {
  return async (address, reach) => {
    const url = URL.parse(address);
    if (url?.protocol !== 'https:') throw new IssuerKeysError(`${address} is no https address`);
    if (url.username !== '' || url.password !== '') throw new IssuerKeysError(`${url.host} would get a password`);
    const signal = AbortSignal.timeout(time);
    const fetched = async (): Promise<unknown> => {
      const pinned = await resolved(url.hostname, reach, lookUps, signal);
      return parsed(await body(url, pinned, bytes, ca, signal));
    };
    try {
      // A look-up may never end, and Node.js drops a request without an error when the answer is a switch of protocols.
      return await Promise.race([fetched(), aborted(signal)]);
    } catch (error) {
      if (error instanceof IssuerKeysError) throw error;
      const said = signal.aborted ? `no answer within ${time} ms` : textOf(error);
      throw new IssuerKeysError(`${address}: ${said}`, { cause: error });
    }
  };
}

/**
 * Resolves a host name, or reads a literal address.
 *
 * @throws IssuerKeysError when there is no address, or one that is not allowed: the texts are the same, so that nobody
 *   finds out which names a private network has
 */
async function resolved(
  hostname: string,
  { names, mayReach }: Reach,
  lookUps: LookUps,
  signal: AbortSignal,
): Promise<readonly LookupAddress[]> {
  const refuse = (cause?: unknown): never => {
    const text = `${hostname} has no address, or one that is not public and that no setting allows`;
    throw new IssuerKeysError(text, { cause });
  };
  const literal = hostname.replace(/^\[(.*)\]$/, '$1');
  const family = isIP(literal);
  const addresses =
    family === 0 ? await lookUps[names](hostname, signal).catch(refuse) : [{ address: literal, family }];
  if (addresses.length === 0 || !addresses.every((one) => mayReach(one.address))) return refuse();
  return addresses;
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(new Error('aborted')), { once: true });
  });
}

function body(
  url: URL,
  pinned: readonly LookupAddress[],
  most: number,
  ca: string | undefined,
  signal: AbortSignal,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const sent = request(
      url,
      {
        signal,
        agent: false,
        // The connection goes to an address that has been checked. Node.js asks for all of them, and tries each.
        lookup: (_, options, done) => {
          const [first] = pinned;
          if (options.all === true) done(null, [...pinned]);
          else done(null, first?.address ?? '', first?.family);
        },
        headers: { Accept: 'application/json', Connection: 'close' },
        maxHeaderSize: 16 * 1024,
        // The environment of the process cannot turn this off.
        rejectUnauthorized: true,
        ...(ca !== undefined && { ca }),
      },
      (answer) => {
        const refuse = (why: string): void => {
          answer.destroy();
          reject(new Error(why));
        };
        if (answer.statusCode !== 200) return refuse(`status ${answer.statusCode}`);
        if ((answer.headers['content-encoding'] ?? 'identity') !== 'identity')
          return refuse('the answer is compressed');
        const chunks: Buffer[] = [];
        let length = 0;
        answer.on('data', (chunk: Buffer) => {
          length += chunk.length;
          if (length > most) refuse(`the answer has more than ${most} bytes`);
          else chunks.push(chunk);
        });
        answer.on('error', () => refuse('the answer is not whole'));
        answer.on('end', () =>
          answer.complete ? resolve(Buffer.concat(chunks).toString()) : refuse('the answer is not whole'),
        );
      },
    );
    sent.on('error', reject);
    sent.end();
  });
}

/** Reads JSON. The errors do not have parts of the text: the document may be from a private network. */
function parsed(text: string): unknown {
  if (isNestedDeeper(text, DEEPEST_JSON)) throw new Error(`the answer is nested more than ${DEEPEST_JSON} levels deep`);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error('the answer is no JSON', { cause: error });
  }
}

/** The text of an error of the network. The issuer may have chosen parts of the text. */
function textOf(error: unknown): string {
  const first: unknown = error instanceof AggregateError ? error.errors[0] : error;
  const text = first instanceof Error ? first.message : String(first);
  return text.replaceAll(/[^\x20-\x7E]/g, '?').slice(0, LONGEST_ERROR);
}
