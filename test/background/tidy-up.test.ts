import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { decodeJwt } from 'jose';
import { registerAccount } from '../support/accounts.ts';
import { assertion, clientKey, lastRefusal, registerWithKeys, tokenByAssertion } from '../support/assertions.ts';
import { prepareServer, type PreparedServer } from '../../src/start/prepare-server.ts';
import { tidyUp } from '../../src/background/tidy-up.ts';
import { makeCompany } from '../support/companies.ts';
import { quietSurroundings, testConfig } from '../support/config.ts';
import { embedded, onEachDatabase, type TestDatabase } from '../support/databases.ts';
import { eventually } from '../support/eventually.ts';
import { startTestApp, type TestApp } from '../support/test-app.ts';
import { written } from '../support/written.ts';

const PAUSE = 30;
const MINUTE = 60_000;
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** Seconds that a token may last here: longer than the week for which revoked entries are kept in any case. */
const TOKEN_MAX_TTL = 10 * 86_400;
const ISSUER = 'https://id.example';

onEachDatabase('tidying up', (kind) => {
  let database: TestDatabase;
  let app: TestApp;
  const start = Math.floor(Date.now() / 1000) * 1000;
  let now = start;
  const clock = (): Date => new Date(now);
  before(async () => {
    database = await kind.create();
    app = await startTestApp(
      database,
      { WRIT_ISSUER: ISSUER, WRIT_TOKEN_MAX_TTL: String(TOKEN_MAX_TTL) },
      { clock, activityPause: PAUSE, janitorPause: PAUSE },
    );
  });
  after(async () => {
    await app.close();
    await database.drop();
  });

  const rows = async (table: string, where: string, { knex } = app): Promise<number> =>
    Number((await knex.raw(`select count(*) from ${table} where ${where}`)).rows[0].count);

  /** Waits for a whole round of tidying up. */
  async function rounds(): Promise<void> {
    const settled = (): number =>
      app.statements().filter((sql) => sql.includes('update audit_events set position')).length;
    const before = settled();
    // The present round may have begun before the call: only the second one counts.
    await eventually(10_000, () => settled() >= before + 2, 'no round of tidying up came to its end in time');
  }

  /** Asserts that rows are kept until a moment, and are deleted then. */
  async function goesAt(moment: number, table: string, where: string): Promise<void> {
    const there = await rows(table, where);
    assert.ok(there > 0, `${table}: there are no rows to delete`);
    now = moment - 1000;
    await rounds();
    assert.equal(await rows(table, where), there, `${table}: a row was deleted too early`);
    now = moment + 1000;
    await rounds();
    assert.equal(await rows(table, where), 0, `${table}: a row was not deleted in time`);
  }

  test('deletes the rows of each table at their age, and keeps younger rows and everything in use', async () => {
    const { path, ...caller } = await registerAccount(app, { name: 'Tidied' });
    const ofAccount = `client_id = '${caller.clientId}'`;
    // A single token that is revoked.
    const { access_token: token } = (await app.token(caller)).json;
    const { exp = 0 } = decodeJwt(token);
    assert.equal((await app.asClient('/oauth/revoke', caller, { token })).status, 200);
    // A request that is refused.
    assert.equal((await app.token({ ...caller, clientSecret: 'wrong' })).status, 401);
    // An entry in a status list whose tokens are revoked, and a credential that is ending.
    const { json: second } = await app.api('POST', `${path}/credentials`, { type: 'client_secret' });
    await app.api('DELETE', `${path}/credentials/${second.credentialId}`);
    const { json: third } = await app.api('POST', `${path}/credentials`, { type: 'client_secret', name: 'ending' });
    const { status } = await app.api('POST', `${path}/credentials/${third.credentialId}/rotate`, { overlap: 60 });
    assert.equal(status, 201);
    await written(PAUSE, app);

    await goesAt(exp * 1000 + HOUR, 'revoked_tokens', ofAccount);
    await goesAt(start + TOKEN_MAX_TTL * 1000 + HOUR, 'status_entries', `${ofAccount} and revoked_at is not null`);
    await goesAt(start + 30 * DAY, 'refusals', ofAccount);
    assert.equal(await rows('credentials', ofAccount), 3);
    await goesAt(start + MINUTE + 30 * DAY, 'credentials', `credential_id = '${third.credentialId}'`);
    // A day is over when the next one begins.
    const day = Math.floor(start / DAY) * DAY;
    await goesAt(day + 401 * DAY, 'use_counts', ofAccount);
    // Everything in use is kept.
    assert.equal(await rows('credentials', ofAccount), 2);
    assert.equal(await rows('service_accounts', ofAccount), 1);
    assert.equal(await rows('status_entries', `${ofAccount} and revoked_at is null`), 2);
    assert.ok((await rows('last_uses', ofAccount)) > 0);
    now = start;
  });

  test('deletes the record of a used assertion an hour after its end, and not earlier', async () => {
    // The library compares times by its own clock, which has gone on since the start of this file.
    now = Math.floor(Date.now() / 1000) * 1000;
    const key = clientKey('ES256');
    const { clientId } = await registerWithKeys(app, 'Used up', [key]);
    const value = assertion(key, clientId, ISSUER, { exp: Math.floor(now / 1000) + 60 });
    assert.equal((await tokenByAssertion(app, value)).status, 200);
    const ofClient = `client_id = '${clientId}'`;
    const { rows: kept } = await app.knex.raw(`select expires_at from assertion_replays where ${ofClient}`);
    // The record holds the end of the assertion with the clock tolerance.
    assert.equal(kept[0].expires_at.getTime(), (Math.floor(now / 1000) + 70) * 1000);
    // The database uses its own clock, so that the test moves the row instead of the time.
    const expire = (ago: string) =>
      app.knex.raw(`update assertion_replays set expires_at = now() - interval '${ago}' where ${ofClient}`);
    await expire('59 minutes');
    await rounds();
    const again = await tokenByAssertion(app, value);
    assert.equal(again.status, 401);
    assert.equal(lastRefusal(app)['reason'], 'assertion_replay');
    await expire('61 minutes');
    await rounds();
    assert.equal(await rows('assertion_replays', ofClient), 0);
  });

  test('gives every audit event a position, even if no reader follows the audit', async () => {
    await makeCompany(app, 'placed');
    await rounds();
    assert.equal(await rows('audit_events', 'position is null'), 0);
  });
});

