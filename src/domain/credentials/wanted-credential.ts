import type { CompanyId } from '../ids.ts';
import { namedAudience } from '../permissions/rules/choose-audience.ts';
import type { Stores } from '../storage.ts';
import type { CredentialDescription, NewCredential } from './issue-credentials.ts';

/** A credential as it is asked for: an API key names its resource server. */
export type WantedCredential =
  | Exclude<NewCredential, { type: 'api_key' }>
  | ({ readonly type: 'api_key'; readonly audience: string } & CredentialDescription);

/**
 * Finds the resource servers that API keys are to be for; they stay until the end of the transaction.
 *
 * @param company that of the account: it sees its own and root's
 * @throws DomainError `invalid_value` for one that there is not
 */
export async function bindAudiences(
  { resourceServers }: Stores,
  company: CompanyId | undefined,
  wanted: readonly WantedCredential[],
): Promise<NewCredential[]> {
  const bound: NewCredential[] = [];
  for (const one of wanted) {
    if (one.type !== 'api_key') bound.push(one);
    else bound.push({ ...one, audience: await namedAudience(resourceServers, company, one.audience, one.at) });
  }
  return bound;
}
