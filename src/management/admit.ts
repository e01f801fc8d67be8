import { type CompanyId, isCompanyId } from '../domain/ids.ts';
import type { ManagementPermission } from '../domain/permissions/management-permissions.ts';
import { assertAllowed } from '../domain/permissions/rules/may-grant.ts';
import { parseScopeToken } from '../domain/permissions/scope-token.ts';
import type { Caller } from '../domain/service-accounts/caller.ts';
import { ProblemError } from './problems.ts';
import type { GuardedRoute } from './route.ts';

/**
 * Admits a caller to an operation. An account of a company is nobody outside its company, whatever its token says: another
 * company's paths look to the account as if that company did not exist. Inside the walls an operation takes a permission.
 *
 * @param companyId the company in the path; undefined: the path has none
 * @returns the company in the path, which exists
 * @throws ProblemError 403, 404; DomainError `insufficient_scope`
 */
export type Admit = (
  caller: Caller,
  route: Pick<GuardedRoute, 'permission' | 'path' | 'forCompanies'>,
  companyId: string | undefined,
) => Promise<CompanyId | undefined>;

/** @param companyExists whether there is such a company */
export function createAdmission(companyExists: (companyId: CompanyId) => Promise<boolean>): Admit {
  return async (caller, { permission, path, forCompanies }, companyId) => {
    if (companyId !== undefined && caller.company !== undefined && companyId !== caller.company) throw noCompany();
    if (!path.includes('{companyId}') && caller.company !== undefined && forCompanies !== true) {
      throw new ProblemError({ status: 403, code: 'forbidden', detail: 'This is for root accounts' });
    }
    if (typeof permission !== 'string') assertOneOf(caller, permission);
    else if (permission !== 'none') assertAllowed(caller, permission);
    if (companyId === undefined) return undefined;
    // A company exists when the caller is one of its accounts.
    if (caller.company === companyId) return caller.company;
    if (!isCompanyId(companyId) || !(await companyExists(companyId))) throw noCompany();
    return companyId;
  };
}

/** @throws DomainError `insufficient_scope` when the caller holds none of these permissions at any place */
function assertOneOf(caller: Caller, permissions: readonly ManagementPermission[]): void {
  const held: ReadonlySet<string> = new Set(
    [...caller.permissions].flatMap((token) => parseScopeToken(token)?.name ?? []),
  );
  const [first] = permissions;
  if (first !== undefined && !permissions.some((permission) => held.has(permission))) assertAllowed(caller, first);
}

function noCompany(): ProblemError {
  return new ProblemError({ status: 404, code: 'not_found', detail: 'There is no such company' });
}
