import { DomainError, type FieldProblem } from '../domain-error.ts';
import { type CompanyId, isCompanyId } from '../ids.ts';
import { MANAGEMENT_PREFIX } from '../permissions/management-permissions.ts';
import { type Profile, takesAlg } from '../profile.ts';
import type { SigningAlg } from '../signing-keys/signing-key.ts';
import { isPermission } from '../permissions/permission.ts';
import { type DeclaredPermission, isAbsoluteUri } from './resource-server.ts';

/** The beginning of the identifiers that a company may use, with the id of the company. Root uses all others. */
const OF_A_COMPANY = /^api:\/\/([^/]+)\/./;

/**
 * Checks the identifier of a new resource server.
 *
 * @param company undefined: root
 * @throws DomainError `invalid_value`
 */
export function assertIdentifier(identifier: string, company: CompanyId | undefined): void {
  const wrong = (message: string): DomainError =>
    new DomainError('invalid_value', 'The identifier is not allowed', {
      fields: [{ pointer: '/identifier', message }],
    });
  // The identifier must be in its normal form, so that no part of it, such as `..`, means another identifier.
  const href = isAbsoluteUri(identifier) ? URL.parse(identifier)?.href : undefined;
  if (href === undefined || (href !== identifier && href !== `${identifier}/`) || !identifier.includes('://')) {
    throw wrong('must be an absolute URI in its normal form, without a fragment');
  }
  const of = OF_A_COMPANY.exec(identifier)?.[1];
  if (company === undefined && of !== undefined && isCompanyId(of)) {
    throw wrong(
      `belongs to the company ${of}: root may use every identifier that does not begin with api://{companyId}/`,
    );
  }
  if (company !== undefined && of !== company) throw wrong(`must begin with api://${company}/`);
}

/** Checks the permission names of a resource server. @throws DomainError `invalid_value` */
export function assertDeclarable(permissions: readonly DeclaredPermission[]): void {
  const seen = new Set<string>();
  const fields = permissions.flatMap(({ name }, index): FieldProblem[] => {
    const pointer = `/permissions/${index}/name`;
    if (!isPermission(name)) return [{ pointer, message: 'must be 1 to 128 characters of a scope-token, without @' }];
    if (name.startsWith(MANAGEMENT_PREFIX)) {
      return [{ pointer, message: `must not begin with ${MANAGEMENT_PREFIX}: only the management API has such names` }];
    }
    if (seen.has(name)) return [{ pointer, message: 'is listed twice' }];
    seen.add(name);
    return [];
  });
  if (fields.length > 0) throw new DomainError('invalid_value', 'Some names cannot be declared', { fields });
}

/** Checks the token lifetime of a resource server, in seconds. @throws DomainError `invalid_value` */
export function assertTtl(tokenTtl: number | undefined, maxTtl: number): void {
  if (tokenTtl === undefined || tokenTtl <= maxTtl) return;
  throw new DomainError('invalid_value', 'Tokens may not last so long', {
    fields: [{ pointer: '/tokenTtl', message: `must be at most ${maxTtl} seconds on this server` }],
  });
}

/** @throws DomainError `invalid_value` for an algorithm that the profile does not take */
export function assertAlg(signingAlg: SigningAlg | undefined, profile: Profile): void {
  if (signingAlg === undefined || takesAlg(profile, signingAlg)) return;
  throw new DomainError('invalid_value', 'The profile of this server does not take the algorithm', {
    fields: [{ pointer: '/signingAlg', message: `must not be ${signingAlg} here` }],
  });
}
