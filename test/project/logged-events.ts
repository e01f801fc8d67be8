import { parseSync, Visitor } from 'oxc-parser';
import { OAUTH_ENDPOINTS } from '../../src/domain/activity/refusal.ts';
import { AUDIT_ACTIONS } from '../../src/domain/audit/audit-event.ts';

/** An event in the source. `level` is undefined if the source chooses the level at run time. */
export interface LoggedEvent {
  readonly event: string;
  readonly level: string | undefined;
}

const LEVEL = /^(?:fatal|error|warn|info|debug|trace)$/;
/** The files that log an event whose name is an argument. {@link loggedEvents} reads the names at their callers. */
const PASSES_ON = new Set(['src/oauth/refusals/log-refusal.ts', 'src/observability/outage-log.ts']);

/**
 * Finds the events that a file logs: the member `event` of objects, the names of failures of background work, the
 * refusals of the OAuth endpoints, and the actions of the audit.
 *
 * @param path the path from the root of the project
 * @returns the events, and a message for each place whose events cannot be read
 */
export function loggedEvents(path: string, source: string): { events: LoggedEvent[]; unreadable: string[] } {
  const events: LoggedEvent[] = [];
  const unreadable: string[] = [];
  const levels = new Map<number, string>();
  const { program } = parseSync(path, source);
  const textOf = ({ start, end }: { start: number; end: number }): string => source.slice(start, end);

  new Visitor({
    CallExpression({ callee, arguments: given, start }) {
      const [first, second] = given;
      if (textOf(callee) === 'logRefusal') {
        if (second === undefined || textOf(second) !== '`${endpoint}.refused`') unreadable.push(textOf(callee));
        else events.push(...OAUTH_ENDPOINTS.map((endpoint) => ({ event: `${endpoint}.refused`, level: undefined })));
        return;
      }
      if (callee.type !== 'MemberExpression') return;
      const method = textOf(callee.property);
      if (method === 'failed' && first?.type === 'Literal' && typeof first.value === 'string') {
        events.push({ event: first.value, level: 'warn' });
      }
      const logs = /\blogger$/.test(textOf(callee.object)) && (callee.computed || LEVEL.test(method));
      if (!logs || PASSES_ON.has(path)) return;
      const named = first?.type === 'ObjectExpression' && /\bevent\b/.test(textOf(first));
      if (!named) unreadable.push(`a line without an event: ${source.slice(start, start + 60)}`);
      else if (!callee.computed) levels.set(first.start, method);
    },
    ObjectExpression({ properties, start }) {
      for (const property of properties) {
        if (property.type !== 'Property' || textOf(property.key) !== 'event') continue;
        const { value } = property;
        const level = levels.get(start);
        if (value.type === 'Literal' && typeof value.value === 'string') events.push({ event: value.value, level });
        else if (textOf(value) === 'action') events.push(...AUDIT_ACTIONS.map((event) => ({ event, level })));
        else if (!PASSES_ON.has(path)) unreadable.push(`the name of an event is computed: ${textOf(property)}`);
      }
    },
  }).visit(program);
  return { events, unreadable };
}
