import { ROOT_MEANS } from '../permissions/management-permissions.ts';
import type { RememberedAccount } from './remembered-account.ts';

/** Whether an account can put everything right: it belongs to no company, and may grant every permission. */
export function isRoot({ account, holdings }: Pick<RememberedAccount, 'account' | 'holdings'>): boolean {
  if (account.company !== undefined) return false;
  const held = holdings.get('management');
  return ROOT_MEANS.every((permission) => held?.has(permission));
}
