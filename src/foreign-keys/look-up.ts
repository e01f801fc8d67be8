import type { LookupAddress } from 'node:dns';
import { lookup, Resolver } from 'node:dns/promises';

/** Finds every address of a name. A signal that aborts ends the wait. */
export type LookUp = (name: string, signal: AbortSignal) => Promise<readonly LookupAddress[]>;

/** The look-ups of names: in the network of this machine, or in the internet. */
export interface LookUps {
  readonly network: LookUp;
  readonly internet: LookUp;
}

/** Asks the system of this machine, which may have names of its own (`/etc/hosts`, search domains). */
const lookUpInSystem: LookUp = (name) => lookup(name, { all: true });

/**
 * Creates a look-up that asks the name servers itself. The system's look-up keeps a thread of the process busy, and
 * nothing can end it: slow name servers of one company would keep every other look-up waiting, that of the database too.
 *
 * @param servers the name servers; undefined: those of this machine
 */
export function createDnsLookUp(servers?: readonly string[]): LookUp {
  return async (name, signal) => {
    const resolver = new Resolver({ timeout: 1000, tries: 2 });
    if (servers !== undefined) resolver.setServers(servers);
    signal.addEventListener('abort', () => resolver.cancel(), { once: true });
    const [four, six] = await Promise.allSettled([resolver.resolve4(name), resolver.resolve6(name)]);
    if (four.status === 'rejected' && six.status === 'rejected') throw four.reason;
    return [...addressesOf(four, 4), ...addressesOf(six, 6)];
  };
}

function addressesOf(answer: PromiseSettledResult<string[]>, family: 4 | 6): LookupAddress[] {
  return answer.status === 'fulfilled' ? answer.value.map((address) => ({ address, family })) : [];
}

export const LOOK_UPS: LookUps = { network: lookUpInSystem, internet: createDnsLookUp() };
