import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

/** The metrics that the parts of the server report. Every label has few values, and no value comes from a request. */
export interface Metrics {
  tokenIssued(method: string, seconds: number): void;
  /** @param reason one of a closed list */
  tokenRefused(error: string, reason: string, seconds: number): void;
  /** Counts a request that was answered 429 because too many requests failed to authenticate, at any endpoint. */
  tokenRequestLimited(): void;
  cacheOutcome(outcome: string): void;
  databaseQuery(): void;
  /** Adds the number of connections of the pool to the metrics. @param look called whenever the metrics are rendered */
  observePool(look: () => Readonly<Record<'used' | 'free' | 'waiting', number>>): void;
  /**
   * Adds the number of credentials that expire soon to the metrics.
   *
   * @param count called whenever the metrics are rendered; counts by kind, or undefined when counting failed
   */
  observeExpiring(count: () => Promise<ReadonlyMap<string, number> | undefined>): void;
  /**
   * Adds the state of this node to the metrics.
   *
   * @param look called whenever the metrics are rendered; `clockOffset`: seconds by which the database's clock is ahead
   */
  observeNode(look: () => { readonly degraded: boolean; readonly clockOffset: number }): void;
  /** All metrics in the text format of Prometheus. */
  render(): Promise<string>;
  readonly contentType: string;
}

/** The upper bounds of the buckets in seconds: most answers take less than a millisecond of work. */
const BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

export function createMetrics(): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  // These gauges have the names of counters, and each is only the sum of another gauge.
  for (const what of ['resources', 'handles', 'requests']) registry.removeSingleMetric(`nodejs_active_${what}_total`);

  const issued = new Counter({
    name: 'writ_tokens_issued_total',
    help: 'Access tokens issued, by how the client authenticated',
    labelNames: ['method'],
    registers,
  });
  const refused = new Counter({
    name: 'writ_tokens_refused_total',
    help: 'Token requests refused, by OAuth error and true reason',
    labelNames: ['error', 'reason'],
    registers,
  });
  const limited = new Counter({
    name: 'writ_token_requests_limited_total',
    help: 'Requests answered 429 because too many requests failed to authenticate, at an OAuth endpoint or the management API',
    registers,
  });
  const duration = new Histogram({
    name: 'writ_token_request_duration_seconds',
    help: 'Time from a token request to its answer',
    labelNames: ['outcome'],
    buckets: BUCKETS,
    registers,
  });
  const cache = new Counter({
    name: 'writ_account_cache_total',
    help: 'Accounts found in memory (hit), in the database (loaded), or in memory because the database was away (stale)',
    labelNames: ['outcome'],
    registers,
  });
  const queries = new Counter({ name: 'writ_database_queries_total', help: 'Statements sent', registers });

  // The children of each label are kept: looking a child up in the library costs more than counting.
  const issuedBy = new Map<string, ReturnType<typeof issued.labels>>();
  const took = { issued: duration.labels('issued'), refused: duration.labels('refused') };
  const found = new Map<string, ReturnType<typeof cache.labels>>();

  return {
    tokenIssued(method, seconds) {
      child(issuedBy, method, () => issued.labels(method)).inc();
      took.issued.observe(seconds);
    },
    tokenRefused(error, reason, seconds) {
      refused.inc({ error, reason });
      took.refused.observe(seconds);
    },
    tokenRequestLimited: () => limited.inc(),
    cacheOutcome: (outcome) => child(found, outcome, () => cache.labels(outcome)).inc(),
    databaseQuery: () => queries.inc(),
    observePool(look) {
      const pool = new Gauge({
        name: 'writ_database_pool_connections',
        help: 'Connections of the pool that are used or free, and work that waits for a connection',
        labelNames: ['state'],
        registers,
        collect() {
          for (const [state, count] of Object.entries(look())) pool.set({ state }, count);
        },
      });
    },
    observeExpiring(count) {
      const expiring = new Gauge({
        name: 'writ_credentials_expiring',
        help: 'Enabled credentials that expire within WRIT_EXPIRY_WARNING; every node reports the same number',
        labelNames: ['type'],
        registers,
        async collect() {
          const counted = await count();
          expiring.reset();
          for (const [type, number] of counted ?? []) expiring.set({ type }, number);
        },
      });
    },
    observeNode(look) {
      const degraded: Gauge = new Gauge({
        name: 'writ_degraded',
        help: '1 while this node serves remembered clients because it cannot reach the database, else 0',
        registers,
        collect: () => degraded.set(look().degraded ? 1 : 0),
      });
      const clock: Gauge = new Gauge({
        name: 'writ_clock_offset_seconds',
        help: 'By how much the clock of the database is ahead of the clock of this node',
        registers,
        collect: () => clock.set(look().clockOffset),
      });
    },
    render: () => registry.metrics(),
    contentType: registry.contentType,
  };
}

function child<Child>(children: Map<string, Child>, label: string, make: () => Child): Child {
  const known = children.get(label);
  if (known !== undefined) return known;
  const made = make();
  children.set(label, made);
  return made;
}
