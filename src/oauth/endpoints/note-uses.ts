import type { NoteUse } from '../../domain/credentials/use-store.ts';
import type { Attempt } from '../attempt.ts';

/** Notes the use of the credentials by which the client of an attempt has been recognized. */
export function noteUses({ snapshot, credential, beside, source }: Attempt, noteUse: NoteUse): void {
  if (snapshot === undefined) return;
  for (const used of [credential, beside]) if (used) noteUse(snapshot.account.clientId, used.credentialId, source);
}
