import type { ClientId, CompanyId, TrustedIssuerId } from '../ids.ts';
import type { Page, PageRequest } from '../page.ts';
import type { TrustedIssuer } from './trusted-issuer.ts';

/** A filter of trusted issuers; undefined members do not restrict it. */
export interface TrustedIssuerFilter {
  /** A prefix of the name or of the issuer; case does not matter. */
  readonly search?: string | undefined;
}

/** The stored trusted issuers. */
export interface TrustedIssuerStore {
  /** @returns false when the owner has a trusted issuer for this `iss` already */
  insert(trusted: TrustedIssuer): Promise<boolean>;
  /** Finds a trusted issuer that a company, or root, sees. */
  find(company: CompanyId | undefined, id: string): Promise<TrustedIssuer | undefined>;
  /** As `find`, among those of the owner only; locks the row until the end of the transaction. */
  lock(company: CompanyId | undefined, id: string): Promise<TrustedIssuer | undefined>;
  /**
   * Finds the trusted issuer that holds for the accounts of a company, or of root: its own before that of root. Keeps
   * the row until the end of the transaction.
   */
  trusted(company: CompanyId | undefined, issuer: string): Promise<TrustedIssuer | undefined>;
  /** Finds the trusted issuer of one owner, by its `iss`. */
  named(company: CompanyId | undefined, issuer: string): Promise<TrustedIssuer | undefined>;
  /** Lists the trusted issuers that a company, or root, sees; newest first. */
  list(company: CompanyId | undefined, filter: TrustedIssuerFilter, page: PageRequest): Promise<Page<TrustedIssuer>>;
  /** Counts the trusted issuers of one owner. */
  count(company: CompanyId | undefined): Promise<number>;
  /**
   * Lists accounts that have a federated credential for an issuer, and whose trusted issuer is that of this owner: for
   * root, also the accounts of companies that have none of their own.
   */
  accountsWithRules(company: CompanyId | undefined, issuer: string, limit: number): Promise<readonly ClientId[]>;
  update(trusted: TrustedIssuer): Promise<void>;
  delete(id: TrustedIssuerId): Promise<void>;
}
