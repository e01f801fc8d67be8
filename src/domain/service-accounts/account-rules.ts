import { assertPermissions } from '../companies/hold-to-limits.ts';
import type { Limits } from '../companies/company-limits.ts';
import { DomainError } from '../domain-error.ts';
import type { KeptCompany } from '../companies/company-store.ts';
import { holdingsOf, numberOfEffective, type Rights } from '../permissions/rules/holdings.ts';
import { accessTokenSize } from '../tokens/access-token-size.ts';
import { type AccountSnapshot, FIRST_AUDIENCE, type ServiceAccount } from './service-account.ts';
import type { TokenLimits } from './service-accounts.ts';

/** The most permissions and roles that are granted to one account or group. */
const MOST_GRANTS = 1000;
const MOST_GROUPS = 100;
/** The most bytes of metadata, as JSON. */
const MOST_METADATA = 4096;

/**
 * Checks the token lifetime and the metadata of a new or changed account. An unchanged lifetime may exceed the maximum
 * of the server: the server cuts the lifetime of every token to its maximum.
 *
 * @param before the account before the change; undefined: the account is new
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
 * Limits the groups and the effective permissions of an account: they are added up each time that an account is read.
 *
 * @param owner the company of the account; undefined: a root account
 * @param limits the limits of companies without limits of their own
 * @throws DomainError `limit_reached`
 */
export function assertNumberOfEffective(rights: Rights, owner: KeptCompany | undefined, limits: Limits): void {
  assertNumberOfGroups(rights.groups.length);
  assertPermissions(owner, limits, numberOfEffective(rights));
}

/**
 * Refuses an account whose longest access token would be too long: a token travels in an HTTP header, and servers limit
 * the size of headers. A change that does not make the token longer is always allowed.
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

/** The parts of an account that decide about the size of its longest token. */
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
    throw new DomainError('limit_reached', `An account or a group has at most ${MOST_GRANTS} permissions and roles`);
  }
}
