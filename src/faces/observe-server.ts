import type { Config } from '../config/parse-config.ts';
import { CREDENTIAL_TYPES } from '../domain/credentials/credential.ts';
import type { Readiness } from '../http/health.ts';
import type { NodeState } from '../observability/observe-node.ts';
import type { StatusLists } from '../oauth/status-lists.ts';
import type { PreparedServer } from '../start/prepare-server.ts';
import type { FaceSurroundings } from './face-surroundings.ts';

const NO_ENDS = { expiring: 0, expired: 0 };

/**
 * Has the metrics look at the server each time they are rendered: at what the alerts need.
 *
 * @param running the parts that run; `tidiedAt`: the end of the last round of the janitor without an error
 */
export function observeServer(
  { expiryWarning }: Config,
  server: PreparedServer,
  { clock, metrics }: Pick<FaceSurroundings, 'clock' | 'metrics'>,
  running: {
    readonly readiness: () => Readiness;
    readonly statusLists: Pick<StatusLists, 'readAt'>;
    /** The records that wait in memory until they are written. */
    readonly waiting: () => NodeState['waiting'];
    readonly tidiedAt: () => Date | undefined;
  },
): void {
  const { credentials } = server.storage.read;
  metrics.observeEnds(async () => {
    const now = clock();
    const soon = new Date(now.getTime() + expiryWarning * 1000);
    const counted = await credentials.countEnds(now, soon).catch(() => undefined);
    // Every type is there from the start, so that an alert finds a number.
    return counted && CREDENTIAL_TYPES.map((type) => counted.find((one) => one.type === type) ?? { type, ...NO_ENDS });
  });
  const seconds = (time: Date): number => time.getTime() / 1000;
  const since = (time: Date): number => seconds(clock()) - seconds(time);
  metrics.observeNode(() => {
    const { readAt } = running.statusLists;
    const tidiedAt = running.tidiedAt();
    return {
      degraded: running.readiness().status === 'degraded',
      clockOffset: server.clockOffset() / 1000,
      remembered: server.accounts.size(),
      changeFeedAge: server.sinceAnswer() / 1000,
      statusListAge: readAt && since(readAt),
      janitorSuccess: tidiedAt && seconds(tidiedAt),
      // A key of another algorithm signs while the key for an algorithm is not due.
      signingKeyAges: new Map(
        Object.values(server.signingKeys.current().active).map(({ alg, createdAt }) => [alg, since(createdAt)]),
      ),
      waiting: running.waiting(),
    };
  });
}
