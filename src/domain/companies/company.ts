import type { Grantable } from '../permissions/grantable.ts';
import type { Limits } from './company-limits.ts';
import type { CredentialPolicy } from '../credentials/credential-policy.ts';
import type { ClientId, CompanyId } from '../ids.ts';
import type { State } from '../state.ts';

/** A tenant: it has service accounts of its own, which no other company can see. */
export interface Company {
  readonly companyId: CompanyId;
  readonly name: string;
  /** While a company is disabled, none of its accounts gets a token or may call the management API. */
  readonly state: State;
  /** The maximum ages of the credentials of its accounts; a stricter maximum of the server holds instead. */
  readonly policy: CredentialPolicy;
  /** The company's own limits; the limits of the server hold for the others. */
  readonly limits: Partial<Limits>;
  /** The permissions that managers of its accounts may grant in the company without holding them. */
  readonly grantable: readonly Grantable[];
  readonly createdAt: Date;
  readonly createdBy: ClientId;
  readonly updatedAt: Date;
  /** Counts the changes of the company. */
  readonly revision: number;
}
