import { type Limit, type Limits, LIMITS, MOST } from '../domain/companies/company-limits.ts';
import { BlockList, isIP } from 'node:net';

/** Whether a text is an issuer identifier (RFC 8414 §2). Outside production it may be an http URL. */
export function isIssuer(value: string): boolean {
  const url = URL.parse(value);
  return (
    url !== null &&
    (url.protocol === 'https:' || url.protocol === 'http:') &&
    // Everyone who verifies a token compares the issuer as a string: only its canonical spelling is accepted.
    (url.href === value || url.href === `${value}/`) &&
    url.username === '' &&
    url.password === '' &&
    !/[?#]|\/$/.test(value)
  );
}

/** Reads keys of 32 bytes in base64, separated by commas. @returns undefined when an entry is none, or is there twice */
export function parseKeys(text: string): Buffer[] | undefined {
  const entries = text.split(',').map((part) => part.trim());
  const keys = entries.map((entry) => Buffer.from(entry, 'base64'));
  const fits = entries.every((entry, index) => /^[A-Za-z0-9+/_-]{43}=?$/.test(entry) && keys[index]?.length === 32);
  return fits && new Set(keys.map((key) => key.toString('hex'))).size === keys.length ? keys : undefined;
}

/** Reads addresses and CIDRs, separated by commas. @returns undefined when an entry is neither */
export function parseNetworks(text: string): BlockList | undefined {
  const networks = new BlockList();
  for (const entry of text.split(',').map((part) => part.trim())) {
    if (entry === '') continue;
    const [address = '', prefix, ...others] = entry.split('/');
    const version = isIP(address);
    const bits = Number(prefix ?? (version === 4 ? 32 : 128));
    const fits = /^\d{1,3}$/.test(prefix ?? '0') && bits <= (version === 4 ? 32 : 128) && others.length === 0;
    if (version === 0 || !fits) return undefined;
    networks.addSubnet(address, bits, version === 4 ? 'ipv4' : 'ipv6');
  }
  return networks;
}

/** Reads a JSON object. @returns undefined for any other text */
export function parseObject(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Reads limits of companies: `name=number`, separated by commas, each name once.
 *
 * @returns undefined for any other text
 */
export function parseLimits(text: string): Partial<Limits> | undefined {
  const limits: Partial<Record<Limit, number>> = {};
  for (const entry of text.split(',').map((part) => part.trim())) {
    const [, named, digits] = /^(\w+) ?= ?(\d{1,7})$/.exec(entry) ?? [];
    const name = LIMITS.find((limit) => limit === named);
    if (name === undefined || name in limits || Number(digits) > MOST[name]) return undefined;
    limits[name] = Number(digits);
  }
  return limits;
}

/** Reads `host:port`; an IPv6 address stands in brackets. @returns undefined for any other text */
export function parseListenAddress(text: string): { host: string; port: number } | undefined {
  const [, bracketed, plain, digits] = /^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9.-]+)):(\d{1,5})$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  const port = Number(digits);
  return host !== undefined && port >= 1 && port <= 65_535 ? { host, port } : undefined;
}
