import { assertPermissions } from '../companies/hold-to-limits.ts';
import type { Limits } from '../companies/company-limits.ts';
import { DomainError } from '../domain-error.ts';
import type { KeptCompany } from '../companies/company-store.ts';
import { holdingsOf, numberOfEffective, type Rights } from '../permissions/rules/holdings.ts';
import { accessTokenSize } from '../tokens/access-token-size.ts';
import { type AccountSnapshot, FIRST_AUDIENCE, type ServiceAccount } from './service-account.ts';
import type { TokenLimits } from './service-accounts.ts';

/** Permissions and roles of one account or group. */
const MOST_GRANTS = 1000;
const MOST_GROUPS = 100;
/** Bytes of JSON. */
const MOST_METADATA = 4096;

/**
 * Rules for an account as it would stand, whichever way it came to be so. A lifetime that the server allowed once may
 * stay: tokens go by what it allows now.
 *
 * @param before undefined: it is new
 * @throws DomainError `invalid_value`
 */
export function assertFits(
  { tokenTtl, metadata }: ServiceAccount,
  before: ServiceAccount | undefined,
  { maxTtl }: TokenLimits,
): void {
  if (tokenTtl !== undefined && tokenTtl > maxTtl && tokenTtl !== before?.tokenTtl) {
    throw new DomainError('invalid_value', 'Tokens may not last so long', {
      fields: [{ pointer: '/tokenTtl', message: `must be at most ${maxTtl} seconds on this server` }],
    });
  }
  const size = Buffer.byteLength(JSON.stringify(metadata));
  if (size > MOST_METADATA) {
    throw new DomainError('invalid_value', 'There is too much metadata', {
      fields: [{ pointer: '/metadata', message: `must be at most ${MOST_METADATA} bytes of JSON, not ${size}` }],
    });
  }
}

/**
 * The rights of an account are added up wherever they are read.
 *
 * @param owner undefined: it is a root account
 * @param limits of companies that have none of their own
 * @throws DomainError `limit_reached`
 */
export function assertNumberOfEffective(rights: Rights, owner: KeptCompany | undefined, limits: Limits): void {
  assertNumberOfGroups(rights.groups.length);
  assertPermissions(owner, limits, numberOfEffective(rights));
}

/**
 * A token travels in a header, and servers take headers of a certain size only. What is not made longer stays possible.
 *
 * @throws DomainError `token_too_large`
 */
export function assertTokenFits(after: SizedAccount, before: SizedAccount | undefined, limits: TokenLimits): void {
  const size = sizeOf(after, limits);
  if (size <= limits.maxBytes || (before !== undefined && size <= sizeOf(before, limits))) return;
  throw new DomainError(
    'token_too_large',
    `An access token with everything that the account holds would have ${size} bytes, at most ${limits.maxBytes} are allowed`,
  );
}

/** What decides how long the longest token of an account is. */
type SizedAccount = Omit<AccountSnapshot, 'enabled' | 'credentials' | 'holdings' | 'lastUsedAt'>;

function sizeOf(sized: SizedAccount, { issuer, signingAlg }: TokenLimits): number {
  const { clientId, company, audience = FIRST_AUDIENCE } = sized.account;
  const server = sized.audiences.get(audience);
  return accessTokenSize({
    issuer,
    alg: server?.signingAlg ?? signingAlg,
    audience: server?.identifier ?? audience,
    clientId,
    company,
    permissions: [...(holdingsOf(sized, company).get(audience) ?? [])],
  });
}

/** @throws DomainError `limit_reached` */
export function assertNumberOfGroups(count: number): void {
  if (count > MOST_GROUPS) throw new DomainError('limit_reached', `An account is in at most ${MOST_GROUPS} groups`);
}

/** @throws DomainError `limit_reached` */
export function assertNumberOfGrants(count: number): void {
  if (count > MOST_GRANTS) {
    throw new DomainError('limit_reached', `At most ${MOST_GRANTS} permissions and roles are given to one`);
  }
}
