import { AggregatorRegistry, collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import { AUTHENTICATION_FAILURES, type RefusalReason } from '../domain/activity/refusal.ts';
import { type NodeState, observeNode } from './observe-node.ts';

/** The ways to a token, as labels. */
const TOKEN_METHODS = [
  'client_secret_basic',
  'client_secret_post',
  'private_key_jwt',
  'tls_client_auth',
  'federated',
  'api_key',
  'access_token',
] as const;
export type TokenMethod = (typeof TOKEN_METHODS)[number];

/** The outcomes of a look for an account, as labels. */
const CACHE_OUTCOMES = ['hit', 'loaded', 'stale'] as const;
export type CacheOutcome = (typeof CACHE_OUTCOMES)[number];

/** The metrics that the parts of the server report. Every label has few values, and no value comes from a request. */
export interface Metrics {
  tokenIssued(method: TokenMethod, seconds: number): void;
  /** @param reason one of a closed list */
  tokenRefused(error: string, reason: RefusalReason, seconds: number): void;
  /** Counts a request that was answered 429 because too many requests failed to authenticate, at any endpoint. */
  tokenRequestLimited(): void;
  cacheOutcome(outcome: CacheOutcome): void;
  /** Counts an account that was forgotten because it must make room for another one. */
  accountEvicted(): void;
  databaseQuery(): void;
  /** Adds the number of connections of the pool to the metrics. @param look called whenever the metrics are rendered */
  observePool(look: () => Readonly<Record<'used' | 'free' | 'waiting', number>>): void;
  /**
   * Adds the numbers of credentials that expire soon, and that have expired, to the metrics.
   *
   * @param count called whenever the metrics are rendered; undefined: counting failed
   */
  observeEnds(count: () => Promise<readonly CredentialEnds[] | undefined>): void;
  /** @param operation the operationId of the call; `none`: the call had no operation */
  managementAnswered(operation: string, status: number, seconds: number): void;
  /** Adds the state of this node to the metrics. @param look called whenever the metrics are rendered */
  observeNode(look: () => NodeState): void;
  /** All metrics in the text format of Prometheus. */
  render(): Promise<string>;
  /** All metrics as values, for another process of this server. */
  values(): Promise<object>;
  /** The metrics of this process and of others together. @param others what `values` returned in the others */
  renderWith(others: readonly object[]): Promise<string>;
  readonly contentType: string;
}

/** The numbers of credentials of one type that expire soon, and that have expired. */
export interface CredentialEnds {
  readonly type: string;
  readonly expiring: number;
  readonly expired: number;
}

/** The upper bounds of the buckets in seconds: most answers take less than a millisecond of work. */
const BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

/** The reasons of refused token requests whose clients were authenticated, or never came so far. */
const OTHER_REASONS = [
  'invalid_request',
  'invalid_grant',
  'invalid_scope',
  'invalid_target',
  'unauthorized_client',
  'unsupported_grant_type',
  'too_many_attempts',
  'temporarily_unavailable',
  'server_error',
] as const satisfies RefusalReason[];

/** @param build the versions of this program and of Node.js */
export function createMetrics(build: { readonly version: string; readonly node: string }): Metrics {
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
  const evicted = new Counter({
    name: 'writ_account_cache_evictions_total',
    help: 'Accounts forgotten because they must make room for others',
    registers,
  });
  const queries = new Counter({ name: 'writ_database_queries_total', help: 'Statements sent', registers });
  const calls = new Counter({
    name: 'writ_management_requests_total',
    help: 'Answers of the management API, by operation and HTTP status',
    labelNames: ['operation', 'status'],
    registers,
  });
  const callDuration = new Histogram({
    name: 'writ_management_request_duration_seconds',
    help: 'Time from a management request to its answer',
    labelNames: ['operation'],
    buckets: BUCKETS,
    registers,
  });
  new Gauge({
    name: 'writ_build_info',
    help: 'Always 1',
    labelNames: ['version', 'node'],
    registers,
    aggregator: 'first',
  }).set(build, 1);

  // The children of each label are kept: looking a child up in the library costs more than counting.
  const issuedBy = childrenOf(TOKEN_METHODS, (method) => issued.labels(method));
  const took = { issued: duration.labels('issued'), refused: duration.labels('refused') };
  const found = childrenOf(CACHE_OUTCOMES, (outcome) => cache.labels(outcome));
  for (const reason of AUTHENTICATION_FAILURES) refused.inc({ error: 'invalid_client', reason }, 0);
  for (const reason of OTHER_REASONS) {
    refused.inc({ error: reason === 'too_many_attempts' ? 'temporarily_unavailable' : reason, reason }, 0);
  }

  return {
    tokenIssued(method, seconds) {
      issuedBy[method].inc(1);
      took.issued.observe(seconds);
    },
    tokenRefused(error, reason, seconds) {
      refused.inc({ error, reason });
      took.refused.observe(seconds);
    },
    tokenRequestLimited: () => limited.inc(),
    cacheOutcome: (outcome) => found[outcome].inc(1),
    accountEvicted: () => evicted.inc(),
    databaseQuery: () => queries.inc(),
    managementAnswered(operation, status, seconds) {
      calls.inc({ operation, status });
      callDuration.observe({ operation }, seconds);
    },
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
    observeEnds(count) {
      let looking: ReturnType<typeof count> | undefined;
      // Both gauges of one rendering share one look at the database.
      const look = (): ReturnType<typeof count> => (looking ??= count().finally(() => (looking = undefined)));
      const ends = (name: string, help: string, number: (counted: CredentialEnds) => number): void => {
        const gauge: Gauge = new Gauge({
          name,
          help: `${help}; every node reports the same number`,
          labelNames: ['type'],
          registers,
          aggregator: 'max',
          async collect() {
            const all = await look();
            gauge.reset();
            for (const counted of all ?? []) gauge.set({ type: counted.type }, number(counted));
          },
        });
      };
      ends(
        'writ_credentials_expiring',
        'Enabled credentials that expire within WRIT_EXPIRY_WARNING',
        ({ expiring }) => expiring,
      );
      ends('writ_credentials_expired', 'Enabled credentials that have expired', ({ expired }) => expired);
    },
    observeNode: (look) => observeNode(look, registers),
    render: () => registry.metrics(),
    values: () => registry.getMetricsAsJSON(),
    async renderWith(others) {
      const all = [await registry.getMetricsAsJSON(), ...others];
      return AggregatorRegistry.aggregate(all).metrics();
    },
    contentType: registry.contentType,
  };
}

/** The counter of each label. A counter is there from the start, so that its number is 0 and not absent. */
function childrenOf<Label extends string, Child extends { inc(by: number): void }>(
  labels: readonly Label[],
  childOf: (label: Label) => Child,
): Readonly<Record<Label, Child>> {
  const children = labels.map((label): [Label, Child] => [label, childOf(label)]);
  for (const [, child] of children) child.inc(0);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the entries are those of the record
  return Object.fromEntries(children) as Record<Label, Child>;
}
