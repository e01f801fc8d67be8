/** One of the two collections of accounts, which have the same operations. */
export interface AccountCollection {
  readonly path: string;
  readonly tag: string;
  /** Names an operation. */
  operationId(verb: string, what?: string): string;
  /** One of its accounts, in words. */
  readonly one: string;
}

export const ROOT_ACCOUNTS: AccountCollection = {
  path: '/api/service-accounts',
  tag: 'Root service accounts',
  operationId: (verb, what = '') => `${verb}ServiceAccount${what}`,
  one: 'root service account',
};

export const COMPANY_ACCOUNTS: AccountCollection = {
  path: '/api/companies/{companyId}/service-accounts',
  tag: 'Service accounts of a company',
  operationId: (verb, what = '') => `${verb}CompanyServiceAccount${what}`,
  one: 'service account of a company',
};

/** Why a change of an account may be refused with 409. */
export const LAST_ROOT = 'It is the last enabled root account that may grant everything (`last_root`)';
