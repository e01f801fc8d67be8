import { collectionsOf } from '../collection.ts';

export const { root: ROOT_ACCOUNTS, company: COMPANY_ACCOUNTS } = collectionsOf({
  segment: 'service-accounts',
  id: 'ServiceAccount',
  one: 'service account',
  many: 'service accounts',
});

/** Why a change of an account may be refused with 409. */
export const LAST_ROOT = 'It is the last enabled root account that may grant everything (`last_root`)';