describe('a round of tidying up', () => {
  let database: TestDatabase;
  let server: PreparedServer;
  before(async () => {
    database = await embedded.create();
    server = await prepareServer(testConfig({ DATABASE_URL: database.url }), quietSurroundings());
  });
  after(async () => {
    await server.close();
    await database.drop();
  });

  test('deletes a bounded number of rows, and says whether more may be left', async () => {
    const { knex } = server.database;
    const tidy = tidyUp(server.storage, () => new Date(), 3600, 0);
    await tidy();
    await knex.raw(
      `insert into revoked_tokens (jti, client_id, expires_at)
       select 'jti-' || n, 'sa_busy', now() - interval '1 day' from generate_series(1, 1500) as n`,
    );
    const left = async (): Promise<number> => Number((await knex('revoked_tokens').count('* as left'))[0]?.['left']);
    assert.equal(await tidy(), true);
    assert.equal(await left(), 500);
    assert.equal(await tidy(), false);
    assert.equal(await left(), 0);
    assert.equal(await tidy(), false);
  });

  test('counts the credentials that it deletes, with an entry in a status list or without', async () => {
    const { knex } = server.database;
    const tidy = tidyUp(server.storage, () => new Date(), 3600, 0);
    await tidy();
    const account = await knex('service_accounts').first('client_id');
    await knex.raw(
      `insert into credentials (credential_id, client_id, type, secret_hash, hint, data, state, created_at, expires_at)
       select 'cred_ended_' || n, ?, 'client_secret', sha256(n::text::bytea), 'x', '{}', 'ending', now(),
         now() - interval '31 days' from generate_series(1, 1000) as n`,
      [account?.client_id],
    );
    assert.equal(await tidy(), true);
    assert.equal(await tidy(), false);
  });

  test('keeps a revoked entry for a week although tokens are short: earlier tokens may be longer', async () => {
    const { knex } = server.database;
    const revokedAt = new Date();
    const place = { list: 0, idx: 1, credential_id: 'cred_gone', client_id: 'sa_gone', revoked_at: revokedAt };
    await knex('status_entries').insert(place);
    const tidyAt = (age: number) => tidyUp(server.storage, () => new Date(revokedAt.getTime() + age), 60, 0)();
    const kept = (): Promise<unknown> => knex('status_entries').where({ client_id: 'sa_gone' }).first('idx');
    await tidyAt(7 * DAY + HOUR - 1000);
    assert.notEqual(await kept(), undefined);
    await tidyAt(7 * DAY + HOUR + 1000);
    assert.equal(await kept(), undefined);
  });
});
