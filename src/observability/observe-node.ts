import { Gauge, type Registry } from 'prom-client';

/** The state of a node, for its metrics. Ages are seconds; undefined: it has not happened on this node yet. */
export interface NodeState {
  readonly degraded: boolean;
  /** Seconds by which the clock of the database is ahead of the clock of this node. */
  readonly clockOffset: number;
  /** The accounts that this node remembers, and about how many bytes they take. */
  readonly remembered: { readonly accounts: number; readonly bytes: number };
  /** The time since the database answered the change feed. */
  readonly changeFeedAge: number;
  /** The time since the status lists were read. */
  readonly statusListAge: number | undefined;
  /** The Unix time of the last round of the janitor without an error. */
  readonly janitorSuccess: number | undefined;
  /** The age of the key that signs for each algorithm. */
  readonly signingKeyAges: ReadonlyMap<string, number>;
  /** The records that wait in memory until they are written, by what they record. */
  readonly waiting: Readonly<Record<'uses' | 'refusals', number>>;
}

/** Adds the state of a node to the metrics. @param look called whenever the metrics are rendered */
export function observeNode(look: () => NodeState, registers: Registry[]): void {
  // Of several processes of one server, the state of the worst counts, and the numbers add up.
  const gauge = (
    name: string,
    help: string,
    value: (state: NodeState) => number | undefined,
    aggregator: 'max' | 'sum' = 'max',
  ): void => {
    const one: Gauge = new Gauge({
      name,
      help,
      registers,
      aggregator,
      collect() {
        const now = value(look());
        // The library starts a gauge without labels at 0, and 0 would be the age or the time of something.
        if (now === undefined) one.remove();
        else one.set(now);
      },
    });
  };
  const gauges = (
    name: string,
    help: string,
    label: string,
    values: (state: NodeState) => Iterable<readonly [string, number]>,
    aggregator: 'max' | 'sum' = 'max',
  ): void => {
    const all: Gauge = new Gauge({
      name,
      help,
      labelNames: [label],
      registers,
      aggregator,
      collect() {
        all.reset();
        for (const [each, value] of values(look())) all.set({ [label]: each }, value);
      },
    });
  };
  gauge(
    'writ_degraded',
    '1 while this node serves remembered clients because it cannot reach the database, else 0',
    ({ degraded }) => (degraded ? 1 : 0),
  );
  gauge(
    'writ_clock_offset_seconds',
    'By how much the clock of the database is ahead of the clock of this node',
    ({ clockOffset }) => clockOffset,
  );
  gauge(
    'writ_account_cache_entries',
    'Accounts that this node remembers',
    ({ remembered }) => remembered.accounts,
    'sum',
  );
  gauge(
    'writ_account_cache_bytes',
    'About how many bytes the accounts take that this node remembers',
    ({ remembered }) => remembered.bytes,
    'sum',
  );
  gauge(
    'writ_change_feed_age_seconds',
    'Time since the database answered the change feed of this node',
    ({ changeFeedAge }) => changeFeedAge,
  );
  gauge(
    'writ_status_lists_age_seconds',
    'Time since this node read the status lists',
    ({ statusListAge }) => statusListAge,
  );
  gauge(
    'writ_janitor_last_success_timestamp_seconds',
    'Unix time of the last round of the janitor without an error',
    ({ janitorSuccess }) => janitorSuccess,
  );
  gauges(
    'writ_signing_key_age_seconds',
    'Age of the key that signs for an algorithm',
    'alg',
    ({ signingKeyAges }) => signingKeyAges,
  );
  gauges(
    'writ_records_waiting',
    'Records in memory that wait to be written to the database',
    'record',
    ({ waiting }) => Object.entries(waiting),
    'sum',
  );
}
