import leven from 'leven';

/** Names that Kubernetes puts into the environment of every pod beside a service called "writ". */
const INJECTED = /_(?:SERVICE_HOST|SERVICE_PORT(?:_.*)?|PORT|PORT_\d+_(?:TCP|UDP|SCTP)(?:_.*)?)$/;

/**
 * Sorts out `WRIT_` names that are no settings: one that is close to a setting is taken for a typing error and stops
 * the start, any other may belong to something else and is only mentioned.
 */
export function unknownSettings(
  names: readonly string[],
  known: readonly string[],
): { misspelt: string[]; ignored: string[] } {
  const misspelt: string[] = [];
  const ignored: string[] = [];
  for (const name of names) {
    if (!name.startsWith('WRIT_') || known.includes(name) || INJECTED.test(name)) continue;
    const close = known.find((setting) => setting.startsWith('WRIT_') && leven(name, setting) <= 3);
    if (close === undefined) ignored.push(`${name} is not a setting of Writ and is ignored`);
    else misspelt.push(`${name} is not a setting; ${close} is`);
  }
  return { misspelt, ignored };
}
