import type { Grantable } from '../permissions/grantable.ts';
import type { Limits } from './company-limits.ts';
import type { CredentialPolicy } from '../credentials/credential-policy.ts';
import type { ClientId, CompanyId } from '../ids.ts';
import type { State } from '../state.ts';

/** A tenant: service accounts of its own, and nobody else's business. */
export interface Company {
  readonly companyId: CompanyId;
  readonly name: string;
  /** While it is disabled, none of its accounts gets a token or may call the management API. */
  readonly state: State;
  /** How old the credentials of its accounts may get, where that is less than on the server. */
  readonly policy: CredentialPolicy;
  /** Its own limits; the server's hold for the others. */
  readonly limits: Partial<Limits>;
  /** Managers of its accounts may grant these in it, without holding them. */
  readonly grantable: readonly Grantable[];
  readonly createdAt: Date;
  readonly createdBy: ClientId;
  readonly updatedAt: Date;
  /** Counts its changes. */
  readonly revision: number;
}
