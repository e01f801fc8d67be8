import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { embedded } from '../support/databases.ts';
import { eventually } from '../support/eventually.ts';
import { type TestApp, useTestApp } from '../support/test-app.ts';
import { testClock } from '../support/test-clock.ts';

/** The value of one line of the metrics; undefined: there is no such line. */
async function sampleOf(app: TestApp, sample: string): Promise<number | undefined> {
  const text = await app.metrics();
  const line = text.split('\n').find((one) => one.startsWith(`${sample} `));
  return line === undefined ? undefined : Number(line.slice(sample.length + 1));
}

describe('the metrics of a node', () => {
  const clock = testClock();
  const started = clock().getTime() / 1000;
  const app = useTestApp(embedded, {}, { clock, janitorPause: 50 });

  const valueOf = (sample: string): Promise<number | undefined> => sampleOf(app, sample);
  const is = async (sample: string, value: number): Promise<void> => assert.equal(await valueOf(sample), value, sample);

  test('name the build, and every type of credential from the start', async () => {
    await is('writ_build_info{version="0.0.0",node="v0"}', 1);
    for (const type of ['public_key', 'api_key']) {
      await is(`writ_credentials_expired{type="${type}"}`, 0);
      await is(`writ_credentials_expiring{type="${type}"}`, 0);
    }
  });

  test('have every known label from the start, so that an alert finds a number', async () => {
    await is('writ_tokens_issued_total{method="private_key_jwt"}', 0);
    await is('writ_tokens_issued_total{method="api_key"}', 0);
    await is('writ_tokens_refused_total{error="invalid_client",reason="assertion_replay"}', 0);
    // An outage and a limit have one error, and are two reasons: only the outage is a fault of the server.
    await is('writ_tokens_refused_total{error="temporarily_unavailable",reason="temporarily_unavailable"}', 0);
    await is('writ_tokens_refused_total{error="temporarily_unavailable",reason="too_many_attempts"}', 0);
    for (const error of ['server_error', 'invalid_scope', 'unsupported_grant_type']) {
      await is(`writ_tokens_refused_total{error="${error}",reason="${error}"}`, 0);
    }
    await is('writ_account_cache_total{outcome="stale"}', 0);
    await is('writ_account_cache_evictions_total', 0);
  });

  test('count the answers of the management API by operation and status', async () => {
    const { json: account } = await app.api('POST', '/api/service-accounts', { name: 'Counted' });
    await app.api('GET', `/api/service-accounts/${account.clientId}`);
    await app.api('GET', '/api/service-accounts/none');
    await app.request('/api/nothing');
    const calls = (labels: string): string => `writ_management_requests_total{${labels}}`;
    await is(calls('operation="registerServiceAccount",status="201"'), 1);
    await is(calls('operation="getServiceAccount",status="200"'), 1);
    await is(calls('operation="getServiceAccount",status="404"'), 1);
    await is(calls('operation="none",status="404"'), 1);
    const took = 'writ_management_request_duration_seconds_count{operation="getServiceAccount"}';
    await is(took, 2);
  });

  test('say how many accounts this node remembers, and how much memory they take', async () => {
    const { json: client } = await app.api('POST', '/api/service-accounts', { name: 'Remembered' });
    const before = Number(await valueOf('writ_account_cache_entries'));
    const bytes = Number(await valueOf('writ_account_cache_bytes'));
    assert.equal((await app.token(client)).status, 200);
    await is('writ_account_cache_entries', before + 1);
    assert.ok(Number(await valueOf('writ_account_cache_bytes')) >= bytes + 1000);
  });

  test('say how old the keys, the status lists and the change feed are, and when the janitor succeeded', async () => {
    await eventually(10_000, async () => (await valueOf('writ_janitor_last_success_timestamp_seconds')) !== undefined);
    assert.ok(Number(await valueOf('writ_janitor_last_success_timestamp_seconds')) >= started);
    await eventually(10_000, async () => (await valueOf('writ_status_lists_age_seconds')) !== undefined);
    assert.ok(Number(await valueOf('writ_change_feed_age_seconds')) < 60);
    assert.ok(Number(await valueOf('writ_signing_key_age_seconds{alg="ES256"}')) >= 0);
  });

  test('count an enabled credential as expiring, and as expired after its end', async () => {
    const path = '/api/service-accounts';
    await app.api('POST', path, { name: 'Ends', credentials: [{ type: 'client_secret', expiresIn: 3600 }] });
    await is('writ_credentials_expiring{type="client_secret"}', 1);
    await is('writ_credentials_expired{type="client_secret"}', 0);
    clock.forward(3_601_000);
    await is('writ_credentials_expired{type="client_secret"}', 1);
    await is('writ_credentials_expiring{type="client_secret"}', 0);
  });
});

describe('the metrics of a node whose background work is far away', () => {
  const app = useTestApp(embedded, {}, { activityPause: 3_600_000, janitorPause: 3_600_000 });

  test('name no time of a janitor that has not succeeded yet', async () => {
    assert.equal(await sampleOf(app, 'writ_janitor_last_success_timestamp_seconds'), undefined);
    assert.equal(await sampleOf(app, 'writ_degraded'), 0);
  });

  test('count the uses and the refusals that wait to be written', async () => {
    const { json: account } = await app.api('POST', '/api/service-accounts', { name: 'Waits' });
    const waiting = async (): Promise<(number | undefined)[]> => [
      await sampleOf(app, 'writ_records_waiting{record="uses"}'),
      await sampleOf(app, 'writ_records_waiting{record="refusals"}'),
    ];
    const [uses = Number.NaN, refusals = Number.NaN] = await waiting();
    assert.equal((await app.token(account)).status, 200);
    assert.deepEqual(await waiting(), [uses + 1, refusals]);
    assert.equal((await app.token({ ...account, clientSecret: 'wrong' })).status, 401);
    assert.deepEqual(await waiting(), [uses + 1, refusals + 1]);
  });
});
