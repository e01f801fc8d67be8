import { collectionsOf } from '../collection.ts';

export const { root: ROOT_ACCOUNTS, company: COMPANY_ACCOUNTS } = collectionsOf({
  segment: 'service-accounts',
  id: 'ServiceAccount',
  one: 'service account',
  many: 'service accounts',
});

/** The reason for 409 when a change would end the last working root account. */
export const LAST_ROOT = 'The account is the last working root account that may grant everything (`last_root`)';
