import type { Origin } from '../domain/audit/audit-event.ts';

/** The origin, in the audit, of the changes that a start makes by itself. */
export const START: Origin = { actor: { type: 'server', command: 'start' }, requestId: undefined, source: undefined };

/** The origin, in the audit, of the keys that are replaced by the schedule. */
export const ROTATION: Origin = {
  actor: { type: 'server', command: 'rotation' },
  requestId: undefined,
  source: undefined,
};
