import leven from 'leven';

/** The names that Kubernetes adds to the environment of every pod when there is a service called "writ". */
const INJECTED = /_(?:SERVICE_HOST|SERVICE_PORT(?:_.*)?|PORT|PORT_\d+_(?:TCP|UDP|SCTP)(?:_.*)?)$/;

/**
 * Finds `WRIT_` names that are no settings. A name that is close to a setting is a typing error, and stops the start.
 * Any other name may belong to another program, and gets a warning.
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
